"""What a worker needs from an engine: app/ gives it one, network/ knows none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from network.protocol.content import AnswerCitation, Question
from network.protocol.fields import FinishReason


@dataclass(frozen=True, slots=True)
class Written:
    """The end of an answer: why it ended and what it took."""

    finish: FinishReason
    model: str
    tokens: int


class CannotAnswer(Exception):
    """The engine does not take this question, now or at all; the answerer's words stay on this device."""

    def __init__(self, *, for_now: bool) -> None:
        super().__init__()
        self.for_now = for_now


class Answerer(Protocol):
    """Answers questions of others with this device's model, and with what its owner shares."""

    def answer(self, question: Question, asker: bytes) -> AsyncIterator[str | AnswerCitation | Written]:
        """Words as they come, sources where there are some, and `Written` as the last.

        `asker` is the Ed25519 identity that has signed for the question; the memberships in the question are
        not checked yet. Everything in it is a stranger's text.

        Closing the iterator stops the engine. Raises CannotAnswer before the first words.
        """
