"""The store of conversations: the one door to their tables."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Unpack

import apsw
import msgspec

from app.core import message_rows
from app.core.asking_wishes import NO_WISHES, AskingWishes
from app.core.attached_files import AttachedFiles, attach, attach_collection
from app.core.branches import copy_turns
from app.core.conversation_schema import (
    CONVERSATION,
    MESSAGE,
    MIGRATIONS,
    MessageChanges,
    columns_of,
    conversation_of,
    message_of,
    sources_of,
)
from app.core.errors import ConversationMissing
from app.core.messages import Attachment, ChatMessage, Citation, Conversation, MessageState
from app.core.model_options import AnswerOptions
from app.core.provenance import PrivacyLevel
from rag.database import Database, rows
from rag.text import match_expression

_DAY = 86_400.0
_NO_OPTIONS = AnswerOptions()


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
        self.attached = AttachedFiles(self._database)
        """The files that go along with their questions."""

    def recover(self) -> None:
        """Mark what a kill left half-written as interrupted; only where nobody else writes.

        A conversation in which nothing was asked was left by a kill, too: while the user was asked what may
        leave the device. Another window may show such a question at the moment, so it has to be of yesterday.
        """
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM conversations WHERE updated_at < ?"
                " AND id NOT IN (SELECT conversation_id FROM messages)",
                (message_rows.now() - _DAY,),
            )
            for number, text in rows(
                connection, "SELECT id, text FROM messages WHERE state = ?", (MessageState.STREAMING,)
            ):
                connection.execute(
                    "UPDATE messages SET state = ? WHERE id = ?", (MessageState.INTERRUPTED, number)
                )
                message_rows.index(connection, number, text)

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
        wishes: AskingWishes = NO_WISHES,
        document_ids: Sequence[int] = (),
    ) -> Conversation:
        """A new, empty conversation that asks these collections, and these documents beside them."""
        now = message_rows.now()
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO conversations(title, created_at, updated_at, options, level, wishes)"
                " VALUES ('', ?, ?, ?, ?, ?)",
                (now, now, _encoded(options), level, _encoded(wishes)),
            )
            new = connection.last_insert_rowid()
            _choose(connection, new, collection_ids, document_ids)
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

    def set_collections(
        self, conversation_id: int, collection_ids: Sequence[int], document_ids: Sequence[int] = ()
    ) -> None:
        """Choose the collections that its questions ask, and single documents beside them.

        What was agreed to about other devices ends where more is asked than before.

        Raises:
            ConversationMissing: it was deleted.
        """
        with self._database.write() as connection:
            if not rows(connection, "SELECT 1 FROM conversations WHERE id = ?", (conversation_id,)):
                raise ConversationMissing(conversation_id)
            before = _chosen(connection, conversation_id)
            _choose(connection, conversation_id, collection_ids, document_ids)
            if not _chosen(connection, conversation_id) <= before:
                connection.execute(
                    "UPDATE conversations SET consent = ? WHERE id = ?",
                    (PrivacyLevel.DEVICE, conversation_id),
                )

    def set_options(self, conversation_id: int, options: AnswerOptions) -> None:
        """Choose how its answers are written. Raises ConversationMissing."""
        self._set(conversation_id, "options", _encoded(options))

    def set_wishes(self, conversation_id: int, wishes: AskingWishes) -> None:
        """Choose what is wished of the other devices that it asks. Raises ConversationMissing."""
        self._set(conversation_id, "wishes", _encoded(wishes))

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
        self._set(conversation_id, "consent", consent)

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
            new = message_rows.append(connection, conversation_id, role, text, state)
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
            question = message_rows.append(connection, conversation_id, "user", text, MessageState.COMPLETE)
            attach(connection, question, attachments)
            if attached_collection is not None:
                attach_collection(connection, conversation_id, attached_collection)
            answer = message_rows.append(connection, conversation_id, "assistant", "", MessageState.STREAMING)
        return self.message(question), self.message(answer)

    def branch(self, conversation_id: int, before: int) -> Conversation:
        """A copy of a conversation up to the message `before`, from which it can go on in another way.

        What was agreed to for the one is not agreed to for the other.

        Raises:
            ConversationMissing: it was deleted.
        """
        now = message_rows.now()
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO conversations(title, created_at, updated_at, options, level, wishes)"
                " SELECT title, ?, ?, options, level, wishes FROM conversations WHERE id = ?",
                (now, now, conversation_id),
            )
            if not connection.changes():
                raise ConversationMissing(conversation_id)
            new = connection.last_insert_rowid()
            copy_turns(connection, conversation_id, new, before)
        return self.get(new)

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
                    message_rows.index(connection, message_id, whole)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _set(self, conversation_id: int, column: Literal["options", "wishes", "consent"], value: str) -> None:
        with self._database.write() as connection:
            connection.execute(
                f"UPDATE conversations SET {column} = ? WHERE id = ?", (value, conversation_id)
            )
            if not connection.changes():
                raise ConversationMissing(conversation_id)

    def _select(self, where: str, *values: Any) -> builtins.list[Conversation]:
        statement = (
            f"SELECT {CONVERSATION} FROM conversations c {where} ORDER BY c.updated_at DESC, c.id DESC"
        )
        return [conversation_of(row) for row in self._rows(statement, *values)]

    def _rows(self, statement: str, *values: Any) -> builtins.list[tuple[Any, ...]]:
        with self._database.read() as connection:
            return rows(connection, statement, values)


def _chosen(connection: apsw.Connection, conversation_id: int) -> set[tuple[str, int]]:
    statement = """SELECT 'collection', collection_id FROM conversation_collections WHERE conversation_id = ?1
        UNION ALL SELECT 'document', document_id FROM conversation_documents WHERE conversation_id = ?1"""
    return {(kind, number) for kind, number in rows(connection, statement, (conversation_id,))}


def _choose(
    connection: apsw.Connection,
    conversation_id: int,
    collection_ids: Sequence[int],
    document_ids: Sequence[int],
) -> None:
    for table, chosen in (
        ("conversation_collections", collection_ids),
        ("conversation_documents", document_ids),
    ):
        connection.execute(f"DELETE FROM {table} WHERE conversation_id = ?", (conversation_id,))
        connection.executemany(
            f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", [(conversation_id, number) for number in chosen]
        )


def _encoded(chosen: AnswerOptions | AskingWishes) -> str:
    return msgspec.json.encode(chosen).decode()


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
