"""The passages of a document that can be found."""

from __future__ import annotations

import apsw

from rag.database import rows
from rag.vectors.stored import StoredVectors


def withdraw(connection: apsw.Connection, vectors: StoredVectors, document_id: int) -> None:
    """Remove the passages of a document with their words and vectors, within the caller's transaction."""
    statement = "SELECT id FROM passages WHERE document_id = ?"
    ids = [number for (number,) in rows(connection, statement, (document_id,))]
    if not ids:
        return
    connection.executemany("DELETE FROM passage_words WHERE rowid = ?", ((number,) for number in ids))
    vectors.remove(connection, ids)
    connection.execute("DELETE FROM passages WHERE document_id = ?", (document_id,))
