"""How fast something arrives, smoothed so that the number can be read."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 8.0
"""What was before does not count any more."""
_FIRST_SECONDS = 1.0
"""Less than this says nothing."""
_STEP_SECONDS = 0.25
"""Reports that follow closer are taken together."""


class Speed:
    """Watches one transfer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()
        self._latest = 0

    def report(self, done: int) -> None:
        """So many bytes have arrived by now."""
        now = self._clock()
        if done < self._latest:
            self._seen.clear()  # it began again
        self._latest = done
        if not self._seen or now - self._seen[-1][0] >= _STEP_SECONDS:
            self._seen.append((now, done))

    def bytes_per_second(self) -> float | None:
        """Of the last seconds, also of those in which nothing came; None while nobody can know."""
        now = self._clock()
        while len(self._seen) > 1 and now - self._seen[1][0] >= WINDOW_SECONDS:
            self._seen.popleft()
        if not self._seen:
            return None
        since, before = self._seen[0]
        if now - since < _FIRST_SECONDS:
            return None
        return (self._latest - before) / (now - since)
