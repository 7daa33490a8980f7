"""The one door to documents and passages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw

from rag.database import Database, rows
from rag.errors import (
    CollectionMissing,
    DocumentDeleted,
    DocumentThereAlready,
    PassageMissing,
)
from rag.fingerprint import fingerprint
from rag.model import Document, DocumentState, Passage
from rag.published import withdraw
from rag.vectors.stored import StoredVectors

_DOCUMENT = (
    "id, collection_id, title, source, state, bytes, passages, pages, error, added_at, address, fetched_at"
)
_FETCHED = "fetched_at = CASE WHEN address IS NULL THEN NULL ELSE ? END"
_PASSAGE = "p.id, p.document_id, d.title, p.position, p.text, p.page, p.heading, d.address"
_FROM_PASSAGES = "FROM passages p JOIN documents d ON d.id = p.document_id"


class Store:
    """Documents and passages. Safe to use from many threads."""

    def __init__(self, database: Database, vectors: StoredVectors) -> None:
        self._database = database
        self._vectors = vectors

    def delete_collection(self, collection_id: int) -> None:
        """Delete a collection with its documents; their files stay, uploads of ours do not."""
        with self._database.write() as connection:
            documents = rows(connection, "SELECT id FROM documents WHERE collection_id = ?", (collection_id,))
            uploads = [self._delete_document(connection, document_id) for (document_id,) in documents]
            connection.execute("DELETE FROM collections WHERE id = ?", (collection_id,))
            self._vectors.index.compact(connection)
        self._database.release_space()
        for upload in uploads:
            _discard(upload)

    def documents(self, collection_id: int) -> list[Document]:
        """The documents of a collection, in the order they were added."""
        return self._documents("WHERE collection_id = ? ORDER BY id", (collection_id,))

    def document(self, document_id: int) -> Document:
        """One document.

        Raises:
            DocumentDeleted: there is no such document any more.
        """
        for document in self._documents("WHERE id = ?", (document_id,)):
            return document
        raise DocumentDeleted(str(document_id))

    def add_document(
        self, collection_id: int, path: Path, name: str, *, owned: bool, address: str | None = None
    ) -> Document:
        """Queue a file; one with the same content in the same collection is not added twice."""
        now = datetime.now(UTC).timestamp()
        content_hash, size = fingerprint(path)
        with self._database.write() as connection:
            if not rows(connection, "SELECT 1 FROM collections WHERE id = ?", (collection_id,)):
                raise CollectionMissing(str(collection_id))
            same = rows(
                connection,
                "SELECT id FROM documents WHERE collection_id = ? AND content_hash = ?",
                (collection_id, content_hash),
            )
            needless: Path | None = None
            if same:
                document_id = same[0][0]
                needless = _requeue(connection, document_id, path, name, owned=owned)
            else:
                connection.execute(
                    """INSERT INTO documents(collection_id, title, source, owned, content_hash, bytes, state,
                    added_at, address, fetched_at) VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?)""",
                    (
                        collection_id,
                        name,
                        str(path),
                        owned,
                        content_hash,
                        size,
                        now,
                        address,
                        now if address else None,
                    ),
                )
                document_id = connection.last_insert_rowid()
        _discard(needless)
        return self.document(document_id)

    def replace_document(self, document_id: int, path: Path, name: str, *, owned: bool = True) -> Document:
        """See `KnowledgeBase.replace`; `owned` tells whether `path` is a file of ours."""
        content_hash, _ = fingerprint(path)
        now = datetime.now(UTC).timestamp()
        with self._database.write() as connection:
            found = rows(
                connection,
                "SELECT state, source, owned, content_hash FROM documents WHERE id = ?",
                (document_id,),
            )
            if not found:
                raise DocumentDeleted(str(document_id))
            state, source, was_owned, known_hash = found[0]
            if state == DocumentState.READY and content_hash == known_hash:
                needless = path if owned else None
                statement = f"UPDATE documents SET title = ?, {_FETCHED} WHERE id = ?"
                connection.execute(statement, (name, now, document_id))
            else:
                needless = Path(source) if was_owned and Path(source) != path else None
                connection.execute(
                    f"""UPDATE documents SET state = 'queued', error = NULL, staged = NULL, title = ?,
                    source = ?, owned = ?, {_FETCHED} WHERE id = ?""",
                    (name, str(path), owned, now, document_id),
                )
        _discard(needless)
        return self.document(document_id)

    def rename_document(self, document_id: int, before: Path, after: Path) -> None:
        """The file of a document has another name or place; nothing where it was read from another one."""
        with self._database.write() as connection:
            connection.execute(
                """UPDATE documents SET source = ?, title = CASE WHEN title = ? THEN ? ELSE title END
                WHERE id = ? AND source = ?""",
                (str(after), before.name, after.name, document_id, str(before)),
            )

    def move_document(self, document_id: int, collection_id: int) -> None:
        """See `KnowledgeBase.move_document`."""
        with self._database.write() as connection:
            statement = "SELECT title, collection_id, content_hash FROM documents WHERE id = ?"
            found = rows(connection, statement, (document_id,))
            if not found:
                raise DocumentDeleted(str(document_id))
            [(title, before, content_hash)] = found
            names = rows(connection, "SELECT name FROM collections WHERE id = ?", (collection_id,))
            if not names:
                raise CollectionMissing(str(collection_id))
            if before == collection_id:
                return
            same = "SELECT 1 FROM documents WHERE collection_id = ? AND content_hash = ?"
            if rows(connection, same, (collection_id, content_hash)):
                raise DocumentThereAlready(title, names[0][0])
            connection.execute(
                "UPDATE documents SET collection_id = ? WHERE id = ?", (collection_id, document_id)
            )
            passages = rows(connection, "SELECT id FROM passages WHERE document_id = ?", (document_id,))
            self._vectors.move(connection, [number for (number,) in passages], collection_id)

    def cancel(self, document_id: int) -> None:
        """Remove a document on its way; one that could be found before stays as it was."""
        with self._database.write() as connection:
            found = rows(
                connection,
                """SELECT source, owned FROM documents
                WHERE id = ? AND passages > 0 AND state IN ('queued', 'indexing')""",
                (document_id,),
            )
            if found:
                connection.execute("DELETE FROM staged_passages WHERE document_id = ?", (document_id,))
                connection.execute(
                    """UPDATE documents SET state = 'ready', staged = NULL, owned = 0, content_hash = NULL
                    WHERE id = ?""",
                    (document_id,),
                )
        if not found:
            self.delete_document(document_id)
        elif found[0][1]:
            _discard(Path(found[0][0]))

    def retry(self, document_id: int) -> None:
        """Queue a failed document again."""
        with self._database.write() as connection:
            connection.execute(
                """UPDATE documents SET state = 'queued', error = NULL, staged = NULL
                WHERE id = ? AND state = 'failed'""",
                (document_id,),
            )

    def delete_document(self, document_id: int) -> None:
        """Delete a document and all that was made of it; the user's file stays."""
        with self._database.write() as connection:
            upload = self._delete_document(connection, document_id)
            self._vectors.index.compact(connection)
        self._database.release_space()
        _discard(upload)

    def existing_documents(self, document_ids: Sequence[int]) -> list[int]:
        """Those of these documents that were not deleted, in the order asked."""
        statement = "SELECT 1 FROM documents WHERE id = ?"
        with self._database.read() as connection:
            return [number for number in document_ids if rows(connection, statement, (number,))]

    def passage(self, passage_id: int) -> Passage:
        """One passage.

        Raises:
            PassageMissing: its document was deleted.
        """
        for passage in self.passages([passage_id]):
            return passage
        raise PassageMissing(str(passage_id))

    def passages(self, passage_ids: Iterable[int]) -> list[Passage]:
        """These passages, as far as they still exist, in the order asked."""
        found: list[Passage] = []
        with self._database.read() as connection:
            for passage_id in passage_ids:
                statement = f"SELECT {_PASSAGE} {_FROM_PASSAGES} WHERE p.id = ?"
                found.extend(Passage(*row) for row in rows(connection, statement, (passage_id,)))
        return found

    def passages_of(self, document_id: int) -> list[Passage]:
        """All passages of a document, in reading order."""
        with self._database.read() as connection:
            statement = f"SELECT {_PASSAGE} {_FROM_PASSAGES} WHERE p.document_id = ? ORDER BY p.position"
            return [Passage(*row) for row in rows(connection, statement, (document_id,))]

    def surroundings(self, passage_id: int, before: int, after: int) -> list[Passage]:
        """The passage with its neighbours in the document, in reading order."""
        centre = self.passage(passage_id)
        with self._database.read() as connection:
            near = rows(
                connection,
                f"""SELECT {_PASSAGE} {_FROM_PASSAGES} WHERE p.document_id = ?
                AND p.position BETWEEN ? AND ? ORDER BY p.position""",
                (centre.document_id, centre.position - before, centre.position + after),
            )
        return [Passage(*row) for row in near]

    def _documents(self, where: str, values: Sequence[Any]) -> list[Document]:
        with self._database.read() as connection:
            found = rows(connection, f"SELECT {_DOCUMENT} FROM documents {where}", values)
        return [
            Document(
                number,
                collection,
                title,
                source,
                DocumentState(state),
                size,
                passages,
                pages,
                error,
                datetime.fromtimestamp(added_at, UTC),
                address,
                None if fetched_at is None else datetime.fromtimestamp(fetched_at, UTC),
            )
            for (
                number,
                collection,
                title,
                source,
                state,
                size,
                passages,
                pages,
                error,
                added_at,
                address,
                fetched_at,
            ) in found
        ]

    def _delete_document(self, connection: apsw.Connection, document_id: int) -> Path | None:
        """Returns the file to discard once this is committed, if it is one of ours."""
        withdraw(connection, self._vectors, document_id)
        deleted = rows(
            connection, "DELETE FROM documents WHERE id = ? RETURNING source, owned", (document_id,)
        )
        return next((Path(source) for source, owned in deleted if owned), None)


def _requeue(
    connection: apsw.Connection, document_id: int, path: Path, name: str, *, owned: bool
) -> Path | None:
    """The same content again: a failed document gets another try under its new name, which may say
    better what kind of file it is; any other stays as it is.

    Returns the upload that nobody needs then.
    """
    [(state, source, was_owned)] = rows(
        connection, "SELECT state, source, owned FROM documents WHERE id = ?", (document_id,)
    )
    if state != DocumentState.FAILED:
        return path if owned and path != Path(source) else None
    connection.execute(
        """UPDATE documents SET state = 'queued', error = NULL, staged = NULL, title = ?, source = ?,
        owned = ? WHERE id = ?""",
        (name, str(path), owned, document_id),
    )
    return Path(source) if was_owned and path != Path(source) else None


def _discard(upload: Path | None) -> None:
    """Delete a file of ours; one that is open elsewhere (Windows) must not undo what the user asked for."""
    if upload is not None:
        with suppress(OSError):
            upload.unlink(missing_ok=True)
