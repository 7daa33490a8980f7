"""A reranker orders what was found; it can neither add to it nor break the search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from rag.knowledge import KnowledgeBase
from rag.reranking import Reranker, reranked
from tests.app.ui.word_embedder import WordEmbedder

QUESTION = "Which boiler must be vented in the cellar?"
TEXTS = {
    "long.txt": "The boiler in the cellar must be vented every October.",
    "short.txt": "A boiler in a cellar is vented.",
    "bike.txt": "The bicycle chain needs oil after each ride in the rain.",
}


class Longest:
    """Takes the longest passage for the best one."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        assert question == QUESTION
        self.read += passages
        return [float(len(text)) for text in passages]


class Broken:
    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        raise MemoryError


@pytest.fixture
def search(tmp_path: Path) -> Iterator[Callable[[Reranker | None], list[str]]]:
    """Searches with a reranker; the titles in the order found."""
    chosen: list[Reranker | None] = [None]
    knowledge = KnowledgeBase(
        tmp_path / "knowledge.db", WordEmbedder, reranker=lambda: chosen[0], vectors="numpy"
    )
    house = knowledge.create_collection("House")
    knowledge.start()
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text)
        knowledge.add(house.id, tmp_path / name)
    assert knowledge.wait_until_idle(60)

    def find(reranker: Reranker | None) -> list[str]:
        chosen[0] = reranker
        result = knowledge.search(QUESTION, [house.id])
        assert all(0 <= found.score <= 1 for found in result.passages)
        return [found.passage.document_title for found in result.passages]

    yield find
    knowledge.close()


def test_the_reranker_decides_the_order(search: Callable[[Reranker | None], list[str]]) -> None:
    assert search(None) == ["short.txt", "long.txt"]
    assert search(Longest()) == ["long.txt", "short.txt"]


def test_it_reads_only_what_the_gate_has_let_through(search: Callable[[Reranker | None], list[str]]) -> None:
    reranker = Longest()
    search(reranker)
    assert sorted(reranker.read) == sorted([TEXTS["long.txt"], TEXTS["short.txt"]])


def test_where_it_fails_the_order_of_the_search_stays(
    search: Callable[[Reranker | None], list[str]],
) -> None:
    assert search(Broken()) == ["short.txt", "long.txt"]


def test_what_was_not_read_comes_after_what_was() -> None:
    class Even:
        def scores(self, question: str, passages: Sequence[str]) -> list[float]:
            return [0.1, 0.9]

    scores = reranked(Even(), "?", {1: "a", 2: "b"}, {1: 1.0, 2: 0.9, 3: 0.8})
    assert sorted(scores, key=lambda number: -scores[number]) == [2, 1, 3]
    assert all(0 <= score <= 1 for score in scores.values())
