"""How fast a piece of work goes on, and how long it will still take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_STEP_SECONDS = 0.25
"""Reports that follow closer are taken together."""


class Speed:
    """Watches one piece of work, in whatever unit it is counted.

    Args:
        window_seconds: what was before does not count any more: a machine gets busy, and free again.
        first_seconds: less than this says nothing yet.
    """

    def __init__(
        self,
        *,
        window_seconds: float = 8.0,
        first_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._window_seconds = window_seconds
        self._first_seconds = first_seconds
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()
        self._latest = 0

    def report(self, done: int) -> None:
        """So much is done by now."""
        now = self._clock()
        if done < self._latest:
            self._seen.clear()  # it began again
        self._latest = done
        if not self._seen or now - self._seen[-1][0] >= _STEP_SECONDS:
            self._seen.append((now, done))

    def per_second(self) -> float | None:
        """Of the last seconds, also of those in which nothing came; None while nobody can know."""
        now = self._clock()
        while len(self._seen) > 1 and now - self._seen[1][0] >= self._window_seconds:
            self._seen.popleft()
        if not self._seen:
            return None
        since, before = self._seen[0]
        if now - since < self._first_seconds:
            return None
        return (self._latest - before) / (now - since)

    def seconds_left(self, total: int) -> float | None:
        """Until `total` is done; None while nobody can know, as where nothing comes."""
        speed = self.per_second()
        return max(0, total - self._latest) / speed if speed else None
