"""What a branch takes along from the conversation that it comes from."""

from __future__ import annotations

import apsw

from app.core import message_rows
from app.core.conversation_schema import COPIED
from app.core.messages import MessageState
from rag.database import rows


def copy_turns(connection: apsw.Connection, conversation_id: int, branch_id: int, before: int) -> None:
    """Copy what a conversation asks, and its messages up to the message `before`, into a branch."""
    for table, column in (
        ("conversation_collections", "collection_id"),
        ("conversation_documents", "document_id"),
        ("attached_collections", "collection_id"),
    ):
        connection.execute(
            f"INSERT INTO {table} SELECT ?, {column} FROM {table} WHERE conversation_id = ?",
            (branch_id, conversation_id),
        )
    for number, text in rows(
        connection,
        "SELECT id, text FROM messages WHERE conversation_id = ? AND id < ? ORDER BY id",
        (conversation_id, before),
    ):
        _copy(connection, number, branch_id, text)


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
    message_rows.index(connection, new, text)
