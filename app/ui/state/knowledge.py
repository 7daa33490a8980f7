"""The collections and documents, and the one collection that is open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import flet as ft

from app.core.speed import Speed
from app.services import Services
from app.ui.state.files import ChosenFile, Files
from app.ui.state.mailbox import Mailbox
from app.ui.state.reporting import reported
from rag.documents import supported_suffixes
from rag.errors import CollectionExists
from rag.model import (
    Collection,
    CollectionColor,
    Document,
    DocumentState,
    IndexingProgress,
    SearchResult,
    SearchWay,
    Sharing,
    WatchedFolder,
)

PROGRESS_SECONDS = 0.1
"""Progress is shown at most ten times a second."""
SPEED_WINDOW_SECONDS = 60.0
"""Indexing is slow and uneven: the time left is told from the last minute."""
_SHOWN_STEP = 256 * 1024
"""Bytes of a page of the web; most have fewer."""
_FOUND, _REFUSED = 12, 3
"""So many passages are shown: relevant ones, and those that just missed."""
TYPING_SECONDS = 0.15
"""Who pauses for so long is not in the middle of a word."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a document is."""

    done_passages: int
    total_passages: int
    """0 while they are still being counted."""
    seconds_left: float | None


@ft.observable
@dataclass
class KnowledgeState:
    """What the documents screen shows."""

    loaded: bool = False
    collections: list[Collection] = field(default_factory=list)
    open: Collection | None = None
    documents: list[Document] = field(default_factory=list)
    progress: dict[int, Reading] = field(default_factory=dict)
    """By document, for those being read."""
    uploads: dict[str, float] = field(default_factory=dict)
    """By file name: which share of it has arrived from the browser."""
    fetches: dict[str, int] = field(default_factory=dict)
    """By address: how many bytes of a page of the web have come."""
    folders: list[WatchedFolder] = field(default_factory=list)
    """Those that the open collection follows."""
    reembedding: tuple[int, int] | None = None
    """How many passages have vectors of another embedder that was chosen, and of how many."""
    query: str = ""
    only: Document | None = None
    """Where the search looks, if not in all documents of the collection."""
    way: SearchWay = SearchWay.BOTH
    """What decides which passages are found."""
    searching: bool = False
    result: SearchResult | None = None


