"""What leaves this device with a question: composed here, shown to the user, and sealed exactly so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.core.asking_wishes import NO_WISHES, AskingWishes
from app.core.direction import is_right_to_left
from app.core.errors import AttachmentsTooLong
from app.core.messages import Attachment, ChatMessage, Citation
from app.core.prompt import (
    MESSAGE_OVERHEAD,
    TokenBudget,
    answered,
    first_kept,
    pack_sources,
    render_files,
    render_question,
    render_source,
)
from app.core.provenance import Departed, PrivacyLevel
from app.core.redaction import Placeholder, redact
from app.core.retrieval import Retrieved
from network.protocol.content import Question, Turn
from network.protocol.groups import Membership
from network.protocol.message import encode

_NO_FILES: Mapping[int, Sequence[Attachment]] = {}
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
    retrieved: Retrieved | None = None
    """What the documents said; None where none were asked."""
    files: int = 0
    """Whole files in the turns."""
    placeholders: tuple[Placeholder, ...] = ()
    max_tokens: int = 1024
    temperature: float | None = None
    wishes: AskingWishes = NO_WISHES
    """Which model is to answer, and what becomes of several answers."""
    avoid: frozenset[str] = frozenset()
    """Devices that shall not be asked this time."""
    approved: bool = False

    @property
    def nothing_found(self) -> bool:
        """The documents do not tell: nobody needs to be asked."""
        return self.retrieved is not None and self.retrieved.nothing

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
            turns=len(self.turns),
            passages=len(self.sources),
            files=self.files,
            bytes=size,
            hidden=len(self.placeholders),
        )

    def message(self, memberships: Sequence[Membership] = ()) -> Question:
        """What is sealed. Where passages come along, the worker's own documents are left alone."""
        temperature = 0.7 if self.temperature is None else self.temperature
        return Question(
            turns=self.turns,
            model=self.wishes.model,
            language=self.language,
            max_tokens=self.max_tokens,
            temperature_hundredths=round(min(2.0, max(0.0, temperature)) * 100),
            use_documents=self.retrieved is None,
            memberships=tuple(memberships),
        )

    def redacted(self, names: Sequence[str] = (), *, numbers: bool = True) -> Departure:
        """The same without these names and, with `numbers`, without mail addresses and numbers."""
        hidden = redact([turn.text for turn in self.turns], names, patterns=numbers)
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
    retrieved: Retrieved | None = None,
    files: Mapping[int, Sequence[Attachment]] = _NO_FILES,
    instructions: str = "",
    max_tokens: int = 1024,
    temperature: float | None = None,
    context_tokens: int = CONTEXT_TOKENS,
    wishes: AskingWishes = NO_WISHES,
) -> Departure:
    """The question with as much of its conversation and of its sources as a worker's context holds.

    Files go along as they do to this device's own model, see `compose_prompt`.

    Raises:
        AttachmentsTooLong: they do not fit.
    """
    budget = TokenBudget.of(context_tokens, max_tokens)
    sources = retrieved.sources if retrieved else ()
    counts = [estimated_tokens(render_source(source)) for source in sources]
    packed = pack_sources(sources, counts, budget.sources)
    first = [Turn(role="system", text=instructions)] if instructions.strip() else []
    told = answered(earlier)
    history = [Turn(role=it.role, text=render_files(it.text, files.get(it.id, ()))) for it in told]
    lengths = [estimated_tokens(turn.text) for turn in history]
    kept = {it.id for it in told}
    beside: dict[int, Sequence[Attachment]] = {}
    while True:
        # A file whose question is no longer part of the history goes with the last question.
        beside |= {number: attached for number, attached in files.items() if number not in kept}
        with_turn = [file for _, attached in sorted(beside.items()) for file in attached]
        last = Turn(role="user", text=render_files(render_question(question, packed), with_turn))
        room = budget.prompt - sum(estimated_tokens(turn.text) for turn in [*first, last])
        if room < 0 and with_turn:
            raise AttachmentsTooLong(with_turn[-1].name)
        start = first_kept([turn.role for turn in history], lengths, room)
        kept = {it.id for it in told[start:]}
        if all(number in kept or number in beside for number in files):
            break
    return Departure(
        level=level,
        question=question,
        turns=(*first, *history[start:], last),
        sources=packed,
        retrieved=retrieved,
        files=sum(map(len, files.values())),
        max_tokens=budget.answer,
        temperature=temperature,
        wishes=wishes,
    )


def estimated_tokens(text: str) -> int:
    """Tokens that a worker's model will make of a text, about: its tokeniser is not here."""
    return math.ceil(len(text.encode("utf-8", "replace")) / _BYTES_PER_TOKEN) + MESSAGE_OVERHEAD
