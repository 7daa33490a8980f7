"""What the chat screen shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import flet as ft

from app.core.asking_wishes import NO_WISHES, AskingWishes
from app.core.messages import ChatMessage, Conversation
from app.core.model_options import AnswerOptions
from app.core.network.offers import OfferedModel
from app.core.provenance import PrivacyLevel, Provenance
from app.ui.state.live import Phase
from rag.model import Collection, Document

PAGE_OF_MESSAGES = 50
"""So many messages are shown at once; a longer conversation stays quick."""


@ft.observable
@dataclass
class MessageView:
    """One message as the screen shows it. While it is written, only its own bubble follows it."""

    stored: ChatMessage
    text: str = ""
    thinking: str = ""
    phase: Phase | None = None
    """Set while it is being written."""
    error: Exception | None = None
    """What went wrong, where this session saw it happen."""
    provenance: Provenance | None = None
    """Which other devices are or were asked."""

    @classmethod
    def of(cls, message: ChatMessage) -> MessageView:
        """A stored message."""
        return cls(message, message.text, message.thinking, provenance=message.provenance)


@ft.observable
@dataclass
class ChatState:
    """What the chat screen shows."""

    conversations: list[Conversation] = field(default_factory=list)
    listed: bool = False
    """Whether they have been read."""
    query: str = ""
    searches: int = 0
    """Counts how often the search was asked for from elsewhere since a conversation was opened."""
    open: Conversation | None = None
    """None: a new conversation, not stored before its first question."""
    messages: list[MessageView] = field(default_factory=list)
    earlier: int = 0
    """Messages before the shown ones."""
    follow: bool = True
    """Keep the end in view; off while earlier messages are read."""
    away: bool = False
    """Whether one reads further up."""
    returns: int = 0
    """Counts how often the end was asked for."""
    answering: bool = False
    drafts: int = 0
    """Counts how often the composer was given a draft or the cursor from elsewhere."""
    collections: list[Collection] = field(default_factory=list)
    """All collections of the knowledge base, to choose from."""
    collection_ids: list[int] = field(default_factory=list)
    """The collections that the open conversation asks, with all of their documents."""
    chosen_documents: list[Document] = field(default_factory=list)
    """Single documents that it asks beside them."""
    opened_sources: dict[int, list[Document]] = field(default_factory=dict)
    """By collection: the documents to choose from, where they are shown."""
    documents_gone: int = 0
    """So many of the chosen documents were deleted since, which the user has to know."""
    level: PrivacyLevel = PrivacyLevel.DEVICE
    """How far the open conversation's questions may travel."""
    wishes: AskingWishes = NO_WISHES
    """Of the other devices that the open conversation asks."""
    offered: list[OfferedModel] | None = None
    """Models that other devices of its level offer; None: not known yet."""
    offers_problem: Exception | None = None
    """Why that could not be found out."""
    has_router: bool = False
    """Whether other devices can be asked at all."""
    options: AnswerOptions = field(default_factory=AnswerOptions)
    """How the answers of the open conversation are written, where that differs from its model's options."""
