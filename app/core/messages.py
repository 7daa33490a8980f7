"""The values of a conversation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from app.core.asking_wishes import NO_WISHES, AskingWishes
from app.core.model_options import AnswerOptions
from app.core.provenance import PrivacyLevel, Provenance
from engines.protocol import Usage


class MessageState(StrEnum):
    """How far a message has come."""

    STREAMING = "streaming"
    COMPLETE = "complete"
    STOPPED = "stopped"
    """By the user."""
    INTERRUPTED = "interrupted"
    """By the end of the app while it was streaming."""
    CUT_OFF = "cut_off"
    """At the token limit, or because the context window is full."""
    REPEATING = "repeating"
    """Ended because the model said the same again and again; going on would be no use."""
    FAILED = "failed"


CONTINUABLE = frozenset(
    {MessageState.STOPPED, MessageState.INTERRUPTED, MessageState.CUT_OFF, MessageState.FAILED}
)


_TITLE_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that an answer rests on, kept whole: it outlives its document."""

    number: int
    """The [number] in the answer."""
    passage_id: int
    document_id: int
    document_title: str
    page: int | None
    heading: str | None
    text: str
    given_by: tuple[str, ...] = ()
    """Devices whose documents it is from, the most trusted first; none: this one's."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along with a question."""

    name: str
    bytes: int
    document_id: int | None = None
    """In the knowledge base, where it is searched; None: the model gets it whole."""
    tokens: int = 0
    """What its text takes of the context window, if it is given whole."""
    text: str = ""
    """Its text, if it is given whole; not read with the messages, see `AttachedFiles.texts`."""

    @property
    def whole(self) -> bool:
        """Whether the model gets all of it."""
        return self.document_id is None


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message as stored."""

    id: int
    conversation_id: int
    role: Literal["user", "assistant"]
    text: str
    thinking: str
    state: MessageState
    created_at: datetime
    model: str | None
    """Name of the model that answered; None for questions."""
    usage: Usage | None
    citations: tuple[Citation, ...]
    searched: int | None
    """Passages searched for this answer; None where no documents were asked."""
    relevant: int | None
    error: str | None
    """Class name of what went wrong, for FAILED messages."""
    provenance: Provenance | None = None
    """Which other devices were asked; None for answers of this device alone, and for questions."""
    attachments: tuple[Attachment, ...] = ()
    """Files of a question, without their texts."""
    searched_for: str | None = None
    """What was searched for this answer, where that is not the question itself."""

    @property
    def continuable(self) -> bool:
        """Whether the answer can go on where it ended."""
        return self.role == "assistant" and self.state in CONTINUABLE


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as the list shows it."""

    id: int
    title: str
    """Empty until the first question gives it one."""
    created_at: datetime
    updated_at: datetime
    collection_ids: tuple[int, ...]
    """The collections that its questions ask, with all of their documents."""
    preview: str
    """The beginning of the last message."""
    options: AnswerOptions
    """How its answers are written, where that differs from its model's options."""
    level: PrivacyLevel = PrivacyLevel.DEVICE
    """How far its questions may travel."""
    consent: PrivacyLevel = PrivacyLevel.DEVICE
    """How far they may without the user having seen what leaves; never as far as PUBLIC."""
    wishes: AskingWishes = NO_WISHES
    """Of the other devices that it asks."""
    document_ids: tuple[int, ...] = ()
    """Single documents that its questions ask, beside the collections."""


def title_of(question: str) -> str:
    """The first line of a question, cut at a word; the list of conversations shows it."""
    line = " ".join(next(iter(question.strip().splitlines()), "").split())
    if len(line) <= _TITLE_CHARACTERS:
        return line
    return line[:_TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:،؛") + "…"
