"""The indexer: a thread that turns queued documents into passages, words and vectors.

A document is read into `staged_passages`, embedded there batch by batch, each batch
committed, and then published by one transaction. So a kill loses one batch at most, a file
that changes or vanishes after it was read does no harm, and nobody ever searches half a
document.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path

from rag.background import BackgroundThread
from rag.chunking import split
from rag.documents import read_document
from rag.embedded_parts import embedded_parts
from rag.embedder import Embedder
from rag.errors import EmptyDocument, KnowledgeError
from rag.model import DocumentState, IndexingProgress
from rag.recognition.finding import find_recogniser
from rag.reembedding import Reembedding
from rag.shared_embedder import SharedEmbedder
from rag.staging import Gone, QueuedDocument, Staging
from rag.text import embedding_text
from rag.vectors.stored import identity_of

log = logging.getLogger(__name__)

Listener = Callable[[IndexingProgress], None]

_READING_BATCH = 32
"""Passages; a cancel acts between two batches, also in a PDF that takes a second for each of its pages."""
_FIRST_BATCH = 4
_LARGEST_BATCH = 64
_BATCH_SECONDS = 0.7
_LOOK_SECONDS = 2.0
"""How often the queue is looked at for what other processes have added."""
_LONGEST_PAUSE = 60.0
"""Where the store itself fails (a full device), tries become rarer up to this, in seconds."""


def next_batch_size(size: int, seconds: float) -> int:
    """How many passages to embed next, after `size` of them took `seconds`.

    Aims at 0.7 seconds, so that progress moves every second and a cancel acts within one.
    """
    if seconds < _BATCH_SECONDS / 2:
        return min(_LARGEST_BATCH, size * 2)
    if seconds > _BATCH_SECONDS * 1.5:
        return max(1, size // 2)
    return size


class _Closing(Exception):
    """The app closes: leave everything as it is, the next start resumes it."""


class Indexer:
    """Works through the queue in a thread of its own; one bad file never stops the others."""

    def __init__(self, staging: Staging, reembedding: Reembedding, embedder: SharedEmbedder) -> None:
        self._staging = staging
        self._reembedding = reembedding
        self._embedder = embedder
        self._listeners: list[Listener] = []
        self._thread = BackgroundThread("indexer", self._round)
        self._batch = _FIRST_BATCH
        self._pause = _LOOK_SECONDS
        self._tidied = False

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` from the indexer's thread; returns what ends that."""
        self._listeners = [*self._listeners, listener]

        def end() -> None:
            self._listeners = [other for other in self._listeners if other is not listener]

        return end

    def start(self) -> None:
        """Resume what a kill left, and work from now on. Only one process may do so."""
        self._thread.start()

    def wake(self) -> None:
        """There is something new in the queue."""
        self._thread.wake()

    def close(self) -> None:
        """End after the batch that runs; what is left is resumed by the next start."""
        self._thread.close()

    def _round(self) -> float:
        try:
            if not self._tidied:
                self._staging.discard_uploads()
                self._tidied = True
            worked = self._work_once()
            self._pause = _LOOK_SECONDS
        except _Closing:
            return 0
        except Exception:  # whatever it is, the thread must live
            log.exception("the indexer cannot work now")
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            return self._pause
        return 0 if worked else self._pause

    def _work_once(self) -> bool:
        """One document, or else one batch of new vectors; False where there is nothing to do."""
        document = self._staging.claim()
        if document is not None:
            self._index(document)
            return True
        # Loading an embedder only to learn that nothing has changed would cost every start of the app.
        embedder = self._embedder.opened
        if embedder is None and (self._embedder.changed or self._reembedding.begun()):
            embedder = self._embedder.get()
        if embedder is None:
            return False
        reembedded = self._reembedding.step(embedder, self._batch, partial(self._embed, embedder))
        if reembedded is None:
            self._embedder.settle(embedder)
            return False
        ready = reembedded.done == reembedded.total
        state = DocumentState.READY if ready else DocumentState.INDEXING
        self._tell(reembedded.id, reembedded.title, state, reembedded.done, reembedded.total)
        return True

    def _index(self, document: QueuedDocument) -> None:
        try:
            self._tell(document.id, document.title, DocumentState.INDEXING, 0, document.staged or 0)
            if document.staged is None:
                document = self._read(document)
            embedder = self._embedder.get()  # the same to the end, whichever is chosen meanwhile
            self._embed_document(document, embedder)
            self._staging.publish(document, embedder)
        except Gone:
            return
        except _Closing:
            raise
        except Exception as error:
            expected = isinstance(error, (KnowledgeError, OSError))
            log.warning("a document failed: %s", type(error).__name__, exc_info=not expected)
            with suppress(Gone):
                self._staging.fail(document, type(error).__name__)
                self._tell(document.id, document.title, DocumentState.FAILED, 0, document.staged or 0)
        else:
            total = document.staged or 0
            self._tell(document.id, document.title, DocumentState.READY, total, total)

    def _read(self, document: QueuedDocument) -> QueuedDocument:
        self._staging.begin_reading(document)
        # The title of a page of the web is no name of a file, and says nothing of its kind.
        parsed = read_document(
            Path(document.source),
            None if document.address else document.title,
            recogniser=find_recogniser(),
            going_on=lambda: self._leave_if_needless(document),
        )
        chunks = split(parsed.sections)
        count = 0
        while batch := list(islice(chunks, _READING_BATCH)):
            self._leave_if_closing()
            self._staging.add(document, batch)
            count += len(batch)
        if not count:
            raise EmptyDocument(document.title)
        return self._staging.end_reading(document, count, parsed.pages)

    def _embed_document(self, document: QueuedDocument, embedder: Embedder) -> None:
        identity = identity_of(embedder)
        done, total = self._staging.embedded(document, identity), document.staged or 0
        after = -1
        while passages := self._staging.without_vector(document, identity, after, self._batch):
            self._leave_if_closing()
            vectors = self._embed(embedder, [(passage.text, passage.heading) for passage in passages])
            self._staging.set_vectors(document, identity, passages, vectors)
            after = passages[-1].position
            done += len(passages)
            self._tell(document.id, document.title, DocumentState.INDEXING, done, total)

    def _embed(self, embedder: Embedder, passages: Sequence[tuple[str, str | None]]) -> list[bytes]:
        """The vectors of the parts of each passage, given as text and heading."""
        parts = [embedded_parts(text, heading) for text, heading in passages]
        started = time.monotonic()
        vectors = iter(embedder.embed_passages([embedding_text(part) for each in parts for part in each]))
        if passages:
            self._batch = next_batch_size(len(passages), time.monotonic() - started)
        return [b"".join(vector.tobytes() for vector in islice(vectors, len(each))) for each in parts]

    def _leave_if_needless(self, document: QueuedDocument) -> None:
        self._leave_if_closing()
        self._staging.require(document)

    def _leave_if_closing(self) -> None:
        if self._thread.closing.is_set():
            raise _Closing

    def _tell(self, document_id: int, title: str, state: DocumentState, done: int, total: int) -> None:
        progress = IndexingProgress(document_id, title, state, done, total, self._staging.queued())
        for listener in self._listeners:
            try:
                listener(progress)
            except Exception:  # a broken screen is no reason to fail a document
                log.exception("a listener to indexing failed")
