"""What is inside the seals. Routers never see these."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from network.protocol.fields import FinishReason, LanguageTag, ModelTag, ShortText
from network.protocol.groups import Memberships
from network.protocol.message import Message, Part, Signed, Statement

Text = Annotated[str, Meta(max_length=200_000)]


class Turn(Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One message of the conversation, as far as the asker lets it out."""

    role: Literal["system", "user", "assistant"]
    text: Text


class Question(Statement, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a worker answers. Not signed itself: the grant binds it to its asker."""

    turns: Annotated[tuple[Turn, ...], Meta(min_length=1, max_length=200)]
    model: ModelTag | None = None
    language: LanguageTag | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=32_768)] = 1024
    temperature_hundredths: Annotated[int, Meta(ge=0, le=200)] = 70
    use_documents: bool = True
    """Whether the worker's shared documents may be searched for it."""
    memberships: Memberships = ()
    """Of the asker, in the groups that it asks. Inside the seal: the router does not learn whose devices ask
    whom. A worker that answers groups only takes nobody else's word for it, the router's least of all."""


class AnswerText(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """More words of the answer; no words where the clock asks for a part and none are there."""

    text: Annotated[str, Meta(max_length=2_000)]


class AnswerCitation(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A source of the answer, as much of it as its owner shares."""

    number: Annotated[int, Meta(ge=1, le=99)]
    title: ShortText
    page: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    quote: Annotated[str, Meta(max_length=2_000)] = ""


class AnswerEnd(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The end of an answer, with the worker's signed `receipt`."""

    finish: FinishReason
    receipt: Signed


class AnswerFailed(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The worker could not finish; what it said until here stays valid."""

    reason: Literal["model", "memory", "paused", "refused", "too_long", "internal"]


AnswerPart = AnswerText | AnswerCitation | AnswerEnd | AnswerFailed
