"""Another embedder takes effect at once: beside the old vectors, then in their place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from engines.embedders.identity import EmbedderIdentity
from engines.errors import EngineUnavailable
from rag.knowledge import KnowledgeBase
from tests.app.ui.word_embedder import WordEmbedder

TEXTS = {
    "boiler.txt": "The boiler in the cellar must be vented every October.",
    "bike.txt": "The bicycle chain needs oil after each ride in the rain.",
    **{f"{number}.txt": f"Nothing but quiet hours on island number {number}." for number in range(8)},
}
ALL = len(TEXTS)
QUESTION = "Which boiler must be vented in the cellar?"


class Other(WordEmbedder):
    """Another model: its vectors are another's mirror image."""

    def __init__(self, name: str, before: Callable[[], object] = lambda: None) -> None:
        self.identity = EmbedderIdentity(name, 256, "none")
        self._before = before

    def embed_passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self._before()
        return super().embed_passages(texts)

    def embed_query(self, text: str) -> npt.NDArray[np.float32]:
        return np.ascontiguousarray(super().embed_query(text)[::-1])


class Choice:
    """What the settings say; counts how often an embedder is opened."""

    def __init__(self) -> None:
        self.embedder: WordEmbedder | None = WordEmbedder()
        self.opened = 0

    def open(self) -> WordEmbedder:
        self.opened += 1
        if self.embedder is None:
            raise EngineUnavailable("missing")
        return self.embedder


@pytest.fixture
def choice() -> Choice:
    return Choice()


@pytest.fixture
def knowledge(tmp_path: Path, choice: Choice) -> Iterator[KnowledgeBase]:
    opened = KnowledgeBase(tmp_path / "knowledge.db", choice.open, vectors="numpy")
    opened.start()
    house = opened.create_collection("House")
    for name, text in TEXTS.items():
        path = tmp_path / name
        path.write_text(text)
        opened.add(house.id, path)
    assert opened.wait_until_idle(60)
    yield opened
    opened.close()


def wait_for(knowledge: KnowledgeBase, condition: Callable[[], bool]) -> None:
    """Until a condition holds that progress brings about."""
    told, last = threading.Event(), time.monotonic() + 120
    end = knowledge.subscribe(lambda _: told.set())
    try:
        while not condition():
            assert time.monotonic() < last
            told.wait(0.05)
            told.clear()
    finally:
        end()


def similarity(knowledge: KnowledgeBase) -> float:
    [house] = knowledge.collections()
    found = knowledge.search(QUESTION, [house.id])
    assert found.threshold is not None, "words alone decided"
    assert found.passages[0].passage.document_title == "boiler.txt"
    return found.passages[0].similarity


def test_the_old_vectors_answer_until_all_new_ones_are_there(
    knowledge: KnowledgeBase, choice: Choice
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        begun.set()
        assert go_on.wait(60)

    before = similarity(knowledge)
    choice.embedder = Other("mirror", pause)
    knowledge.change_embedder()
    assert begun.wait(60)
    assert knowledge.reembedding() == (0, ALL)
    assert similarity(knowledge) == before
    go_on.set()
    wait_for(knowledge, lambda: knowledge.reembedding() is None)
    assert similarity(knowledge) == pytest.approx(before)
    assert choice.opened == 2


def test_two_changes_in_a_row_end_with_the_last(knowledge: KnowledgeBase, choice: Choice) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        begun.set()
        assert go_on.wait(60)

    choice.embedder = Other("first", pause)
    knowledge.change_embedder()
    assert begun.wait(60)
    choice.embedder = last = Other("last")
    knowledge.change_embedder()
    go_on.set()
    wait_for(knowledge, lambda: choice.opened == 3 and knowledge.reembedding() is None)
    similarity(knowledge)
    assert knowledge.quote(QUESTION, [TEXTS["boiler.txt"]]) is not None
    assert last.identity.model == "last"


def test_a_change_and_back_needs_no_new_vectors(knowledge: KnowledgeBase, choice: Choice) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        begun.set()
        assert go_on.wait(60)

    before, first = similarity(knowledge), choice.embedder
    choice.embedder = Other("mirror", pause)
    knowledge.change_embedder()
    assert begun.wait(60)
    choice.embedder = first
    knowledge.change_embedder()
    go_on.set()
    wait_for(knowledge, lambda: choice.opened == 3 and knowledge.reembedding() is None)
    assert similarity(knowledge) == before


def test_an_embedder_that_cannot_be_opened_leaves_the_old_vectors_in_use(
    knowledge: KnowledgeBase, choice: Choice
) -> None:
    before = similarity(knowledge)
    choice.embedder = None
    knowledge.change_embedder()
    wait_for(knowledge, lambda: choice.opened > 1)
    assert similarity(knowledge) == before


def test_a_change_that_the_end_of_the_app_interrupts_goes_on_by_itself(
    knowledge: KnowledgeBase, choice: Choice, tmp_path: Path
) -> None:
    batches = 0
    ended = threading.Event()

    def first_batch_only() -> None:
        nonlocal batches
        batches += 1
        if batches > 1:
            ended.set()
            raise MemoryError

    choice.embedder = Other("mirror", first_batch_only)
    knowledge.change_embedder()
    assert ended.wait(60)
    knowledge.close()
    choice.embedder = Other("mirror")
    reopened = KnowledgeBase(tmp_path / "knowledge.db", choice.open, vectors="numpy")
    reopened.start()
    try:
        wait_for(reopened, lambda: choice.opened == 3 and reopened.reembedding() is None)
        similarity(reopened)
    finally:
        reopened.close()


@pytest.fixture
def interrupted(knowledge: KnowledgeBase, choice: Choice) -> WordEmbedder:
    """A knowledge base that was closed in the middle of a change; the embedder that its vectors are of."""
    begun, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        begun.set()
        assert go_on.wait(60)
        raise MemoryError

    before = choice.embedder
    assert before is not None
    choice.embedder = Other("mirror", pause)
    knowledge.change_embedder()
    assert begun.wait(60)
    go_on.set()
    knowledge.close()
    return before


def test_the_old_vectors_answer_also_after_a_restart_in_the_middle(
    interrupted: WordEmbedder, choice: Choice, tmp_path: Path
) -> None:
    asked: list[str] = []

    def open_model(model: str) -> WordEmbedder:
        asked.append(model)
        return interrupted

    choice.embedder = Other("mirror")
    reopened = KnowledgeBase(tmp_path / "knowledge.db", choice.open, open_model=open_model, vectors="numpy")
    try:
        first = similarity(reopened)
        assert similarity(reopened) == first
        assert asked == [interrupted.identity.model]
        assert reopened.reembedding() == (0, ALL)
        reopened.start()
        wait_for(reopened, lambda: reopened.reembedding() is None)
        assert similarity(reopened) == pytest.approx(first)
    finally:
        reopened.close()


@pytest.mark.parametrize("fails", [False, True])
def test_words_answer_after_a_restart_where_the_old_embedder_is_gone(
    interrupted: WordEmbedder, choice: Choice, tmp_path: Path, *, fails: bool
) -> None:
    def open_model(model: str) -> WordEmbedder | None:
        if fails:
            raise EngineUnavailable(model)
        return None

    choice.embedder = Other("mirror")
    reopened = KnowledgeBase(tmp_path / "knowledge.db", choice.open, open_model=open_model, vectors="numpy")
    try:
        [house] = reopened.collections()
        found = reopened.search(QUESTION, [house.id])
        assert found.threshold is None
        assert found.passages[0].passage.document_title == "boiler.txt"
    finally:
        reopened.close()
