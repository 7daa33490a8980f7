"""How far this device trusts others, kept on this device and told to nobody."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from app.core.provenance import PrivacyLevel
from network.errors import MessageInvalid
from network.trust import TrustBook

log = logging.getLogger(__name__)

_LEAST = {PrivacyLevel.MY_DEVICES: 0.95, PrivacyLevel.CIRCLE: 0.8}
"""The user has chosen these devices: what they answer is believed before it has been seen."""


class TrustStore:
    """The book of trust and its file. Belongs to one event loop."""

    def __init__(self, path: Path) -> None:
        """A book that cannot be read is begun anew: everybody is a stranger again."""
        self._path = path
        self.book = _read(path)

    def trust(self, node: str, model: str, level: PrivacyLevel, now: int) -> float:
        """From 0 to 1, of a device that is as near as `level`."""
        seen = self.book.standing(node, model, now)
        # What was seen weighs more than nearness: a device of a friend can be broken, too.
        return seen.trust if seen.canaries else max(seen.trust, _LEAST.get(level, 0.0))

    def save(self) -> None:
        """Keep it; a kill leaves the old book or the new one. A full disk costs no answer."""
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        try:
            new.write_bytes(self.book.encode())
            new.replace(self._path)
        except OSError as error:
            log.warning("the book of trust was not kept: %s", type(error).__name__)
            new.unlink(missing_ok=True)


def _read(path: Path) -> TrustBook:
    try:
        return TrustBook.decode(path.read_bytes())
    except FileNotFoundError:
        pass
    except (OSError, MessageInvalid) as error:
        log.warning("the book of trust is unreadable, beginning anew: %s", type(error).__name__)
    return TrustBook()
