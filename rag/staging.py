"""The queue, and the passages of documents on their way: nobody can find these yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import apsw

from rag.chunking import Chunk
from rag.database import Database, rows
from rag.embedded_parts import searchable_text
from rag.embedder import Embedder
from rag.fingerprint import fingerprint
from rag.published import withdraw
from rag.text import index_text
from rag.vectors.protocol import VectorRow
from rag.vectors.stored import StoredVectors, identity_of, vector_state

_DOCUMENT = "id, title, source, owned, staged, address"


class QueuedDocument(NamedTuple):
    """A document that the indexer has taken from the queue."""

    id: int
    title: str
    source: str
    owned: bool
    staged: int | None
    """How many passages the file has; None until it was read to its end."""
    address: str | None
    """Where it was fetched, if it is a page of the web."""


class StagedPassage(NamedTuple):
    """A passage that waits for its vector."""

    position: int
    text: str
    heading: str | None


class Gone(Exception):
    """The document was deleted or replaced meanwhile."""


class Staging:
    """Takes documents from the queue through reading and embedding to their publication."""

    def __init__(self, database: Database, vectors: StoredVectors) -> None:
        self._database = database
        self._vectors = vectors

    def claim(self) -> QueuedDocument | None:
        """The next document: first what a kill has left half-done, then the oldest."""
        with self._database.write() as connection:
            found = rows(
                connection,
                f"""UPDATE documents SET state = 'indexing' WHERE id = (
                    SELECT id FROM documents WHERE state IN ('indexing', 'queued') ORDER BY state, id LIMIT 1
                ) RETURNING {_DOCUMENT}""",
            )
        return QueuedDocument(*found[0]) if found else None

    def queued(self) -> int:
        """Documents that nobody has begun yet."""
        with self._database.read() as connection:
            [(count,)] = rows(connection, "SELECT count(*) FROM documents WHERE state = 'queued'")
        return int(count)

    def begin_reading(self, document: QueuedDocument) -> None:
        """Forget what an earlier attempt has read, and note the content that is read now."""
        content_hash, size = fingerprint(Path(document.source))
        with self._database.write() as connection:
            _require(connection, document)
            connection.execute("DELETE FROM staged_passages WHERE document_id = ?", (document.id,))
            if content_hash is not None:
                connection.execute(
                    "UPDATE documents SET content_hash = ?, bytes = ? WHERE id = ?",
                    (content_hash, size, document.id),
                )

    def add(self, document: QueuedDocument, chunks: Iterable[Chunk]) -> None:
        """Keep passages that were read.

        Raises:
            Gone: the document was deleted or replaced.
        """
        with self._database.write() as connection:
            _require(connection, document)
            connection.executemany(
                "INSERT INTO staged_passages(document_id, position, text, page, heading)"
                " VALUES (?, ?, ?, ?, ?)",
                ((document.id, chunk.position, chunk.text, chunk.page, chunk.heading) for chunk in chunks),
            )

    def end_reading(self, document: QueuedDocument, passages: int, pages: int | None) -> QueuedDocument:
        """The file is read to its end, and not needed again. Raises as `add` does."""
        with self._database.write() as connection:
            _require(connection, document)
            connection.execute(
                "UPDATE documents SET staged = ?, pages = ? WHERE id = ?", (passages, pages, document.id)
            )
        return document._replace(staged=passages)

    def require(self, document: QueuedDocument) -> None:
        """Raises as `add` does."""
        with self._database.read() as connection:
            _require(connection, document)

    def embedded(self, document: QueuedDocument, embedder: str) -> int:
        """How many passages have a vector of this embedder."""
        with self._database.read() as connection:
            [(count,)] = rows(
                connection,
                "SELECT count(*) FROM staged_passages WHERE document_id = ? AND embedder = ?",
                (document.id, embedder),
            )
        return int(count)

    def without_vector(
        self, document: QueuedDocument, embedder: str, after: int, limit: int
    ) -> list[StagedPassage]:
        """The next passages after this position that lack a vector of this embedder."""
        with self._database.read() as connection:
            found = rows(
                connection,
                """SELECT position, text, heading FROM staged_passages WHERE document_id = ? AND position > ?
                AND embedder IS NOT ? ORDER BY position LIMIT ?""",
                (document.id, after, embedder, limit),
            )
        return [StagedPassage(*row) for row in found]

    def set_vectors(
        self,
        document: QueuedDocument,
        embedder: str,
        passages: Sequence[StagedPassage],
        vectors: Sequence[bytes],
    ) -> None:
        """Keep the vectors of passages. Raises as `add` does."""
        with self._database.write() as connection:
            _require(connection, document)
            connection.executemany(
                "UPDATE staged_passages SET vector = ?, embedder = ? WHERE document_id = ? AND position = ?",
                (
                    (vector, embedder, document.id, passage.position)
                    for passage, vector in zip(passages, vectors, strict=True)
                ),
            )

    def publish(self, document: QueuedDocument, embedder: Embedder) -> None:
        """Passages, words, vectors and the document's state, all at once or not at all.

        Raises as `add` does.
        """
        with self._database.read() as connection:
            staged = rows(
                connection,
                "SELECT position, text, heading FROM staged_passages WHERE document_id = ?",
                (document.id,),
            )
        # Folding takes seconds for a book: not while others wait to write.
        words = [
            (index_text(searchable_text(text, heading)), document.id, position)
            for position, text, heading in staged
        ]
        with self._database.write() as connection:
            _require(connection, document)
            withdraw(connection, self._vectors, document.id)
            connection.execute(
                """INSERT INTO passages(document_id, position, text, page, heading)
                SELECT document_id, position, text, page, heading FROM staged_passages
                WHERE document_id = ? ORDER BY position""",
                (document.id,),
            )
            connection.executemany(
                """INSERT INTO passage_words(rowid, words)
                SELECT id, ? FROM passages WHERE document_id = ? AND position = ?""",
                words,
            )
            self._publish_vectors(connection, document, embedder)
            connection.execute("DELETE FROM staged_passages WHERE document_id = ?", (document.id,))
            connection.execute(
                "UPDATE documents SET state = 'ready', error = NULL, passages = ? WHERE id = ?",
                (len(words), document.id),
            )
        if document.owned:
            self.discard_uploads()

    def _publish_vectors(
        self, connection: apsw.Connection, document: QueuedDocument, embedder: Embedder
    ) -> None:
        identity = identity_of(embedder)
        stored = vector_state(connection).embedder
        if stored is None:
            self._vectors.begin(connection, identity, embedder.identity.dimension)
        vectors = """FROM passages p JOIN staged_passages s USING (document_id, position)
            JOIN documents d ON d.id = p.document_id WHERE p.document_id = ? ORDER BY p.id"""
        if stored in (None, identity):
            # It may have been moved since it was claimed.
            found = connection.execute(f"SELECT p.id, d.collection_id, s.vector {vectors}", (document.id,))
            self._vectors.add(connection, (VectorRow(*row) for row in found))
        else:  # these wait for the others to get vectors of this embedder too
            connection.execute(
                f"INSERT INTO next_vectors(passage_id, embedder, vector) SELECT p.id, ?, s.vector {vectors}",
                (identity, document.id),
            )

    def fail(self, document: QueuedDocument, error: str) -> None:
        """The document cannot be indexed; `error` is the name of its class. Raises as `add` does."""
        with self._database.write() as connection:
            _require(connection, document)
            connection.execute("DELETE FROM staged_passages WHERE document_id = ?", (document.id,))
            connection.execute(
                "UPDATE documents SET state = 'failed', error = ?, staged = NULL WHERE id = ?",
                (error, document.id),
            )

    def discard_uploads(self) -> None:
        """Delete our files whose documents are indexed; a file in use is left for the next start."""
        with self._database.read() as connection:
            uploads = rows(connection, "SELECT id, source FROM documents WHERE state = 'ready' AND owned")
        for number, source in uploads:
            with suppress(OSError):
                Path(source).unlink(missing_ok=True)
                with self._database.write() as connection:
                    connection.execute("UPDATE documents SET owned = 0 WHERE id = ?", (number,))


def _require(connection: apsw.Connection, document: QueuedDocument) -> None:
    statement = "SELECT 1 FROM documents WHERE id = ? AND source = ? AND state = 'indexing'"
    if not rows(connection, statement, (document.id, document.source)):
        raise Gone
