"""The rhythm of an answer: parts leave at fixed moments, whether the model was fast, slow or silent.

Whoever sees sealed parts pass could otherwise count tokens by their sizes and times, and recognise answers by
their rhythm. The first words leave at once; after that there is one part every interval, also an empty one.
"""

from __future__ import annotations

import math

from network.protocol.content import AnswerText

INTERVAL_SECONDS = 0.2
LONGEST_PART = 1_000
"""Characters. Even if each is written as an escape, the part fits into a message."""


class AnswerPacer:
    """Collects the words of a model and hands them out in time, which the caller tells."""

    def __init__(self, interval: float = INTERVAL_SECONDS) -> None:
        self._interval = interval
        self._waiting = ""
        self._first: float | None = None
        self._next: float | None = None

    @property
    def due(self) -> float | None:
        """When to call `take`; None before the first words."""
        return self._next

    def add(self, text: str, now: float) -> None:
        """Words from the model."""
        self._waiting += text
        if self._first is None and text:
            self._first = self._next = now

    def take(self, now: float) -> list[AnswerText]:
        """What leaves now: nothing before its time, else at least one part, with words or without."""
        if self._first is None or self._next is None or now < self._next:
            return []
        # Moments that were missed are left out: a burst would show that the device was busy.
        passed = math.floor((now - self._first) / self._interval + 1e-9)
        self._next = self._first + (passed + 1) * self._interval
        return self._parts() or [AnswerText(text="")]

    def rest(self) -> list[AnswerText]:
        """What is left when the model has ended; leaves together with the end."""
        return self._parts()

    def _parts(self) -> list[AnswerText]:
        text, self._waiting = self._waiting, ""
        return [AnswerText(text=text[at : at + LONGEST_PART]) for at in range(0, len(text), LONGEST_PART)]
