"""The words that admit a worker, and an asker where the router wants one of those, too."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

_MOST_DEVICES = 10_000


@dataclass(frozen=True, slots=True)
class Invitation:
    """A word, and what its owner calls it: the word itself is shown to nobody."""

    name: str
    word: str = field(repr=False)


class Invitations:
    """Asks for the words whenever somebody comes, so that they may change at any time."""

    def __init__(self, read: Callable[[], tuple[Invitation, ...]]) -> None:
        """`read` returns those that hold at this moment; it is called often."""
        self._read = read
        self._came: dict[str, set[str]] = {}

    @classmethod
    def of(cls, words: Iterable[str]) -> Invitations:
        """Words that never change."""
        fixed = tuple(Invitation(f"word {place}", word) for place, word in enumerate(sorted(words), 1))
        return cls(lambda: fixed)

    def now(self) -> tuple[Invitation, ...]:
        """Those that hold at this moment."""
        return self._read()

    def find(self, word: str) -> Invitation | None:
        """The invitation with this word; takes the same time for every wrong one."""
        given = word.encode()
        found = None
        for invitation in self.now():
            if hmac.compare_digest(given, invitation.word.encode()):
                found = invitation
        return found

    def came(self, word: str, node: str) -> None:
        """A device has come in with this word."""
        if (invitation := self.find(word)) is not None:
            devices = self._came.setdefault(invitation.name, set())
            if len(devices) < _MOST_DEVICES:
                devices.add(node)

    def devices(self, name: str) -> int:
        """How many devices have come in with this one since the start."""
        return len(self._came.get(name, ()))
