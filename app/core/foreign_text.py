"""Text that others have written, before it is shown."""

from __future__ import annotations

import re

_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """The text without what a terminal obeys and what turns the text beside it round; it keeps its lines.

    Left out are the control characters of ISO/IEC 6429, but for tabulators and line breaks, and the
    embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX #9). The marks and joiners
    that Persian and Arabic are written with stay.
    """
    return _COMMANDS.sub("", text)
