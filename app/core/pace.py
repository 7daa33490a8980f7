"""How long a piece of work that tells its progress will still take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 60.0
"""Only the last minute counts: a machine gets busy, and free again."""
_FIRST_SECONDS = 3.0
"""Less than this says nothing about the rest."""


class Pace:
    """Watches one piece of work, in whatever unit it is counted."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, float]] = deque()

    def seconds_left(self, done: float, total: float) -> float | None:
        """Take a report of progress; the seconds that are left, or None while nobody can know."""
        now = self._clock()
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()  # it began again
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] >= WINDOW_SECONDS:
            self._seen.popleft()
        since, before = self._seen[0]
        if now - since < _FIRST_SECONDS or done <= before:
            return None
        return (total - done) * (now - since) / (done - before)
