"""Rows of messages: written, and found again by their words."""

from __future__ import annotations

from datetime import UTC, datetime

import apsw

from app.core.errors import ConversationMissing
from app.core.messages import MessageState, title_of
from engines.protocol import Role
from rag.database import rows
from rag.text import index_text


def now() -> float:
    """This moment, as the tables hold it."""
    return datetime.now(UTC).timestamp()


def append(
    connection: apsw.Connection, conversation_id: int, role: Role, text: str, state: MessageState
) -> int:
    """Append a message and return its number; the first question gives the conversation its title.

    Raises:
        ConversationMissing: the conversation was deleted.
    """
    moment = now()
    known = rows(connection, "SELECT title FROM conversations WHERE id = ?", (conversation_id,))
    if not known:
        raise ConversationMissing(conversation_id)
    connection.execute(
        "INSERT INTO messages(conversation_id, role, text, state, created_at) VALUES (?, ?, ?, ?, ?)",
        (conversation_id, role, text, state, moment),
    )
    new = connection.last_insert_rowid()
    index(connection, new, text)
    title = known[0][0] or (title_of(text) if role == "user" else "")
    connection.execute(
        "UPDATE conversations SET updated_at = ?, title = ? WHERE id = ?", (moment, title, conversation_id)
    )
    return new


def index(connection: apsw.Connection, message_id: int, text: str) -> None:
    """Let a message be found by the words of this text."""
    connection.execute("DELETE FROM message_words WHERE rowid = ?", (message_id,))
    connection.execute(
        "INSERT INTO message_words(rowid, words) VALUES (?, ?)", (message_id, index_text(text))
    )
