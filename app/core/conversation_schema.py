"""How conversations lie in their database: tables, rows, and what becomes of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict

import msgspec

from app.core.asking_wishes import NO_WISHES, AskingWishes
from app.core.citations import cited
from app.core.json_file import usable
from app.core.messages import Attachment, ChatMessage, Citation, Conversation, MessageState
from app.core.model_options import AnswerOptions
from app.core.provenance import PrivacyLevel, Provenance
from engines.protocol import Usage

MIGRATIONS = (
    """
    CREATE TABLE conversations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL
    );
    CREATE TABLE conversation_collections (
        conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
        collection_id INTEGER NOT NULL,
        PRIMARY KEY (conversation_id, collection_id)
    ) WITHOUT ROWID;
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
        role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
        text TEXT NOT NULL,
        thinking TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL,
        created_at REAL NOT NULL,
        model TEXT,
        usage TEXT,
        sources TEXT NOT NULL DEFAULT '[]',
        searched INTEGER,
        relevant INTEGER,
        error TEXT
    );
    CREATE INDEX messages_of_conversation ON messages(conversation_id, id);
    CREATE VIRTUAL TABLE message_words USING fts5(words, content='', contentless_delete=1);
    """,
    """
    ALTER TABLE conversations ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
    """,
    """
    ALTER TABLE conversations ADD COLUMN level TEXT NOT NULL DEFAULT 'device';
    ALTER TABLE conversations ADD COLUMN consent TEXT NOT NULL DEFAULT 'device';
    ALTER TABLE messages ADD COLUMN provenance TEXT;
    """,
    """
    -- Hidden ones of the knowledge base, with the files of questions that are searched.
    CREATE TABLE attached_collections (
        conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
        collection_id INTEGER NOT NULL,
        PRIMARY KEY (conversation_id, collection_id)
    ) WITHOUT ROWID;
    CREATE TABLE attachments (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        message_id INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        document_id INTEGER,       -- in the knowledge base; NULL: the model gets the text whole
        tokens INTEGER NOT NULL,
        text TEXT NOT NULL
    );
    CREATE INDEX attachments_of_message ON attachments(message_id, id);
    """,
    """
    ALTER TABLE messages ADD COLUMN searched_for TEXT; -- where that is not the question itself
    """,
    """
    ALTER TABLE conversations ADD COLUMN wishes TEXT NOT NULL DEFAULT '{}'; -- of other devices
    """,
    """
    -- Of the knowledge base, beside the collections that are asked as a whole.
    CREATE TABLE conversation_documents (
        conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
        document_id INTEGER NOT NULL,
        PRIMARY KEY (conversation_id, document_id)
    ) WITHOUT ROWID;
    """,
)

log = logging.getLogger(__name__)

_NO_OPTIONS = AnswerOptions()
_PREVIEW_CHARACTERS = 120

CONVERSATION = f"""c.id, c.title, c.created_at, c.updated_at, c.options, c.level, c.consent,
    c.wishes,
    (SELECT group_concat(collection_id) FROM conversation_collections WHERE conversation_id = c.id),
    (SELECT group_concat(document_id) FROM conversation_documents WHERE conversation_id = c.id),
    (SELECT substr(text, 1, {_PREVIEW_CHARACTERS}) FROM messages
        WHERE conversation_id = c.id AND text <> '' ORDER BY id DESC LIMIT 1)"""
"""What `conversation_of` reads, of the table `conversations c`."""

MESSAGE = (
    "id, conversation_id, role, text, thinking, state, created_at, model, usage, sources, searched,"
    " relevant, error, provenance, searched_for,"
    " (SELECT json_group_array(json_object('name', name, 'bytes', bytes, 'document_id', document_id,"
    " 'tokens', tokens)) FROM (SELECT * FROM attachments WHERE message_id = messages.id ORDER BY id))"
)
"""What `message_of` reads, of the table `messages`."""

COPIED = (
    "role, text, thinking, created_at, model, usage, sources, searched, relevant, error, provenance,"
    " searched_for"
)
"""Columns of `messages` that a branch takes along; its state is told apart."""

_ENCODED = frozenset({"usage", "sources", "provenance"})
"""Columns that hold JSON."""


def conversation_of(row: tuple[Any, ...]) -> Conversation:
    """A row of `CONVERSATION` as a value."""
    number, title, created_at, updated_at, options, level, consent, wishes, *more = row
    collections, documents, preview = more
    return Conversation(
        id=number,
        title=title,
        created_at=datetime.fromtimestamp(created_at, UTC),
        updated_at=datetime.fromtimestamp(updated_at, UTC),
        collection_ids=_numbers_of(collections),
        document_ids=_numbers_of(documents),
        preview=" ".join((preview or "").split()),
        options=_options_of(options),
        level=_level_of(level),
        consent=_level_of(consent),
        wishes=_wishes_of(wishes),
    )


def _numbers_of(column: str | None) -> tuple[int, ...]:
    return tuple(sorted(int(part) for part in (column or "").split(",") if part))


def _options_of(column: str) -> AnswerOptions:
    if column == "{}":
        return _NO_OPTIONS
    try:
        return usable(msgspec.json.decode(column), AnswerOptions)
    except (ValueError, RecursionError) as error:
        log.warning("options of a conversation are unreadable: %s", type(error).__name__)
        return _NO_OPTIONS


def _wishes_of(column: str) -> AskingWishes:
    if column == "{}":
        return NO_WISHES
    try:
        return usable(msgspec.json.decode(column), AskingWishes)
    except (ValueError, RecursionError) as error:
        log.warning("wishes of a conversation are unreadable: %s", type(error).__name__)
        return NO_WISHES


def message_of(row: tuple[Any, ...]) -> ChatMessage:
    """A row of `MESSAGE` as a value; its citations are those that its text really makes."""
    number, conversation, role, text, thinking, state, created_at, model, usage, sources, *rest = row
    searched, relevant, error, provenance, searched_for, attachments = rest
    return ChatMessage(
        id=number,
        conversation_id=conversation,
        role=role,
        text=text,
        thinking=thinking,
        state=MessageState(state),
        created_at=datetime.fromtimestamp(created_at, UTC),
        model=model,
        usage=msgspec.json.decode(usage, type=Usage) if usage else None,
        citations=cited(text, sources_of(sources)),
        searched=searched,
        relevant=relevant,
        error=error,
        provenance=_provenance_of(provenance),
        searched_for=searched_for,
        attachments=msgspec.json.decode(attachments, type=tuple[Attachment, ...]),
    )


def _level_of(column: str) -> PrivacyLevel:
    """A step that only a newer version knows is the nearest one here."""
    return PrivacyLevel(column) if column in tuple(PrivacyLevel) else PrivacyLevel.DEVICE


def _provenance_of(column: str | None) -> Provenance | None:
    if column is None:
        return None
    try:
        return msgspec.json.decode(column, type=Provenance)
    except (ValueError, RecursionError) as error:
        log.warning("the origin of an answer is unreadable: %s", type(error).__name__)
        return None


def sources_of(column: str) -> tuple[Citation, ...]:
    """The column `sources` as values."""
    return msgspec.json.decode(column, type=tuple[Citation, ...])


class MessageChanges(TypedDict, total=False):
    """The parts of a message that can change; those that are not given stay as they are."""

    text: str
    thinking: str
    state: MessageState
    model: str | None
    usage: Usage | None
    sources: Sequence[Citation]
    searched: int | None
    searched_for: str | None
    relevant: int | None
    error: str | None
    provenance: Provenance | None


def columns_of(changes: MessageChanges) -> dict[str, Any]:
    """The given parts of a message as its columns hold them."""
    return {
        name: msgspec.json.encode(value).decode() if name in _ENCODED and value is not None else value
        for name, value in changes.items()
    }
