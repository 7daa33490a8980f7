"""What a conversation's documents and files say to a question, numbered as an answer cites it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.attachments import AttachmentDraft
from app.core.conversations import Conversations
from app.core.follow_ups import searched_for
from app.core.messages import Attachment, ChatMessage, Citation
from app.core.settings import SettingsStore
from rag.errors import PassageMissing
from rag.knowledge import KnowledgeBase
from rag.model import FoundPassage, Passage, SearchedIn


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The relevant passages, the best first, of those that were searched."""

    searched: int
    sources: tuple[Citation, ...]
    found: bool = True
    """Whether the search has found them; else they are the beginnings of the question's own files."""
    nothing: bool = False
    """There is nothing that an answer could rest on."""
    neighbours: tuple[Citation, ...] = ()
    """What stands before and after the best passage, where few others were found; only for this device's
    own model: other devices get no more than what was found."""
    searched_for: str | None = None
    """What was searched for, where that is not the question itself."""


@dataclass(frozen=True, slots=True)
class Attached:
    """The files of the question that is asked."""

    question_id: int
    files: tuple[Attachment, ...] = ()
    collection_id: int | None = None
    """A hidden collection in which some of them are searched, where the conversation does not know it yet."""

    @classmethod
    def of(cls, question: ChatMessage) -> Attached:
        """Of one that is stored."""
        return cls(question.id, question.attachments)

    @classmethod
    def to_new(cls, draft: AttachmentDraft | None) -> Attached:
        """Of one that is not: it will be later than all others."""
        return cls(sys.maxsize, tuple(draft.files), draft.collection_id) if draft else cls(sys.maxsize)


class Retrieval:
    """Searches what a conversation asks: the documents that were chosen, and files that were attached."""

    def __init__(
        self, conversations: Conversations, knowledge: KnowledgeBase, settings: SettingsStore
    ) -> None:
        self._conversations = conversations
        self._knowledge = knowledge
        self._settings = settings

    async def search(self, question: str, conversation_id: int, attached: Attached) -> Retrieved | None:
        """Search for a question; None: there is nothing to search.

        Raises KnowledgeError, and whatever prevents the embedder from being opened.
        """
        where = await asyncio.to_thread(self._where, conversation_id, attached.collection_id)
        if not (where.collection_ids or where.document_ids):
            return None
        limit = self._settings.current.passages
        before = await asyncio.to_thread(self._questions, conversation_id, attached.question_id)
        query = searched_for(question, before)
        result = await asyncio.to_thread(
            self._knowledge.search, query, where.collection_ids, limit, document_ids=where.document_ids
        )
        other = None if query == question else query
        sources = tuple(citation(number, item.passage) for number, item in enumerate(result.passages, 1))
        files = {} if sources else await asyncio.to_thread(self.files, conversation_id, attached)
        if sources or files:  # an answer may rest on whole files, too
            near = await asyncio.to_thread(self._neighbours, result.passages, limit)
            return Retrieved(result.searched, sources, neighbours=near, searched_for=other)
        sources = await asyncio.to_thread(self._beginnings, attached.files)
        return Retrieved(result.searched, sources, found=False, nothing=not sources, searched_for=other)

    def files(self, conversation_id: int, attached: Attached) -> dict[int, tuple[Attachment, ...]]:
        """The files that the model gets whole, up to this question, by the message they came with."""
        known = self._conversations.attached.texts(conversation_id)
        found = {number: files for number, files in known.items() if number <= attached.question_id}
        new = tuple(file for file in attached.files if file.whole and file.text)
        return {attached.question_id: new, **found} if new else found

    def _questions(self, conversation_id: int, until: int) -> list[str]:
        """What was asked before, the oldest first."""
        messages = self._conversations.messages(conversation_id)
        return [it.text for it in messages if it.role == "user" and it.id < until]

    def _where(self, conversation_id: int, also: int | None) -> SearchedIn:
        """The collections and documents that the conversation asks, without those that were deleted since
        they were chosen, and the collections of its own files."""
        chosen = self._conversations.get(conversation_id)
        existing = {it.id for it in self._knowledge.collections()} if chosen.collection_ids else set()
        attached = self._conversations.attached.collections(conversation_id)
        new = [] if also is None or also in attached else [also]
        collections = (number for number in chosen.collection_ids if number in existing)
        documents = self._knowledge.existing_documents(chosen.document_ids)
        return SearchedIn((*collections, *attached, *new), tuple(documents))

    def _neighbours(self, found: Sequence[FoundPassage], limit: int) -> tuple[Citation, ...]:
        """The passages around the best one, those that follow first, as far as the limit leaves room.

        An answer often goes on where a passage ends. With SmolLM2 (135M parameters), 12 questions, and the
        best passage alone or with its two neighbours: 10 or 11 right answers, from 260 or 560 tokens.
        """
        if not found or len(found) >= limit:
            return ()
        best, known = found[0].passage, {item.passage.id for item in found}
        try:
            around = self._knowledge.surroundings(best.id)
        except PassageMissing:  # deleted at this moment
            return ()
        near = [passage for passage in around if passage.id not in known]
        near.sort(key=lambda passage: passage.position < best.position)
        room = limit - len(found)
        return tuple(citation(number, it) for number, it in enumerate(near[:room], len(found) + 1))

    def _beginnings(self, attachments: Sequence[Attachment]) -> tuple[Citation, ...]:
        """The first passages of the question's own files that are searched: who asks what a file is about
        asks for nothing that a search could find."""
        limit = self._settings.current.passages
        passages = [
            passage
            for file in attachments
            if file.document_id is not None
            for passage in self._knowledge.passages(file.document_id)[:limit]
        ]
        return tuple(citation(number, passage) for number, passage in enumerate(passages[:limit], 1))


def citation(number: int, passage: Passage) -> Citation:
    """A passage as a source of an answer."""
    return Citation(
        number,
        passage.id,
        passage.document_id,
        passage.document_title,
        passage.page,
        passage.heading,
        passage.text,
    )
