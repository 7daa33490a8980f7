"""Which questions this worker has answered, so that it answers none twice."""

from __future__ import annotations

from network.envelope import CLOCK_TOLERANCE_SECONDS
from network.errors import QuestionRepeated
from network.protocol.jobs import Grant


class AnsweredQuestions:
    """Remembers answered questions until they expire; at most so many, those that expire last.

    A worker that forgets one, after a restart or when this is full, does the work again, no more: each answer
    has keys of its own (`network.chunks`).
    """

    def __init__(self, capacity: int = 20_000) -> None:
        self._capacity = capacity
        self._expires: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        return len(self._expires)

    def check(self, grant: Grant) -> None:
        """Raises QuestionRepeated if this was answered before."""
        if (grant.asker, grant.job) in self._expires:
            raise QuestionRepeated(grant.job)

    def add(self, grant: Grant, now: int) -> None:
        """Remember that the whole answer was sent."""
        self._expires[grant.asker, grant.job] = grant.expires
        if len(self._expires) > self._capacity:
            self._make_room(now)

    def _make_room(self, now: int) -> None:
        """A tenth at once: rarely, instead of a search at every question."""
        alive = {
            key: expires for key, expires in self._expires.items() if expires + CLOCK_TOLERANCE_SECONDS >= now
        }
        latest = sorted(alive, key=alive.__getitem__, reverse=True)[: self._capacity * 9 // 10]
        self._expires = {key: alive[key] for key in latest}
