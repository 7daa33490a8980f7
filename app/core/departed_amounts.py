"""How much leaves this device, in words for the user."""

from __future__ import annotations

from app.core.provenance import Departed
from app.core.strings import Strings


def amounts(strings: Strings, departed: Departed) -> str:
    """What leaves this device, or has left it, in numbers."""
    parts = [strings("departure.turns", count=departed.turns)]
    if departed.passages:
        parts.append(strings("departure.passages", count=departed.passages))
    if departed.files:
        parts.append(strings("departure.files", count=departed.files))
    parts.append(strings.size(departed.bytes))
    if departed.hidden:
        parts.append(strings("departure.hidden", count=departed.hidden))
    return " · ".join(parts)
