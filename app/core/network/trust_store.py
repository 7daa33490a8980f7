"""How far this device trusts others, kept on this device and told to nobody."""

from __future__ import annotations

import logging
from pathlib import Path

from app.core.provenance import PrivacyLevel
from app.core.state_file import StateFile
from network.errors import MessageInvalid
from network.trust import TrustBook

log = logging.getLogger(__name__)

_LEAST = {PrivacyLevel.MY_DEVICES: 0.95, PrivacyLevel.CIRCLE: 0.8}
"""The user has chosen these devices: what they answer is believed before it has been seen."""


class TrustStore:
    """The book of trust and its file. Belongs to one event loop."""

    def __init__(self, path: Path) -> None:
        """A book that is lost is told by `book`, not here: the app starts without it."""
        self._file = StateFile(path, _decoded, guarded=True)
        self._book: TrustBook | None = None

    @property
    def book(self) -> TrustBook:
        """What was seen. Raises RecordsLost: begun anew, it would trust whoever was caught; and OSError."""
        if self._book is None:
            self._book = self._file.read() or TrustBook()
        return self._book

    def begin_anew(self) -> None:
        """Everybody is a stranger again, where the book is lost. Raises OSError."""
        self._file.begin_anew()

    def trust(self, node: str, model: str, level: PrivacyLevel, now: int) -> float:
        """From 0 to 1, of a device that is as near as `level`."""
        seen = self.book.standing(node, model, now)
        # What was seen weighs more than nearness: a device of a friend can be broken, too.
        return seen.trust if seen.canaries else max(seen.trust, _LEAST.get(level, 0.0))

    def save(self) -> None:
        """Keep it; a kill leaves the old book or the new one. A full disk costs no answer."""
        try:
            self._file.write(self.book.encode())
        except OSError as error:
            log.warning("the book of trust was not kept: %s", type(error).__name__)


def _decoded(data: bytes) -> TrustBook:
    try:
        return TrustBook.decode(data)
    except MessageInvalid as error:
        raise ValueError(str(error)) from None
