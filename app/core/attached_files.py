"""The store of the files that go along with questions: the one door to their tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw

from app.core.messages import Attachment
from rag.database import Database, rows


class AttachedFiles:
    """Files that the model gets whole, and the hidden collections in which the longer ones are searched."""

    def __init__(self, database: Database) -> None:
        """In the database of conversations."""
        self._database = database

    def texts(self, conversation_id: int) -> dict[int, tuple[Attachment, ...]]:
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

    def collections_of_this_alone(self, conversation_id: int) -> list[int]:
        """The hidden collections of a conversation that no branch of it searches, too."""
        statement = """SELECT collection_id FROM attached_collections a WHERE conversation_id = ?
            AND NOT EXISTS (SELECT 1 FROM attached_collections b
                WHERE b.collection_id = a.collection_id AND b.conversation_id <> a.conversation_id)"""
        return [number for (number,) in self._rows(statement, conversation_id)]

    def collections(self, conversation_id: int | None = None) -> list[int]:
        """The hidden collections in which files are searched: of this conversation, or of all."""
        if conversation_id is None:
            found = self._rows("SELECT collection_id FROM attached_collections")
        else:
            statement = "SELECT collection_id FROM attached_collections WHERE conversation_id = ?"
            found = self._rows(statement, conversation_id)
        return [number for (number,) in found]

    def _rows(self, statement: str, *values: int) -> list[tuple[Any, ...]]:
        with self._database.read() as connection:
            return rows(connection, statement, values)


def attach(connection: apsw.Connection, message_id: int, files: Sequence[Attachment]) -> None:
    """Keep the files of a question."""
    connection.executemany(
        "INSERT INTO attachments(message_id, name, bytes, document_id, tokens, text)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [(message_id, file.name, file.bytes, file.document_id, file.tokens, file.text) for file in files],
    )


def attach_collection(connection: apsw.Connection, conversation_id: int, collection_id: int) -> None:
    """Let a conversation search a hidden collection."""
    connection.execute("INSERT INTO attached_collections VALUES (?, ?)", (conversation_id, collection_id))
