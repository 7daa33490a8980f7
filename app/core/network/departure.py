"""What leaves this device with a question: composed here, shown to the user, and sealed exactly so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.core.direction import is_right_to_left
from app.core.messages import ChatMessage, Citation
from app.core.prompt import (
    MESSAGE_OVERHEAD,
    TokenBudget,
    first_kept,
    history_of,
    pack_sources,
    render_question,
    render_source,
)
from app.core.provenance import Departed, PrivacyLevel
from app.core.redaction import Placeholder, redact
from network.protocol.content import Question, Turn
from network.protocol.groups import Membership
from network.protocol.message import encode

CONTEXT_TOKENS = 4096
"""Of the workers to come: even small models have so much."""
_BYTES_PER_TOKEN = 3
"""Of UTF-8: about four in English. Rather a little too much is counted than too little."""


@dataclass(frozen=True, slots=True)
class Departure:
    """All that workers get to read. `approved` is the user's word for exactly this."""

    level: PrivacyLevel
    question: str
    """As it was asked."""
    turns: tuple[Turn, ...]
    sources: tuple[Citation, ...] = ()
    """The passages in the last turn."""
    searched: int | None = None
    """Passages that were searched; None where no documents were asked."""
    placeholders: tuple[Placeholder, ...] = ()
    max_tokens: int = 1024
    temperature: float | None = None
    approved: bool = False

    @property
    def nothing_found(self) -> bool:
        """The documents do not tell: nobody needs to be asked."""
        return self.searched is not None and not self.sources

    @property
    def language(self) -> str | None:
        """The language of the question, as far as its letters tell."""
        return "fa" if is_right_to_left(self.question) else None

    @property
    def tokens(self) -> int:
        """What a worker's context window has to hold, about."""
        return sum(estimated_tokens(turn.text) for turn in self.turns) + self.max_tokens

    @property
    def departed(self) -> Departed:
        """The same in numbers."""
        size = len(encode(self.message()))
        return Departed(
            turns=len(self.turns), passages=len(self.sources), bytes=size, hidden=len(self.placeholders)
        )

    def message(self, memberships: Sequence[Membership] = ()) -> Question:
        """What is sealed. Where passages come along, the worker's own documents are left alone."""
        temperature = 0.7 if self.temperature is None else self.temperature
        return Question(
            turns=self.turns,
            language=self.language,
            max_tokens=self.max_tokens,
            temperature_hundredths=round(min(2.0, max(0.0, temperature)) * 100),
            use_documents=self.searched is None,
            memberships=tuple(memberships),
        )

    def redacted(self, names: Sequence[str] = ()) -> Departure:
        """The same without mail addresses, numbers, and these names."""
        hidden = redact([turn.text for turn in self.turns], names)
        turns = zip(self.turns, hidden.texts, strict=True)
        return replace(
            self,
            turns=tuple(Turn(role=turn.role, text=text) for turn, text in turns),
            placeholders=hidden.placeholders,
        )

    def approve(self) -> Departure:
        """The user has seen it, or has said before that it need not be shown."""
        return replace(self, approved=True)


def compose_departure(
    level: PrivacyLevel,
    *,
    earlier: Sequence[ChatMessage],
    question: str,
    sources: Sequence[Citation] = (),
    searched: int | None = None,
    instructions: str = "",
    max_tokens: int = 1024,
    temperature: float | None = None,
    context_tokens: int = CONTEXT_TOKENS,
) -> Departure:
    """The question with as much of its conversation and of its sources as a worker's context holds."""
    budget = TokenBudget.of(context_tokens, max_tokens)
    counts = [estimated_tokens(render_source(source)) for source in sources]
    packed = pack_sources(sources, counts, budget.sources)
    first = [Turn(role="system", text=instructions)] if instructions.strip() else []
    last = Turn(role="user", text=render_question(question, packed))
    history = history_of(earlier)
    room = budget.prompt - sum(estimated_tokens(turn.text) for turn in [*first, last])
    lengths = [estimated_tokens(message.content) for message in history]
    kept = history[first_kept([message.role for message in history], lengths, room) :]
    return Departure(
        level=level,
        question=question,
        turns=(*first, *(Turn(role=message.role, text=message.content) for message in kept), last),
        sources=packed,
        searched=searched,
        max_tokens=budget.answer,
        temperature=temperature,
    )


def estimated_tokens(text: str) -> int:
    """Tokens that a worker's model will make of a text, about: its tokeniser is not here."""
    return math.ceil(len(text.encode("utf-8", "replace")) / _BYTES_PER_TOKEN) + MESSAGE_OVERHEAD
