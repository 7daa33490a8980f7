"""Pages of the web in collections: added and refreshed when the user says so, and never otherwise."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path

from app.core.network.ledger import Purpose
from app.core.network.outgoing import Outgoing
from app.core.settings import SettingsStore
from rag.errors import WebAddressInvalid
from rag.knowledge import KnowledgeBase
from rag.model import Document
from rag.web.address import WebAddress, read_address
from rag.web.fetching import FetchedPage, fetch_page
from rag.web.saving import SavedPage, save_page

Progress = Callable[[int], None]
"""Told how many bytes of a page have come."""


def _silent(received: int) -> None:
    """Nobody wants to know."""


class WebPages:
    """Fetches pages into the knowledge base. Cancel the task of a call to stop it."""

    def __init__(
        self, knowledge: KnowledgeBase, uploads: Path, settings: SettingsStore, outgoing: Outgoing
    ) -> None:
        """`uploads` is where a page lies until it is indexed."""
        self._knowledge = knowledge
        self._uploads = uploads
        self._settings = settings
        self._outgoing = outgoing

    async def add(self, collection_id: int, typed: str, progress: Progress = _silent) -> Document:
        """Fetch a page and add it to a collection; one that is there already is refreshed.

        Raises:
            CollectionMissing: the collection was deleted.
            DocumentError: the page cannot be had or read: leaves of `WebPageError`, among others.
            OfflineChosen: the user wants nothing to be sent.
        """
        address = read_address(typed)
        page = await self._fetch(address, progress)
        saved = await asyncio.to_thread(self._save, page)
        try:
            known = await asyncio.to_thread(self._knowledge.documents, collection_id)
            for document in known:
                if document.address in (page.address, address.url):
                    return await asyncio.to_thread(
                        self._knowledge.replace, document.id, saved.path, saved.title
                    )
            return await asyncio.to_thread(self._add, collection_id, saved, page.address)
        except BaseException:
            saved.path.unlink(missing_ok=True)
            raise

    async def refresh(self, document_id: int, progress: Progress = _silent) -> Document:
        """Fetch a page again; it is indexed again only if it has changed.

        Raises:
            DocumentDeleted: there is no such document any more.
            DocumentError: the page cannot be had or read; the document stays as it was.
        """
        document = await asyncio.to_thread(self._knowledge.document, document_id)
        if document.address is None:
            raise WebAddressInvalid(document.title, "a file")
        page = await self._fetch(read_address(document.address), progress)
        saved = await asyncio.to_thread(self._save, page)
        try:
            return await asyncio.to_thread(self._knowledge.replace, document_id, saved.path, saved.title)
        except BaseException:
            saved.path.unlink(missing_ok=True)
            raise

    async def _fetch(self, address: WebAddress, progress: Progress) -> FetchedPage:
        self._outgoing.check(Purpose.WEB_PAGE, address.host)  # the name of the host is looked up first
        return await fetch_page(
            address,
            proxy=self._settings.current.proxy,
            progress=progress,
            open_client=self._outgoing.opener(Purpose.WEB_PAGE),
        )

    def _save(self, page: FetchedPage) -> SavedPage:
        return save_page(page, self._uploads / uuid.uuid4().hex)

    def _add(self, collection_id: int, saved: SavedPage, address: str) -> Document:
        return self._knowledge.add(collection_id, saved.path, name=saved.title, owned=True, address=address)
