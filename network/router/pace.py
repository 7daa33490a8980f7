"""How fast one worker may speak. Who is faster is listened to more slowly, and feels it by its connection."""

from __future__ import annotations

MESSAGES_PER_SECOND = 100
"""For signs of life, and for whoever has no slots."""
MESSAGES_PER_SLOT = 50
"""An answer has five parts a second; ten times as many are of no use to anybody."""
SECONDS_AT_ONCE = 20
"""After a pause, as when a connection was slow, so much may come at once."""


class Pace:
    """The pace of one connection. The caller tells the time, and waits."""

    def __init__(self, slots: int, now: float) -> None:
        self._per_second = float(MESSAGES_PER_SECOND + MESSAGES_PER_SLOT * slots)
        self._most = self._per_second * SECONDS_AT_ONCE
        self._left = self._most
        self._since = now

    def message(self, now: float) -> float:
        """A message has come; how many seconds to wait before the next one is read."""
        self._left = min(self._most, self._left + (now - self._since) * self._per_second) - 1
        self._since = now
        return max(0.0, -self._left / self._per_second)
