"""The store of conversations: the one door to their tables."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from app.core.citations import cited
from app.core.errors import ConversationMissing
from app.core.messages import ChatMessage, Citation, Conversation, MessageState
from engines.protocol import Usage
from rag.database import open_database
from rag.text import index_text, match_expression

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
)

_COLUMNS = (
    "id, conversation_id, role, text, thinking, state, created_at, model, usage, sources, searched,"
    " relevant, error"
)
_PREVIEW_CHARACTERS = 120
_TITLE_CHARACTERS = 60


class Conversations:
    """Conversations and their messages. Every change is committed before the call returns."""

    def __init__(self, path: Path) -> None:
        """Open the store; see `recover`."""
        self._database = open_database(path, MIGRATIONS)
        self._lock = threading.RLock()

    def recover(self) -> None:
        """Mark what a kill left half-written as interrupted; only where nobody else writes."""
        self._change(
            "UPDATE messages SET state = ? WHERE state = ?",
            (MessageState.INTERRUPTED, MessageState.STREAMING),
        )

    def list(self, query: str = "") -> list[Conversation]:
        """The latest first; with a query, those whose title or messages match it."""
        where: str = ""
        values: tuple[str, ...] = ()
        if query.strip():
            words = match_expression(query)
            pattern = "%" + _escape_like(query.strip()) + "%"
            where = r"WHERE c.title LIKE ? ESCAPE '\'"
            values = (pattern,)
            if words:
                where += """ OR c.id IN (SELECT m.conversation_id FROM message_words w
                    JOIN messages m ON m.id = w.rowid WHERE message_words MATCH ?)"""
                values = (pattern, words)
        return self._select(where, values)

    def get(self, conversation_id: int) -> Conversation:
        """One conversation.

        Raises:
            ConversationMissing: it was deleted.
        """
        for conversation in self._select("WHERE c.id = ?", (conversation_id,)):
            return conversation
        raise ConversationMissing(conversation_id)

    def create(self, collection_ids: Sequence[int] = ()) -> Conversation:
        """A new, empty conversation."""
        now = datetime.now(UTC).timestamp()
        with self._lock, self._database:
            self._database.execute(
                "INSERT INTO conversations(title, created_at, updated_at) VALUES ('', ?, ?)", (now, now)
            )
            new = self._database.last_insert_rowid()
            self._set_collections(new, collection_ids)
        return self.get(new)

    def rename(self, conversation_id: int, title: str) -> None:
        """Give it another title; white space is tidied."""
        self._change(
            "UPDATE conversations SET title = ? WHERE id = ?", (" ".join(title.split()), conversation_id)
        )

    def delete(self, conversation_id: int) -> None:
        """Delete it with all its messages."""
        with self._lock, self._database:
            self._database.execute(
                "DELETE FROM message_words WHERE rowid IN"
                " (SELECT id FROM messages WHERE conversation_id = ?)",
                (conversation_id,),
            )
            self._database.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    def set_collections(self, conversation_id: int, collection_ids: Sequence[int]) -> None:
        """Choose the collections that its questions ask."""
        with self._lock, self._database:
            self._set_collections(conversation_id, collection_ids)

    def messages(self, conversation_id: int) -> builtins.list[ChatMessage]:
        """All its messages, the oldest first."""
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM messages WHERE conversation_id = ? ORDER BY id", (conversation_id,)
        )
        return [_message(row) for row in rows]

    def message(self, message_id: int) -> ChatMessage:
        """One message.

        Raises:
            ConversationMissing: it was deleted.
        """
        for row in self._rows(f"SELECT {_COLUMNS} FROM messages WHERE id = ?", (message_id,)):
            return _message(row)
        raise ConversationMissing(message_id)

    def sources(self, message_id: int) -> tuple[Citation, ...]:
        """All passages that this answer's prompt held, cited or not."""
        for (sources,) in self._rows("SELECT sources FROM messages WHERE id = ?", (message_id,)):
            return msgspec.json.decode(sources, type=tuple[Citation, ...])
        raise ConversationMissing(message_id)

    def add(
        self,
        conversation_id: int,
        role: Literal["user", "assistant"],
        text: str = "",
        state: MessageState = MessageState.COMPLETE,
        model: str | None = None,
    ) -> ChatMessage:
        """Append a message; the first question becomes the conversation's title.

        Raises:
            ConversationMissing: the conversation was deleted.
        """
        now = datetime.now(UTC).timestamp()
        with self._lock, self._database:
            known = self._rows("SELECT title FROM conversations WHERE id = ?", (conversation_id,))
            if not known:
                raise ConversationMissing(conversation_id)
            self._database.execute(
                """INSERT INTO messages(conversation_id, role, text, state, created_at, model)
                VALUES (?, ?, ?, ?, ?, ?)""",
                (conversation_id, role, text, state, now, model),
            )
            new = self._database.last_insert_rowid()
            self._index(new, text)
            self._database.execute(
                "UPDATE conversations SET updated_at = ?, title = ? WHERE id = ?",
                (now, known[0][0] or (title_of(text) if role == "user" else ""), conversation_id),
            )
        return self.message(new)

    def write(
        self,
        message_id: int,
        *,
        text: str | None = None,
        thinking: str | None = None,
        state: MessageState | None = None,
        model: str | None = None,
        usage: Usage | None = None,
        sources: Sequence[Citation] | None = None,
        searched: int | None = None,
        relevant: int | None = None,
        error: str | None = None,
    ) -> None:
        """Change the given parts of a message. A message deleted meanwhile stays deleted."""
        values: dict[str, Any] = {
            "text": text,
            "thinking": thinking,
            "state": state,
            "model": model,
            "usage": usage and msgspec.json.encode(usage).decode(),
            "sources": sources if sources is None else msgspec.json.encode(sources).decode(),
            "searched": searched,
            "relevant": relevant,
            "error": error,
        }
        given = {name: value for name, value in values.items() if value is not None}
        if state is not None and error is None:
            given["error"] = None
        assignments = ", ".join(f"{name} = ?" for name in given)
        with self._lock, self._database:
            self._database.execute(
                f"UPDATE messages SET {assignments} WHERE id = ?", (*given.values(), message_id)
            )
            if state is not MessageState.STREAMING and state is not None:
                for (whole,) in self._rows("SELECT text FROM messages WHERE id = ?", (message_id,)):
                    self._index(message_id, whole)

    def delete_message(self, message_id: int) -> None:
        """Delete one message."""
        with self._lock, self._database:
            self._database.execute("DELETE FROM message_words WHERE rowid = ?", (message_id,))
            self._database.execute("DELETE FROM messages WHERE id = ?", (message_id,))

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    def _select(self, where: str, values: tuple[Any, ...]) -> builtins.list[Conversation]:
        rows = self._rows(
            f"""SELECT c.id, c.title, c.created_at, c.updated_at,
                (SELECT group_concat(collection_id) FROM conversation_collections
                    WHERE conversation_id = c.id),
                (SELECT substr(text, 1, {_PREVIEW_CHARACTERS}) FROM messages
                    WHERE conversation_id = c.id AND text <> '' ORDER BY id DESC LIMIT 1)
            FROM conversations c {where} ORDER BY c.updated_at DESC, c.id DESC""",
            values,
        )
        return [_conversation(row) for row in rows]

    def _set_collections(self, conversation_id: int, collection_ids: Sequence[int]) -> None:
        self._database.execute(
            "DELETE FROM conversation_collections WHERE conversation_id = ?", (conversation_id,)
        )
        self._database.executemany(
            "INSERT OR IGNORE INTO conversation_collections VALUES (?, ?)",
            [(conversation_id, collection_id) for collection_id in collection_ids],
        )

    def _index(self, message_id: int, text: str) -> None:
        self._database.execute("DELETE FROM message_words WHERE rowid = ?", (message_id,))
        self._database.execute(
            "INSERT INTO message_words(rowid, words) VALUES (?, ?)", (message_id, index_text(text))
        )

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> builtins.list[tuple[Any, ...]]:
        with self._lock:
            return list(self._database.execute(sql, values))

    def _change(self, sql: str, values: tuple[Any, ...]) -> None:
        with self._lock, self._database:
            self._database.execute(sql, values)


def title_of(question: str) -> str:
    """The first line of a question, cut at a word; the list of conversations shows it."""
    line = " ".join(next(iter(question.strip().splitlines()), "").split())
    if len(line) <= _TITLE_CHARACTERS:
        return line
    return line[:_TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:،؛") + "…"


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _conversation(row: tuple[Any, ...]) -> Conversation:
    number, title, created_at, updated_at, collections, preview = row
    return Conversation(
        id=number,
        title=title,
        created_at=datetime.fromtimestamp(created_at, UTC),
        updated_at=datetime.fromtimestamp(updated_at, UTC),
        collection_ids=tuple(sorted(int(part) for part in (collections or "").split(",") if part)),
        preview=" ".join((preview or "").split()),
    )


def _message(row: tuple[Any, ...]) -> ChatMessage:
    number, conversation, role, text, thinking, state, created_at, model, usage, sources, *rest = row
    searched, relevant, error = rest
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
        citations=cited(text, msgspec.json.decode(sources, type=tuple[Citation, ...])),
        searched=searched,
        relevant=relevant,
        error=error,
    )
