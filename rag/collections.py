"""The one door to the table of collections; what is in them belongs to `rag/store.py`."""

from __future__ import annotations

import uuid

import apsw

from rag.database import Database, rows
from rag.errors import CollectionExists, CollectionMissing, CollectionNameEmpty
from rag.model import Collection, CollectionColor, Sharing
from rag.text import search_text


class Collections:
    """Names, sharing and colours of collections. Safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Collection]:
        """All collections but the hidden ones, by name."""
        with self._database.read() as connection:
            found = rows(
                connection,
                """SELECT c.id, c.name, count(d.id), coalesce(sum(d.passages), 0), coalesce(sum(d.bytes), 0),
                c.sharing, c.color
                FROM collections c LEFT JOIN documents d ON d.collection_id = c.id
                WHERE NOT c.hidden GROUP BY c.id ORDER BY c.folded_name""",
            )
        return [
            Collection(number, name, documents, passages, size, Sharing(sharing), CollectionColor(color))
            for number, name, documents, passages, size, sharing, color in found
        ]

    def create(self, name: str) -> Collection:
        """See `KnowledgeBase.create_collection`."""
        tidy, folded = _names(name)
        with self._database.write() as connection:
            try:
                connection.execute("INSERT INTO collections(name, folded_name) VALUES (?, ?)", (tidy, folded))
            except apsw.ConstraintError as error:
                raise CollectionExists(tidy) from error
            new = connection.last_insert_rowid()
        return Collection(new, tidy, 0, 0, 0)

    def create_hidden(self) -> int:
        """See `KnowledgeBase.create_hidden_collection`."""
        name = uuid.uuid4().hex
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO collections(name, folded_name, hidden) VALUES (?, ?, 1)", (name, name)
            )
            return connection.last_insert_rowid()

    def hidden(self) -> list[int]:
        """See `KnowledgeBase.hidden_collections`."""
        with self._database.read() as connection:
            return [number for (number,) in rows(connection, "SELECT id FROM collections WHERE hidden")]

    def rename(self, collection_id: int, name: str) -> None:
        """See `KnowledgeBase.rename_collection`."""
        tidy, folded = _names(name)
        with self._database.write() as connection:
            try:
                connection.execute(
                    "UPDATE collections SET name = ?, folded_name = ? WHERE id = ?",
                    (tidy, folded, collection_id),
                )
            except apsw.ConstraintError as error:
                raise CollectionExists(tidy) from error
            _require_changed(connection, collection_id)

    def set_sharing(self, collection_id: int, sharing: Sharing) -> None:
        """See `KnowledgeBase.set_sharing`."""
        with self._database.write() as connection:
            connection.execute("UPDATE collections SET sharing = ? WHERE id = ?", (sharing, collection_id))
            _require_changed(connection, collection_id)

    def set_color(self, collection_id: int, color: CollectionColor) -> None:
        """See `KnowledgeBase.set_color`."""
        with self._database.write() as connection:
            connection.execute("UPDATE collections SET color = ? WHERE id = ?", (color, collection_id))
            _require_changed(connection, collection_id)


def _require_changed(connection: apsw.Connection, collection_id: int) -> None:
    if not connection.changes():
        raise CollectionMissing(str(collection_id))


def _names(name: str) -> tuple[str, str]:
    """As it is shown, and as it is compared."""
    tidy = " ".join(name.split())
    if not tidy:
        raise CollectionNameEmpty
    return tidy, search_text(tidy)
