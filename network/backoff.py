"""How long to wait before the next try: longer each time, and never all devices at the same moment."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_SECONDS = 0.25
LONGEST_SECONDS = 30.0


class Backoff:
    """Waits that double from try to try. Each is drawn between nothing and its bound ("full jitter").

    Source: Marc Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
    """

    def __init__(
        self,
        first: float = FIRST_SECONDS,
        longest: float = LONGEST_SECONDS,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Seconds; `chance` gives numbers from 0 to 1."""
        self._first = first
        self._longest = longest
        self._chance = chance
        self.tries = 0
        """In vain, since the last success."""

    def next_seconds(self, at_least: float = 0.0) -> float:
        """The wait after one more try in vain; `at_least` is what the other side has asked for."""
        bound = min(self._longest, self._first * 2.0 ** min(self.tries, 30))
        self.tries += 1
        return at_least + bound * self._chance()

    def succeeded(self) -> None:
        """Begin with short waits again."""
        self.tries = 0
