"""The store of conversations: the one door to their tables."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

import apsw
import msgspec

from app.core.conversation_schema import (
    CONVERSATION,
    COPIED,
    MESSAGE,
    MIGRATIONS,
    columns_of,
    conversation_of,
    message_of,
    sources_of,
)
from app.core.errors import ConversationMissing
from app.core.messages import Attachment, ChatMessage, Citation, Conversation, MessageState, title_of
from app.core.model_options import AnswerOptions
from app.core.provenance import PrivacyLevel, Provenance
from engines.protocol import Role, Usage
from rag.database import Database, rows
from rag.text import index_text, match_expression

_NO_OPTIONS = AnswerOptions()


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


class Conversations:
    """Conversations and their messages. Thread-safe; every change is committed before the call returns.

    Beside what each method names, all raise `DatabaseDamaged` where the file is damaged, and
    `OSError` where the device is full (ENOSPC) or refuses to write.
    """

    def __init__(self, path: Path) -> None:
        """Open the store; see `recover`.

        Raises:
            DatabaseTooNew: a newer version of the app has written it.
        """
        self._database = Database(path, MIGRATIONS)

    def recover(self) -> None:
        """Mark what a kill left half-written as interrupted; only where nobody else writes."""
        with self._database.write() as connection:
            for number, text in rows(
                connection, "SELECT id, text FROM messages WHERE state = ?", (MessageState.STREAMING,)
            ):
                connection.execute(
                    "UPDATE messages SET state = ? WHERE id = ?", (MessageState.INTERRUPTED, number)
                )
                _index(connection, number, text)

    def list(self, query: str = "") -> list[Conversation]:
        """The latest first; with a query, those whose title or messages match it."""
        if not query.strip():
            return self._select("")
        pattern = "%" + _escape_like(query.strip()) + "%"
        where, words = r"c.title LIKE ? ESCAPE '\'", match_expression(query)
        if not words:
            return self._select(f"WHERE {where}", pattern)
        said = """c.id IN (SELECT m.conversation_id FROM message_words w
            JOIN messages m ON m.id = w.rowid WHERE message_words MATCH ?)"""
        return self._select(f"WHERE {where} OR {said}", pattern, words)

    def get(self, conversation_id: int) -> Conversation:
        """One conversation.

        Raises:
            ConversationMissing: it was deleted.
        """
        for conversation in self._select("WHERE c.id = ?", conversation_id):
            return conversation
        raise ConversationMissing(conversation_id)

    def create(
        self,
        collection_ids: Sequence[int] = (),
        options: AnswerOptions = _NO_OPTIONS,
        level: PrivacyLevel = PrivacyLevel.DEVICE,
    ) -> Conversation:
        """A new, empty conversation."""
        now = _now()
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO conversations(title, created_at, updated_at, options, level)"
                " VALUES ('', ?, ?, ?, ?)",
                (now, now, _encoded(options), level),
            )
            new = connection.last_insert_rowid()
            _choose_collections(connection, new, collection_ids)
        return self.get(new)

    def rename(self, conversation_id: int, title: str) -> None:
        """Give it another title; white space is tidied."""
        tidy = " ".join(title.split())
        with self._database.write() as connection:
            connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (tidy, conversation_id))

    def delete(self, conversation_id: int) -> None:
        """Delete it with all its messages."""
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM message_words WHERE rowid IN"
                " (SELECT id FROM messages WHERE conversation_id = ?)",
                (conversation_id,),
            )
            connection.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    def set_collections(self, conversation_id: int, collection_ids: Sequence[int]) -> None:
        """Choose the collections that its questions ask.

        Raises:
            ConversationMissing: it was deleted.
        """
        with self._database.write() as connection:
            if not rows(connection, "SELECT 1 FROM conversations WHERE id = ?", (conversation_id,)):
                raise ConversationMissing(conversation_id)
            before = rows(
                connection,
                "SELECT collection_id FROM conversation_collections WHERE conversation_id = ?",
                (conversation_id,),
            )
            _choose_collections(connection, conversation_id, collection_ids)
            if not set(collection_ids) <= {number for (number,) in before}:
                connection.execute(
                    "UPDATE conversations SET consent = ? WHERE id = ?",
                    (PrivacyLevel.DEVICE, conversation_id),
                )

    def set_options(self, conversation_id: int, options: AnswerOptions) -> None:
        """Choose how its answers are written.

        Raises:
            ConversationMissing: it was deleted.
        """
        with self._database.write() as connection:
            connection.execute(
                "UPDATE conversations SET options = ? WHERE id = ?", (_encoded(options), conversation_id)
            )
            if not connection.changes():
                raise ConversationMissing(conversation_id)

    def set_level(self, conversation_id: int, level: PrivacyLevel) -> None:
        """Choose how far its questions may travel; consent that was given for farther ends.

        Raises:
            ConversationMissing: it was deleted.
        """
        with self._database.write() as connection:
            known = rows(connection, "SELECT consent FROM conversations WHERE id = ?", (conversation_id,))
            if not known:
                raise ConversationMissing(conversation_id)
            consent = min(PrivacyLevel(known[0][0]), level, key=lambda one: one.rank)
            connection.execute(
                "UPDATE conversations SET level = ?, consent = ? WHERE id = ?",
                (level, consent, conversation_id),
            )

    def set_consent(self, conversation_id: int, consent: PrivacyLevel) -> None:
        """The user does not want to be shown again what leaves for this level or a nearer one.

        Raises:
            ValueError: the public is asked with a look each time.
            ConversationMissing: it was deleted.
        """
        if consent is PrivacyLevel.PUBLIC:
            raise ValueError("consent for the public is given for each question")
        with self._database.write() as connection:
            connection.execute(
                "UPDATE conversations SET consent = ? WHERE id = ?", (consent, conversation_id)
            )
            if not connection.changes():
                raise ConversationMissing(conversation_id)

    def messages(self, conversation_id: int, last: int = -1) -> builtins.list[ChatMessage]:
        """All its messages, or that many of the last ones; the oldest first."""
        statement = f"SELECT {MESSAGE} FROM messages WHERE conversation_id = ? ORDER BY id DESC LIMIT ?"
        return [message_of(row) for row in reversed(self._rows(statement, conversation_id, last))]

    def message(self, message_id: int) -> ChatMessage:
        """One message.

        Raises:
            ConversationMissing: it was deleted.
        """
        for row in self._rows(f"SELECT {MESSAGE} FROM messages WHERE id = ?", message_id):
            return message_of(row)
        raise ConversationMissing(message_id)

    def sources(self, message_id: int) -> tuple[Citation, ...]:
        """All passages that this answer's prompt held, cited or not.

        Raises:
            ConversationMissing: it was deleted.
        """
        for (sources,) in self._rows("SELECT sources FROM messages WHERE id = ?", message_id):
            return sources_of(sources)
        raise ConversationMissing(message_id)

    def add(
        self,
        conversation_id: int,
        role: Literal["user", "assistant"],
        text: str = "",
        state: MessageState = MessageState.COMPLETE,
    ) -> ChatMessage:
        """Append a message; the first question becomes the conversation's title.

        Raises:
            ConversationMissing: the conversation was deleted.
        """
        with self._database.write() as connection:
            new = _append(connection, conversation_id, role, text, state)
        return self.message(new)

    def add_question(
        self,
        conversation_id: int,
        text: str,
        attachments: Sequence[Attachment] = (),
        attached_collection: int | None = None,
    ) -> tuple[ChatMessage, ChatMessage]:
        """Append a question with its files and the empty answer to it, or, where that fails, nothing.

        `attached_collection` is the hidden collection in which files among them are searched.

        Raises:
            ConversationMissing: the conversation was deleted.
        """
        with self._database.write() as connection:
            question = _append(connection, conversation_id, "user", text, MessageState.COMPLETE)
            connection.executemany(
                "INSERT INTO attachments(message_id, name, bytes, document_id, tokens, text)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (question, file.name, file.bytes, file.document_id, file.tokens, file.text)
                    for file in attachments
                ],
            )
            if attached_collection is not None:
                connection.execute(
                    "INSERT INTO attached_collections VALUES (?, ?)", (conversation_id, attached_collection)
                )
            answer = _append(connection, conversation_id, "assistant", "", MessageState.STREAMING)
        return self.message(question), self.message(answer)

    def attached_texts(self, conversation_id: int) -> dict[int, tuple[Attachment, ...]]:
        """The files that the model gets whole, with their texts, by the message they came with."""
        found: dict[int, tuple[Attachment, ...]] = {}
        for message, *file in self._rows(
            """SELECT a.message_id, a.name, a.bytes, a.document_id, a.tokens, a.text FROM attachments a
            JOIN messages m ON m.id = a.message_id
            WHERE m.conversation_id = ? AND a.document_id IS NULL ORDER BY a.id""",
            conversation_id,
        ):
            found[message] = (*found.get(message, ()), Attachment(*file))
        return found

    def branch(self, conversation_id: int, before: int) -> Conversation:
        """A copy of a conversation up to the message `before`, from which it can go on in another way.

        What was agreed to for the one is not agreed to for the other.

        Raises:
            ConversationMissing: it was deleted.
        """
        now = _now()
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO conversations(title, created_at, updated_at, options, level)"
                " SELECT title, ?, ?, options, level FROM conversations WHERE id = ?",
                (now, now, conversation_id),
            )
            if not connection.changes():
                raise ConversationMissing(conversation_id)
            new = connection.last_insert_rowid()
            for table in ("conversation_collections", "attached_collections"):
                connection.execute(
                    f"INSERT INTO {table} SELECT ?, collection_id FROM {table} WHERE conversation_id = ?",
                    (new, conversation_id),
                )
            for number, text in rows(
                connection,
                "SELECT id, text FROM messages WHERE conversation_id = ? AND id < ? ORDER BY id",
                (conversation_id, before),
            ):
                _copy(connection, number, new, text)
        return self.get(new)

    def attached_to_this_alone(self, conversation_id: int) -> builtins.list[int]:
        """The hidden collections that no branch of it searches, too."""
        statement = """SELECT collection_id FROM attached_collections a WHERE conversation_id = ?
            AND NOT EXISTS (SELECT 1 FROM attached_collections b
                WHERE b.collection_id = a.collection_id AND b.conversation_id <> a.conversation_id)"""
        return [number for (number,) in self._rows(statement, conversation_id)]

    def attached_collections(self, conversation_id: int | None = None) -> builtins.list[int]:
        """The hidden collections in which its files are searched; without a conversation, those of all."""
        if conversation_id is None:
            found = self._rows("SELECT collection_id FROM attached_collections")
        else:
            statement = "SELECT collection_id FROM attached_collections WHERE conversation_id = ?"
            found = self._rows(statement, conversation_id)
        return [number for (number,) in found]

    def write(self, message_id: int, **changes: Unpack[MessageChanges]) -> None:
        """Change the given parts of a message. A message deleted meanwhile stays deleted."""
        columns = columns_of(changes)
        assignments = ", ".join(f"{name} = ?" for name in columns)
        with self._database.write() as connection:
            connection.execute(
                f"UPDATE messages SET {assignments} WHERE id = ?", (*columns.values(), message_id)
            )
            if changes.get("state", MessageState.STREAMING) is not MessageState.STREAMING:
                for (whole,) in rows(connection, "SELECT text FROM messages WHERE id = ?", (message_id,)):
                    _index(connection, message_id, whole)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _select(self, where: str, *values: Any) -> builtins.list[Conversation]:
        statement = (
            f"SELECT {CONVERSATION} FROM conversations c {where} ORDER BY c.updated_at DESC, c.id DESC"
        )
        return [conversation_of(row) for row in self._rows(statement, *values)]

    def _rows(self, statement: str, *values: Any) -> builtins.list[tuple[Any, ...]]:
        with self._database.read() as connection:
            return rows(connection, statement, values)


def _append(
    connection: apsw.Connection, conversation_id: int, role: Role, text: str, state: MessageState
) -> int:
    now = _now()
    known = rows(connection, "SELECT title FROM conversations WHERE id = ?", (conversation_id,))
    if not known:
        raise ConversationMissing(conversation_id)
    connection.execute(
        "INSERT INTO messages(conversation_id, role, text, state, created_at) VALUES (?, ?, ?, ?, ?)",
        (conversation_id, role, text, state, now),
    )
    new = connection.last_insert_rowid()
    _index(connection, new, text)
    title = known[0][0] or (title_of(text) if role == "user" else "")
    connection.execute(
        "UPDATE conversations SET updated_at = ?, title = ? WHERE id = ?", (now, title, conversation_id)
    )
    return new


def _copy(connection: apsw.Connection, message_id: int, conversation_id: int, text: str) -> None:
    """Copy a message with its files into a branch; one that is still being written ends there."""
    connection.execute(
        f"INSERT INTO messages(conversation_id, state, {COPIED})"
        f" SELECT ?, CASE state WHEN ? THEN ? ELSE state END, {COPIED} FROM messages WHERE id = ?",
        (conversation_id, MessageState.STREAMING, MessageState.INTERRUPTED, message_id),
    )
    new = connection.last_insert_rowid()
    connection.execute(
        "INSERT INTO attachments(message_id, name, bytes, document_id, tokens, text)"
        " SELECT ?, name, bytes, document_id, tokens, text FROM attachments WHERE message_id = ? ORDER BY id",
        (new, message_id),
    )
    _index(connection, new, text)


def _choose_collections(
    connection: apsw.Connection, conversation_id: int, collection_ids: Sequence[int]
) -> None:
    connection.execute("DELETE FROM conversation_collections WHERE conversation_id = ?", (conversation_id,))
    connection.executemany(
        "INSERT OR IGNORE INTO conversation_collections VALUES (?, ?)",
        [(conversation_id, collection_id) for collection_id in collection_ids],
    )


def _index(connection: apsw.Connection, message_id: int, text: str) -> None:
    connection.execute("DELETE FROM message_words WHERE rowid = ?", (message_id,))
    connection.execute(
        "INSERT INTO message_words(rowid, words) VALUES (?, ?)", (message_id, index_text(text))
    )


def _encoded(options: AnswerOptions) -> str:
    return msgspec.json.encode(options).decode()


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _now() -> float:
    return datetime.now(UTC).timestamp()