class Knowledge:
    """What can be done with collections and documents."""

    def __init__(
        self,
        services: Services,
        files: Files,
        mailbox: Mailbox,
        report: Callable[[Exception], None],
        run: Callable[..., object],
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        """`changed` is told when collections came or went; the rest as for `Chat`."""
        self.state = KnowledgeState()
        self._services = services
        self._knowledge = services.knowledge
        self._files = files
        self.report = report
        self._run = run
        self._changed = changed
        self._mailbox = mailbox
        self._pending: dict[int, IndexingProgress] = {}
        self._speeds: dict[int, Speed] = {}
        self._fetches: dict[str, asyncio.Task[Document]] = {}
        self._end = self._knowledge.subscribe(self._indexed)
        self._end_folders = self._knowledge.subscribe_folders(lambda: mailbox.post(lambda: run(self.refresh)))

    def close(self) -> None:
        """The session ends."""
        self._end()
        self._end_folders()
        for fetch in self._fetches.values():
            fetch.cancel()

    @reported
    async def refresh(self) -> None:
        """Read collections and documents again."""
        self._services.take_over()  # where a command in a terminal was reading documents and has ended
        collections = await asyncio.to_thread(self._knowledge.collections)
        open_id = self.state.open.id if self.state.open else None
        opened = next((collection for collection in collections if collection.id == open_id), None)
        opened = opened or next(iter(collections), None)
        documents = await asyncio.to_thread(self._knowledge.documents, opened.id) if opened else []
        self.state.collections = collections
        self.state.open = opened
        self.state.documents = documents
        if self.state.only and self.state.only.id not in {document.id for document in documents}:
            self.state.only = None  # deleted, moved, or of another collection
        watched = await asyncio.to_thread(self._knowledge.watched)
        self.state.folders = [it for it in watched if opened and it.collection_id == opened.id]
        self.state.reembedding = await asyncio.to_thread(self._knowledge.reembedding)
        self.state.loaded = True
        await self._changed()

    @reported
    async def open(self, collection_id: int) -> None:
        """Show a collection."""
        self.state.open = next(
            (collection for collection in self.state.collections if collection.id == collection_id), None
        )
        self.state.query, self.state.result = "", None
        await self.refresh()

    @reported
    async def create(self, name: str) -> str | None:
        """Make a collection and open it; returns the name of the error that refused it."""
        try:
            collection = await asyncio.to_thread(self._knowledge.create_collection, name)
        except CollectionExists as error:
            return type(error).__name__
        await self.refresh()
        await self.open(collection.id)
        return None

    @reported
    async def rename(self, collection_id: int, name: str) -> str | None:
        """Give a collection another name; returns the name of the error that refused it."""
        try:
            await asyncio.to_thread(self._knowledge.rename_collection, collection_id, name)
        except CollectionExists as error:
            return type(error).__name__
        await self.refresh()
        return None

    @reported
    async def set_sharing(self, collection_id: int, sharing: Sharing) -> None:
        """Let the questions of others be answered from a collection, or no longer."""
        await asyncio.to_thread(self._knowledge.set_sharing, collection_id, sharing)
        await self.refresh()

    @reported
    async def set_color(self, collection_id: int, color: CollectionColor) -> None:
        """Give a collection another colour."""
        await asyncio.to_thread(self._knowledge.set_color, collection_id, color)
        await self.refresh()

    @property
    def can_watch(self) -> bool:
        """Whether folders of this device can be chosen: in a window on a computer."""
        return self._files.writes_in_place

    @reported
    async def watch(self, collection_id: int, title: str) -> None:
        """Let the user choose a folder that a collection follows from now on."""
        folder = await self._files.folder(title)
        if folder is not None:
            await asyncio.to_thread(self._knowledge.watch, collection_id, folder)
            await self.refresh()

    @reported
    async def unwatch(self, folder_id: int) -> None:
        """Follow a folder no longer; its documents stay."""
        await asyncio.to_thread(self._knowledge.unwatch, folder_id)
        await self.refresh()

    @reported
    async def delete(self, collection_id: int) -> None:
        """Delete a collection with its documents."""
        await asyncio.to_thread(self._knowledge.delete_collection, collection_id)
        self.state.open = None
        self.state.query, self.state.result = "", None
        await self.refresh()

    @reported
    async def add_files(self, default_name: str) -> None:
        """Let the user choose files and add them to the open collection, which is made if need be."""
        # In a thread: it asks a program whether pictures can be read.
        suffixes = await asyncio.to_thread(supported_suffixes)
        chosen = await self._files.choose(suffixes, multiple=True)
        if not chosen:
            return
        if self.state.open is None:
            await self.create(default_name)
        collection = self.state.open
        if collection is not None:
            await self._add(collection.id, chosen)

    @reported
    async def add_page(self, address: str, default_name: str) -> None:
        """Fetch a page of the web into the open collection, which is made if need be."""
        if self.state.open is None:
            await self.create(default_name)
        collection = self.state.open
        if collection is not None:
            await self._fetch(
                address, self._services.web_pages.add(collection.id, address, self._fetching(address))
            )

    @reported
    async def refresh_page(self, document: Document) -> bool | None:
        """Fetch a page again; tells whether it has changed, or None where that was given up."""
        address = document.address or ""
        if address in self._fetches:
            return None
        pages = self._services.web_pages
        found = await self._fetch(address, pages.refresh(document.id, self._fetching(address)))
        return None if found is None else found.state is not DocumentState.READY

    def stop_fetching(self, address: str) -> None:
        """Give up a page that is being fetched."""
        if (fetch := self._fetches.get(address)) is not None:
            fetch.cancel()

    async def _fetch(self, address: str, fetching: Coroutine[Any, Any, Document]) -> Document | None:
        task = self._fetches[address] = asyncio.create_task(fetching)
        self.state.fetches[address] = 0
        try:
            await asyncio.wait({task})
            return None if task.cancelled() else task.result()
        finally:
            task.cancel()
            self._fetches.pop(address, None)
            self.state.fetches.pop(address, None)
            await self.refresh()

    def _fetching(self, address: str) -> Callable[[int], None]:
        def show(received: int) -> None:
            shown = self.state.fetches.get(address, 0)
            if received - shown >= _SHOWN_STEP:
                self.state.fetches[address] = received

        return show

    async def _add(self, collection_id: int, chosen: Sequence[ChosenFile]) -> None:
        for file in chosen:
            try:
                received = await self._files.receive(file, self._uploading(file.name))
                await asyncio.to_thread(
                    self._knowledge.add,
                    collection_id,
                    received.path,
                    name=received.name,
                    owned=received.owned,
                )
            except Exception as error:  # noqa: BLE001 - whatever fails for one file, the others go on
                self.report(error)
            finally:
                self.state.uploads.pop(file.name, None)
            await self.refresh()

    def _uploading(self, name: str) -> Callable[[float], None]:
        def show(share: float) -> None:
            self.state.uploads[name] = share

        return show

    @reported
    async def delete_document(self, document_id: int) -> None:
        """Remove a document."""
        await asyncio.to_thread(self._knowledge.delete_document, document_id)
        await self.refresh()

    @reported
    async def move(self, document_id: int, collection_id: int) -> bool:
        """Put a document into another collection; tells whether that was done."""
        await asyncio.to_thread(self._knowledge.move_document, document_id, collection_id)
        await self.refresh()
        return True

    @reported
    async def move_to_new(self, document_id: int, name: str) -> str | None:
        """Make a collection for a document and open it; returns the name of the error that refused it."""
        try:
            collection = await asyncio.to_thread(self._knowledge.create_collection, name)
        except CollectionExists as error:
            return type(error).__name__
        await asyncio.to_thread(self._knowledge.move_document, document_id, collection.id)
        await self.refresh()
        await self.open(collection.id)
        return None

    @reported
    async def cancel(self, document_id: int) -> None:
        """Stop reading a document, and remove it."""
        await asyncio.to_thread(self._knowledge.cancel, document_id)
        self.state.progress.pop(document_id, None)
        await self.refresh()

    @reported
    async def retry(self, document_id: int) -> None:
        """Try to read a document again."""
        await asyncio.to_thread(self._knowledge.retry, document_id)
        await self.refresh()

    @reported
    async def search(self, query: str) -> None:
        """Find passages in the open collection."""
        self.state.query = query
        if not query.strip() or self.state.open is None:
            self.state.result = None
            return
        await asyncio.sleep(TYPING_SECONDS)
        if query == self.state.query:  # else more was typed
            await self._search()

    @reported
    async def search_by(self, way: SearchWay) -> None:
        """Let something else decide what is found; searches again."""
        self.state.way = way
        if self.state.query.strip():
            await self._search()

    @reported
    async def search_only(self, document: Document | None) -> None:
        """Search in one document, or again in all of the collection."""
        self.state.only = document
        if self.state.query.strip():
            await self._search()

    async def _search(self) -> None:
        query, way, only = self.state.query, self.state.way, self.state.only
        if self.state.open is None:
            return
        collection_id = self.state.open.id
        self.state.searching = True
        try:
            result = await asyncio.to_thread(
                self._knowledge.search,
                query,
                [] if only else [collection_id],
                _FOUND,
                way,
                document_ids=[only.id] if only else [],
                refused=_REFUSED,
            )
            is_open = self.state.open is not None and self.state.open.id == collection_id
            if is_open and (query, way, only) == (self.state.query, self.state.way, self.state.only):
                self.state.result = result
        finally:
            self.state.searching = False

    def _indexed(self, progress: IndexingProgress) -> None:
        """Called by the indexer's thread, often."""
        first = not self._pending
        self._pending[progress.document_id] = progress
        if first:
            self._mailbox.post(lambda: self._run(self._show_progress))

    @reported
    async def _show_progress(self) -> None:
        await asyncio.sleep(PROGRESS_SECONDS)
        pending, self._pending = self._pending, {}
        ended = readable = False
        for document_id, progress in pending.items():
            if progress.state is DocumentState.INDEXING:
                self.state.progress[document_id] = self._reading(progress)
                ended |= progress.done_passages == 0
            else:
                self.state.progress.pop(document_id, None)
                self._speeds.pop(document_id, None)
                ended = True
                readable |= progress.state is DocumentState.READY
        self.state.reembedding = await asyncio.to_thread(self._knowledge.reembedding)
        if ended:
            await self.refresh()
        if readable and self.state.query.strip():
            await self._search()  # what was searched for may stand in what has just been read

    def _reading(self, progress: IndexingProgress) -> Reading:
        done, total = progress.done_passages, progress.total_passages
        speed = self._speeds.setdefault(
            progress.document_id, Speed(window_seconds=SPEED_WINDOW_SECONDS, first_seconds=3.0)
        )
        speed.report(done)
        return Reading(done, total, speed.seconds_left(total) if total else None)
