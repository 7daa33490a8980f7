"""A search tells why each passage was found, in the words of the question."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.knowledge import KnowledgeBase
from rag.model import Gate, SearchWay
from rag.text import word_expressions, written_words
from tests.app.ui.word_embedder import WordEmbedder

TEXTS = {
    "boiler.txt": "The boiler in the cellar must be vented every October. Open the red valve slowly.",
    "bike.txt": "The bicycle chain needs oil after each ride in the rain. Code 4711 opens the lock.",
    "books.txt": "کتاب‌های کتابخانهٔ مرکزی در سال ۱۴۰۲ فهرست شدند.",
}


@pytest.fixture
def house(tmp_path: Path):
    knowledge = KnowledgeBase(tmp_path / "knowledge.db", WordEmbedder, vectors="numpy")
    collection = knowledge.create_collection("House")
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        knowledge.add(collection.id, tmp_path / name)
    knowledge.start()
    assert knowledge.wait_until_idle(30)

    def search(query: str, way: SearchWay = SearchWay.BOTH, refused: int = 0):
        return knowledge.search(query, [collection.id], 6, way, refused=refused)

    yield search
    knowledge.close()


def test_the_reason_and_the_words_of_a_passage_are_told(house):
    result = house("When must the boilers in the CELLAR be vented?")
    [found] = result.passages
    assert found.gate is Gate.MEANING
    assert found.words == ("boilers", "CELLAR", "vented")
    assert result.threshold == 0.25
    assert result.seconds > 0


def test_a_number_lets_a_passage_through_that_is_far_in_meaning(house):
    [found] = house("What about 4711?").passages
    assert (found.gate, found.rare_words) == (Gate.NUMBER, ("4711",))
    assert found.similarity < 0.25


def test_persian_words_are_told_as_they_were_typed(house):
    [found] = house("كتاب‌ها در سال 1402؟").passages
    assert found.words == ("كتاب‌ها", "سال", "1402")


def test_what_the_gate_holds_back_is_told_only_on_request(house):
    question = "Does the orchestra play in the rain tonight, or is the concert elsewhere altogether?"
    assert house(question).refused == ()
    result = house(question, refused=2)
    assert len(result.refused) == 2
    assert {found.gate for found in result.refused} == {Gate.CLOSED}
    assert not {it.passage.id for it in result.refused} & {it.passage.id for it in result.passages}


def test_other_ways_show_what_the_gate_would_say(house):
    result = house(
        "Does the orchestra play in the rain tonight, or elsewhere altogether?", SearchWay.WORDS, 3
    )
    [found] = result.passages
    assert (result.way, found.words, found.gate) == (SearchWay.WORDS, ("rain",), Gate.CLOSED)
    assert result.refused == ()


def test_every_expression_of_a_question_has_a_word_that_people_read(house):
    query = "می روم کتاب ها «Straße-12» 3.5 کتاب‌هایمان"
    written = written_words(query)
    assert list(written) == list(word_expressions(query))
    assert all(word and '"' not in word and " OR " not in word for word in written.values())
