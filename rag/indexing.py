"""The indexer: a thread that turns queued documents into passages, words and vectors.

A document is read into `staged_passages`, embedded there batch by batch, each batch
committed, and then published by one transaction. So a kill loses one batch at most, and
nobody ever searches half a document.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import apsw

from rag.chunking import split
from rag.database import Database, rows
from rag.documents import read_document
from rag.embedder import Embedder
from rag.errors import EmptyDocument
from rag.model import DocumentState, IndexingProgress
from rag.text import embedding_text, index_text
from rag.vectors.protocol import VectorRow
from rag.vectors.stored import StoredVectors, identity_of, vector_state

log = logging.getLogger(__name__)

Listener = Callable[[IndexingProgress], None]

_STAGING_BATCH = 256
_LARGEST_BATCH = 64
_BATCH_SECONDS = 0.7
"""Embedding batches grow or shrink towards this, so that progress moves every second."""
_LOOK_SECONDS = 2.0
"""How often the queue is looked at for what other processes have added."""


class _Gone(Exception):
    """The document was deleted, or the app is closing: leave it."""


class Indexer:
    """Works through the queue in a thread of its own; one bad file never stops the others."""

    def __init__(self, database: Database, vectors: StoredVectors, embedder: Callable[[], Embedder]) -> None:
        self._database = database
        self._vectors = vectors
        self._embedder = embedder
        self._listeners: list[Listener] = []
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._batch = 4

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` from the indexer's thread; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def start(self) -> None:
        """Resume what a kill left, and work from now on. Only one process may do so."""
        if self._thread is None:
            with self._database.write() as connection:
                connection.execute("UPDATE documents SET state = 'queued' WHERE state = 'indexing'")
            self._thread = threading.Thread(target=self._work, name="indexer", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """There is something new in the queue."""
        self._wake.set()

    def close(self) -> None:
        """End after the batch that runs; what is left is resumed by the next start."""
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while not self._closing.is_set():
            self._wake.clear()
            try:
                while not self._closing.is_set() and (document_id := self._claim()) is not None:
                    self._index(document_id)
                self._follow_embedder()
            except _Gone:
                continue
            except Exception as error:
                log.exception("indexer: %s", type(error).__name__)
            self._wake.wait(_LOOK_SECONDS)

    def _claim(self) -> int | None:
        with self._database.write() as connection:
            found = rows(
                connection,
                """UPDATE documents SET state = 'indexing' WHERE id =
                (SELECT id FROM documents WHERE state = 'queued' ORDER BY id LIMIT 1) RETURNING id""",
            )
        return found[0][0] if found else None

    def _index(self, document_id: int) -> None:
        try:
            self._tell(document_id)
            if self._value(document_id, "staged") is None:
                self._stage(document_id)
            self._embed(document_id)
            self._publish(document_id)
            self._tell(document_id)
        except _Gone:
            log.info("indexing left: the document is gone, or the app closes")
        except Exception as error:  # noqa: BLE001 - whatever breaks, the other documents go on
            log.warning("indexing failed: %s", type(error).__name__)
            self._fail(document_id, type(error).__name__)

    def _stage(self, document_id: int) -> None:
        """Read the file into staged passages, without vectors yet."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM staged_passages WHERE document_id = ?", (document_id,))
        parsed = read_document(Path(self._value(document_id, "source")), self._value(document_id, "title"))
        chunks = split(parsed.sections)
        count = 0
        while batch := list(islice(chunks, _STAGING_BATCH)):
            with self._database.write() as connection:
                self._check(connection, document_id)
                connection.executemany(
                    "INSERT INTO staged_passages(document_id, position, text, page, heading)"
                    " VALUES (?, ?, ?, ?, ?)",
                    ((document_id, chunk.position, chunk.text, chunk.page, chunk.heading) for chunk in batch),
                )
            count += len(batch)
        if not count:
            raise EmptyDocument(self._value(document_id, "title"))
        with self._database.write() as connection:
            connection.execute(
                "UPDATE documents SET staged = ?, pages = ? WHERE id = ?", (count, parsed.pages, document_id)
            )

    def _embed(self, document_id: int) -> None:
        identity = identity_of(self._embedder())
        while True:
            with self._database.read() as connection:
                self._check(connection, document_id)
                waiting = rows(
                    connection,
                    """SELECT position, text FROM staged_passages WHERE document_id = ?
                    AND (vector IS NULL OR embedder <> ?) ORDER BY position LIMIT ?""",
                    (document_id, identity, self._batch),
                )
            if not waiting:
                return
            vectors = self._vectors_of([text for _, text in waiting])
            with self._database.write() as connection:
                connection.executemany(
                    "UPDATE staged_passages SET vector = ?, embedder = ?"
                    " WHERE document_id = ? AND position = ?",
                    (
                        (vector, identity, document_id, position)
                        for (position, _), vector in zip(waiting, vectors, strict=True)
                    ),
                )
            self._tell(document_id)

    def _vectors_of(self, texts: list[str]) -> list[bytes]:
        started = time.monotonic()
        vectors = self._embedder().embed_passages([embedding_text(text) for text in texts])
        seconds = time.monotonic() - started
        if seconds < _BATCH_SECONDS / 2:
            self._batch = min(_LARGEST_BATCH, self._batch * 2)
        elif seconds > _BATCH_SECONDS * 1.5:
            self._batch = max(1, self._batch // 2)
        return [vector.tobytes() for vector in vectors]

    def _publish(self, document_id: int) -> None:
        """Passages, words, vectors and the document's state, all or nothing."""
        embedder = self._embedder()
        with self._database.write() as connection:
            self._check(connection, document_id)
            state = vector_state(connection)
            if state.embedder is None:
                self._vectors.begin(connection, identity_of(embedder), embedder.identity.dimension)
            same_embedder = state.embedder in (None, identity_of(embedder))
            [(collection_id,)] = rows(
                connection, "SELECT collection_id FROM documents WHERE id = ?", (document_id,)
            )
            connection.execute(
                """INSERT INTO passages(document_id, position, text, page, heading)
                SELECT document_id, position, text, page, heading FROM staged_passages
                WHERE document_id = ? ORDER BY position""",
                (document_id,),
            )
            connection.executemany(
                "INSERT INTO passage_words(rowid, words) VALUES (?, ?)",
                (
                    (number, index_text(text))
                    for number, text in rows(
                        connection, "SELECT id, text FROM passages WHERE document_id = ?", (document_id,)
                    )
                ),
            )
            if same_embedder:
                vectors: Iterator[tuple[int, bytes]] = connection.execute(
                    """SELECT p.id, s.vector FROM passages p JOIN staged_passages s
                    ON s.document_id = p.document_id AND s.position = p.position
                    WHERE p.document_id = ? ORDER BY p.id""",
                    (document_id,),
                )
                self._vectors.add(
                    connection, [VectorRow(number, collection_id, vector) for number, vector in vectors]
                )
            connection.execute("DELETE FROM staged_passages WHERE document_id = ?", (document_id,))
            connection.execute(
                """UPDATE documents SET state = 'ready', error = NULL,
                passages = (SELECT count(*) FROM passages p WHERE p.document_id = documents.id)
                WHERE id = ?""",
                (document_id,),
            )
        if self._value(document_id, "owned"):
            Path(self._value(document_id, "source")).unlink(missing_ok=True)

    def _follow_embedder(self) -> None:
        """Where another embedder was chosen: give all passages its vectors, then swap."""
        with self._database.read() as connection:
            state = vector_state(connection)
        if state.embedder is None or self._closing.is_set():
            return
        embedder = self._embedder()
        identity = identity_of(embedder)
        if identity == state.embedder:
            return
        with self._database.write() as connection:
            connection.execute("DELETE FROM next_vectors WHERE embedder <> ?", (identity,))
        while True:
            if self._closing.is_set():
                raise _Gone
            with self._database.read() as connection:
                waiting = rows(
                    connection,
                    """SELECT id, text FROM passages WHERE id NOT IN (SELECT passage_id FROM next_vectors)
                    ORDER BY id LIMIT ?""",
                    (self._batch,),
                )
            if not waiting:
                break
            vectors = self._vectors_of([text for _, text in waiting])
            with self._database.write() as connection:
                connection.executemany(
                    """INSERT INTO next_vectors(passage_id, embedder, vector)
                    SELECT id, ?, ? FROM passages WHERE id = ?""",
                    (
                        (identity, vector, number)
                        for (number, _), vector in zip(waiting, vectors, strict=True)
                    ),
                )
        with self._database.write() as connection:
            self._vectors.replace_all(connection, identity, embedder.identity.dimension)

    def _fail(self, document_id: int, error: str) -> None:
        with self._database.write() as connection:
            connection.execute("DELETE FROM staged_passages WHERE document_id = ?", (document_id,))
            connection.execute(
                "UPDATE documents SET state = 'failed', error = ?, staged = NULL WHERE id = ?",
                (error, document_id),
            )
        try:
            self._tell(document_id)
        except _Gone:
            return

    def _check(self, connection: apsw.Connection, document_id: int) -> None:
        if self._closing.is_set() or not rows(
            connection, "SELECT 1 FROM documents WHERE id = ?", (document_id,)
        ):
            raise _Gone

    def _value(self, document_id: int, column: str) -> Any:
        with self._database.read() as connection:
            for (value,) in rows(connection, f"SELECT {column} FROM documents WHERE id = ?", (document_id,)):
                return value
        raise _Gone

    def _tell(self, document_id: int) -> None:
        with self._database.read() as connection:
            self._check(connection, document_id)
            [(title, state, staged, queued)] = rows(
                connection,
                """SELECT title, state, coalesce(staged, passages),
                (SELECT count(*) FROM documents WHERE state = 'queued') FROM documents WHERE id = ?""",
                (document_id,),
            )
            [(embedded,)] = rows(
                connection,
                "SELECT count(vector) FROM staged_passages WHERE document_id = ?",
                (document_id,),
            )
        done = staged if state == DocumentState.READY else embedded
        progress = IndexingProgress(document_id, title, DocumentState(state), done, staged, queued)
        for listener in list(self._listeners):
            listener(progress)
