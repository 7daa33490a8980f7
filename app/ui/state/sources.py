"""Which collections and documents the open conversation asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from app.core.chosen_documents import drop_deleted
from app.core.messages import Conversation
from app.services import Services
from app.ui.state.chat_state import ChatState
from app.ui.state.reporting import reported
from rag.errors import DocumentDeleted
from rag.model import Collection, Document, DocumentState


class Sources:
    """What can be done with the choice of documents."""

    def __init__(self, services: Services, state: ChatState, report: Callable[[Exception], None]) -> None:
        self._conversations = services.conversations
        self._knowledge = services.knowledge
        self._state = state
        self.report = report

    def existing_collections(self) -> list[int]:
        """The chosen collections that were not deleted."""
        known = {collection.id for collection in self._state.collections}
        return [number for number in self._state.collection_ids if number in known]

    def document_ids(self) -> list[int]:
        """The documents that are chosen one by one."""
        return [document.id for document in self._state.chosen_documents]

    async def show(self, conversation: Conversation) -> None:
        """Show what a conversation asks; what was deleted since it was chosen is told, and drops out."""
        gone = await asyncio.to_thread(drop_deleted, self._conversations, self._knowledge, conversation.id)
        self._state.collection_ids = list(conversation.collection_ids)
        self._state.chosen_documents = await asyncio.to_thread(self._documents, conversation.document_ids)
        self._state.documents_gone = gone

    async def look_again(self) -> None:
        """Before a question: a document may have been deleted since it was chosen."""
        chosen = self._state.chosen_documents
        there = await asyncio.to_thread(self._documents, self.document_ids())
        self._state.chosen_documents = there
        self._state.documents_gone = len(chosen) - len(there)
        if self._state.documents_gone and self._state.open is not None:
            await asyncio.to_thread(drop_deleted, self._conversations, self._knowledge, self._state.open.id)

    @reported
    async def toggle_collection(self, collection: Collection) -> None:
        """Ask all documents of a collection, also those that come later; or, if any are asked, none."""
        asked = [number for number in self._state.collection_ids if number != collection.id]
        others = [it for it in self._state.chosen_documents if it.collection_id != collection.id]
        any_asked = len(asked) < len(self._state.collection_ids) or len(others) < len(
            self._state.chosen_documents
        )
        await self._choose(asked if any_asked else [*asked, collection.id], others)

    @reported
    async def toggle_document(self, document: Document) -> None:
        """Ask a document, or no longer; where all of a collection were asked, the others stay."""
        collection_ids = self._state.collection_ids
        if document.collection_id in collection_ids:
            whole = await asyncio.to_thread(self._ready, document.collection_id)
            others = [it for it in whole if it.id != document.id]
            asked = [number for number in collection_ids if number != document.collection_id]
            await self._choose(asked, [*self._state.chosen_documents, *others])
            return
        kept = [it for it in self._state.chosen_documents if it.id != document.id]
        chosen = kept if len(kept) < len(self._state.chosen_documents) else [*kept, document]
        await self._choose(collection_ids, chosen)

    @reported
    async def toggle_open(self, collection: Collection) -> None:
        """Show the documents of a collection, to choose from, or no longer."""
        opened = dict(self._state.opened_sources)
        if opened.pop(collection.id, None) is None:
            opened[collection.id] = await asyncio.to_thread(self._ready, collection.id)
        self._state.opened_sources = opened

    async def refresh(self) -> None:
        """Documents came or went: show those that there are now."""
        opened = list(self._state.opened_sources)
        if opened:
            now = {number: await asyncio.to_thread(self._ready, number) for number in opened}
            self._state.opened_sources = {number: documents for number, documents in now.items() if documents}

    async def _choose(self, collection_ids: list[int], documents: list[Document]) -> None:
        self._state.collection_ids, self._state.chosen_documents = collection_ids, documents
        self._state.documents_gone = 0
        if self._state.open is not None:
            await asyncio.to_thread(
                self._conversations.set_collections,
                self._state.open.id,
                list(collection_ids),
                [document.id for document in documents],
            )

    def _ready(self, collection_id: int) -> list[Document]:
        documents = self._knowledge.documents(collection_id)
        return [it for it in documents if it.state is DocumentState.READY]

    def _documents(self, document_ids: Sequence[int]) -> list[Document]:
        found = []
        for number in document_ids:
            try:
                found.append(self._knowledge.document(number))
            except DocumentDeleted:
                continue
        return found
