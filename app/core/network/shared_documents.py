"""The documents that others may get answers from: only those that the owner has shared as far as they are."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence

from app.core import phrases
from app.core.messages import Citation
from app.core.network.quote_guard import shortened
from app.core.network.topics import Topics
from app.core.provenance import PrivacyLevel
from app.core.retrieval import citation
from network.protocol.content import Question
from rag.knowledge import KnowledgeBase
from rag.model import Collection, Sharing

log = logging.getLogger(__name__)

_LONGEST_SEARCHED = 2_000
"""Characters of a question; an embedder reads no more."""
_SAMPLE = 48
"""Passages that tell what documents are about: embedding them takes about a second."""


class SharedDocuments:
    """Searches for strangers, and shortens what it finds."""

    def __init__(self, knowledge: KnowledgeBase, passages: Callable[[], int]) -> None:
        """`passages` tells how many go into a question at most."""
        self._knowledge = knowledge
        self._passages = passages
        self._topics = Topics(knowledge.meanings)
        self._told: tuple[frozenset[tuple[int, int]], tuple[str, ...]] = (frozenset(), ())
        """The public collections with their numbers of documents, and what these are about."""

    def shared(self, level: PrivacyLevel) -> list[Collection]:
        """The collections that an asker on this step of the ladder gets answers from. Blocks briefly."""
        asker = Sharing(level.value) if level is not PrivacyLevel.DEVICE else Sharing.PRIVATE
        return [
            collection
            for collection in self._knowledge.collections()
            if collection.sharing is not Sharing.PRIVATE and collection.sharing.allows(asker)
        ]

    def topics(self) -> tuple[str, ...]:
        """What the documents that anybody gets answers from are about, as tags for a card. Blocks.

        Those of a smaller circle are left out: a card is read by more than their circle. They are told anew
        when documents come or go.
        """
        public = self.shared(PrivacyLevel.PUBLIC)
        known = frozenset((collection.id, collection.documents) for collection in public)
        if known != self._told[0]:
            self._told = known, self._topics.of_documents(self._sample(public))
        return self._told[1]

    async def find(self, question: Question, level: PrivacyLevel) -> tuple[Citation, ...]:
        """Passages that answer the question, as this device's own gate says. Nothing where nothing is shared.

        A knowledge base that does not work is no reason to leave the question without an answer.
        """
        if not question.use_documents:
            return ()
        try:
            return await asyncio.to_thread(self._search, question.turns[-1].text[:_LONGEST_SEARCHED], level)
        except Exception as error:  # noqa: BLE001 - embedders and databases fail in many ways
            log.warning("shared documents were not searched: %s", type(error).__name__)
            return ()

    async def quotation(self, question: Question, sources: Sequence[Citation]) -> tuple[str, Citation] | None:
        """What the documents say themselves, and which of them; None where no sentence answers."""
        asked = question.turns[-1].text[:_LONGEST_SEARCHED]
        found = await self._quote(asked, [source.text for source in sources])
        if found is None:
            return None
        index, sentence = found
        text = phrases.quotation(asked, shortened(sentence), sources[index].number, shared=True)
        return text, sources[index]

    async def quote(self, question: Question, source: Citation) -> str:
        """The sentence of a source that answers best, as long as it may be; else nothing."""
        found = await self._quote(question.turns[-1].text[:_LONGEST_SEARCHED], [source.text])
        return shortened(found[1]) if found is not None else ""

    async def _quote(self, asked: str, texts: list[str]) -> tuple[int, str] | None:
        try:
            found = await asyncio.to_thread(self._knowledge.quote, asked, texts)
        except Exception as error:  # noqa: BLE001 - the answer stands without it
            log.warning("no quotation: %s", type(error).__name__)
            return None
        return None if found is None else (found.index, found.text)

    def _sample(self, collections: Sequence[Collection]) -> list[str]:
        """Passages of all of their documents, evenly spread."""
        texts = [
            passage.text
            for collection in collections
            for document in self._knowledge.documents(collection.id)
            for passage in self._knowledge.passages(document.id)
        ]
        return texts[:: max(1, math.ceil(len(texts) / _SAMPLE))]

    def _search(self, asked: str, level: PrivacyLevel) -> tuple[Citation, ...]:
        collections = [collection.id for collection in self.shared(level)]
        if not collections:
            return ()
        found = self._knowledge.search(asked, collections, self._passages())
        return tuple(
            citation(number, passage)
            for number, passage in enumerate((each.passage for each in found.passages), 1)
        )
