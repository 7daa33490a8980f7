"""The knowledge base: the one class that the app talks to."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rag.collections import Collections
from rag.database import Database, rows
from rag.embedder import Embedder, Vectors
from rag.errors import WatchedFolderMissing
from rag.exchange import Imported, Progress, export_collection, import_collection
from rag.indexing import Indexer, Listener
from rag.model import (
    Collection,
    CollectionColor,
    Document,
    Passage,
    SearchedIn,
    SearchResult,
    SearchWay,
    Sharing,
    WatchedFolder,
)
from rag.quoting import Quotation, best_quotation
from rag.reembedding import Reembedding
from rag.reranking import GetReranker
from rag.schema import MIGRATIONS
from rag.search import Search
from rag.shared_embedder import OpenModel, SharedEmbedder
from rag.staging import Staging
from rag.store import Store
from rag.text import embedding_text
from rag.vectors import open_vector_index
from rag.vectors.opening import VectorKind
from rag.vectors.stored import StoredVectors
from rag.watching.folders import Folders
from rag.watching.watcher import FolderWatcher

_LOOK_SECONDS = 0.1


class KnowledgeBase:
    """Collections of documents that can be searched. Thread-safe; every call blocks, most briefly."""

    def __init__(
        self,
        path: Path,
        open_embedder: Callable[[], Embedder],
        *,
        open_model: OpenModel = lambda model: None,
        reranker: GetReranker = lambda: None,
        vectors: VectorKind = "auto",
    ) -> None:
        """Open or create the knowledge base.

        Args:
            path: its database file.
            open_embedder: called once, in the thread that needs vectors first; may be slow.
            open_model: opens the embedder that made the stored vectors, where another one is chosen now.
            reranker: gives the model that orders what was found, if there is one; asked at every search.
            vectors: which index finds the nearest vectors.

        Raises:
            DatabaseDamaged: the file is corrupt.
            DatabaseTooNew: a newer version of the app has written it.
            VectorSearchUnavailable: sqlite-vec was asked for by name and cannot be loaded.
        """
        index = open_vector_index(vectors)
        self._database = Database(path, MIGRATIONS, extensions=index.extensions)
        with self._database.write() as connection:
            index.prepare(connection)
        embedder = self._embedder = SharedEmbedder(open_embedder, open_model)
        stored = StoredVectors(index)
        self._collections = Collections(self._database)
        self._store = Store(self._database, stored)
        self._search = Search(self._database, self._store, stored, embedder, reranker)
        self._reembedding = Reembedding(self._database, stored)
        self._folders = Folders(self._database)
        self._watcher = FolderWatcher(self._folders, self._store, self._folders_changed)
        self._folder_listeners: list[Callable[[], None]] = []
        self._indexer = Indexer(Staging(self._database, stored), self._reembedding, embedder)

    def collections(self) -> list[Collection]:
        """All collections but the hidden ones, by name."""
        return self._collections.all()

    def create_collection(self, name: str) -> Collection:
        """A new, empty collection.

        Raises:
            CollectionExists: the name is taken; case and letter variants do not count.
            CollectionNameEmpty: nothing but white space.
        """
        return self._collections.create(name)

    def create_hidden_collection(self) -> int:
        """A new collection that `collections` does not tell and nobody can share; returns its number."""
        return self._collections.create_hidden()

    def hidden_collections(self) -> list[int]:
        """The numbers of all hidden collections."""
        return self._collections.hidden()

    def rename_collection(self, collection_id: int, name: str) -> None:
        """Give a collection another name; raises as `create_collection` does.

        Raises:
            CollectionMissing: it was deleted.
        """
        self._collections.rename(collection_id, name)

    def set_sharing(self, collection_id: int, sharing: Sharing) -> None:
        """Let the questions of others be answered from a collection, or no longer.

        The network obeys this; here nothing leaves the device.

        Raises:
            CollectionMissing: it was deleted.
        """
        self._collections.set_sharing(collection_id, sharing)

    def set_color(self, collection_id: int, color: CollectionColor) -> None:
        """Give a collection another colour.

        Raises:
            CollectionMissing: it was deleted.
        """
        self._collections.set_color(collection_id, color)

    def delete_collection(self, collection_id: int) -> None:
        """Delete a collection with all its documents; the user's files stay."""
        self._store.delete_collection(collection_id)

    def export_collection(
        self, collection_id: int, target: Path, progress: Progress = lambda done, total: None
    ) -> None:
        """Write a collection to one file: texts, passages, origins, and vectors where all are there.

        Documents that are on their way, or have failed, are left out. The file appears when it is whole.

        Raises:
            CollectionMissing: it was deleted.
            OSError: the file cannot be written.
        """
        export_collection(self._database, collection_id, target, progress)

    def import_collection(
        self, source: Path, name: str | None = None, progress: Progress = lambda done, total: None
    ) -> Imported:
        """Take in a file that `export_collection` has written, here or elsewhere: all of it, or nothing.

        Where this device has another embedder, new vectors are made in the background. Documents
        whose content the collection has already are left out.

        Args:
            source: the file.
            name: the collection, made if it is new; None: as it is named in the file.
            progress: see `Progress`.

        Raises:
            CollectionFileDamaged: it is no such file, or cut off, or changed.
            CollectionFileUnsafe: it is built to do harm.
            CollectionFileTooNew: a newer version of the app has written it.
            CollectionNameEmpty: the name is nothing but white space.
            OSError: it cannot be read, or the device is full.
        """
        imported = import_collection(self._database, source, name, progress)
        self._indexer.wake()
        return imported

    def documents(self, collection_id: int) -> list[Document]:
        """The documents of a collection, in the order they were added."""
        return self._store.documents(collection_id)

    def document(self, document_id: int) -> Document:
        """One document.

        Raises:
            DocumentDeleted: there is no such document any more.
        """
        return self._store.document(document_id)

    def existing_documents(self, document_ids: Sequence[int]) -> list[int]:
        """Those of these documents that were not deleted, in the order asked."""
        return self._store.existing_documents(document_ids)

    def add(
        self,
        collection_id: int,
        path: Path,
        *,
        name: str | None = None,
        owned: bool = False,
        address: str | None = None,
    ) -> Document:
        """Queue a file for indexing; the same content in the same collection is not added twice.

        Args:
            collection_id: where it belongs.
            path: the file. What is wrong with it shows in the document's `error` later.
            name: what the user calls it, if not by the file's name.
            owned: the file is ours (an upload) and is deleted once it is indexed.
            address: where it was fetched just now, if it is a page of the web.

        Raises:
            CollectionMissing: the collection was deleted.
        """
        document = self._store.add_document(
            collection_id, path.absolute(), name or path.name, owned=owned, address=address
        )
        self._indexer.wake()
        return document

    def delete_document(self, document_id: int) -> None:
        """Delete a document and all that was made of it; the user's file stays."""
        self._store.delete_document(document_id)

    def move_document(self, document_id: int, collection_id: int) -> None:
        """Put a document into another collection, in whatever state it is; nothing is read again.

        Raises:
            DocumentDeleted: there is no such document any more.
            CollectionMissing: the other collection was deleted.
            DocumentThereAlready: it has a document with the same content.
        """
        self._store.move_document(document_id, collection_id)

    def cancel(self, document_id: int) -> None:
        """Stop the indexing of a document, and remove it; one that is only replaced stays as it was."""
        self._store.cancel(document_id)

    def replace(self, document_id: int, path: Path, name: str) -> Document:
        """A newer state of a document; it is indexed only where its content is another.

        The old passages are found until the new ones are ready.

        Args:
            document_id: which document.
            path: a file of ours, deleted once it is indexed.
            name: what the document is called from now on.

        Raises:
            DocumentDeleted: there is no such document any more.
        """
        document = self._store.replace_document(document_id, path.absolute(), name)
        self._indexer.wake()
        return document

    def retry(self, document_id: int) -> None:
        """Try a failed document again."""
        self._store.retry(document_id)
        self._indexer.wake()

    def passage(self, passage_id: int) -> Passage:
        """One passage.

        Raises:
            PassageMissing: its document was deleted.
        """
        return self._store.passage(passage_id)

    def passages(self, document_id: int) -> list[Passage]:
        """All passages of a document, in reading order; none before it is indexed."""
        return self._store.passages_of(document_id)

    def surroundings(self, passage_id: int, before: int = 1, after: int = 1) -> list[Passage]:
        """A passage with its neighbours in the document, in reading order.

        Raises:
            PassageMissing: its document was deleted.
        """
        return self._store.surroundings(passage_id, before, after)

    def search(
        self,
        query: str,
        collection_ids: Sequence[int],
        limit: int = 6,
        way: SearchWay = SearchWay.BOTH,
        *,
        document_ids: Sequence[int] = (),
        refused: int = 0,
    ) -> SearchResult:
        """The passages that answer a question, best first; none where nothing is relevant.

        While another embedder's vectors are being made, those of the one before decide, or, where that is
        not installed any more, words alone.

        Args:
            query: the question.
            collection_ids: where to look: in all of their documents.
            limit: passages at most.
            way: what decides; answers rest on `SearchWay.BOTH`.
            document_ids: single documents to look in, too; those that were deleted are passed over.
            refused: so many of those that the no-answer gate holds back are told, too.
        """
        where = SearchedIn(tuple(collection_ids), tuple(document_ids))
        return self._search.find(query, where, limit, way, refused)

    def change_embedder(self) -> None:
        """Another embedder was chosen: new vectors are made in the background, beside the old ones.

        Until all are there, questions are answered with the old ones; then all are swapped at once.
        """
        self._embedder.change()
        self._indexer.wake()

    def reembedding(self) -> tuple[int, int] | None:
        """How many passages have vectors of the chosen embedder, and of how many; None when all have."""
        embedder = self._embedder.opened
        return None if embedder is None else self._reembedding.progress(embedder)

    def quote(self, question: str, texts: Sequence[str]) -> Quotation | None:
        """The sentence of these texts that answers the question best, if there is a whole one.

        Raises whatever prevents the embedder from being opened.
        """
        return best_quotation(question, texts, self._embedder.get())

    def meanings(self, texts: Sequence[str]) -> tuple[Vectors, float]:
        """A vector for the meaning of each text, and from which cosine on two of them say the same.

        Raises whatever prevents the embedder from being opened.
        """
        embedder = self._embedder.get()
        vectors = embedder.embed_passages([embedding_text(text) for text in texts])
        return vectors, embedder.relevance.same_above

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` from the indexer's thread at every progress; returns what ends that."""
        return self._indexer.subscribe(listener)

    def watch(self, collection_id: int, folder: Path) -> WatchedFolder:
        """Let a collection follow a folder: its files become documents, and whatever happens to them happens
        to those. A document that the user deletes does not come back.

        Raises:
            CollectionMissing: the collection was deleted.
            WatchedFolderMissing: there is no such folder.
        """
        if not folder.is_dir():
            raise WatchedFolderMissing(folder)
        watched = self._folders.add(collection_id, folder.absolute())
        self._watcher.wake()
        return watched

    def unwatch(self, folder_id: int) -> None:
        """Follow a folder no longer; its documents stay."""
        self._folders.remove(folder_id)

    def watched(self) -> list[WatchedFolder]:
        """All folders that are followed, and what is wrong with them."""
        return self._folders.all()

    def look_at_folders(self) -> None:
        """Look at all folders now, instead of within some seconds. Only one process at a time may."""
        self._watcher.look()

    def subscribe_folders(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` from the watcher's thread when documents of a folder came, changed or went, or
        when something is wrong with it; returns what ends that."""
        self._folder_listeners = [*self._folder_listeners, listener]

        def end() -> None:
            self._folder_listeners = [other for other in self._folder_listeners if other is not listener]

        return end

    def _folders_changed(self) -> None:
        self._indexer.wake()
        for listener in self._folder_listeners:
            listener()

    def start(self) -> None:
        """Start the indexer and the watcher of folders, and resume what a kill left. Only one process at a
        time may."""
        self._indexer.start()
        self._watcher.start()

    def wait_until_idle(self, timeout: float | None = None) -> bool:
        """Wait until no document is queued or being indexed, in whichever process.

        Returns:
            False where `timeout` seconds have passed before.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._database.read() as connection:
                busy = rows(
                    connection, "SELECT 1 FROM documents WHERE state IN ('queued', 'indexing') LIMIT 1"
                )
            if not busy:
                return True
            if end is not None and time.monotonic() >= end:
                return False
            time.sleep(_LOOK_SECONDS)

    def close(self) -> None:
        """Stop the indexer after the batch that runs, and close the database."""
        self._watcher.close()
        self._indexer.close()
        self._database.close()
