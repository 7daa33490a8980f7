"""Spellings that people take for the same are the same to the search."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text import content_words, embedding_text, index_text, match_expression, search_text


def found(passage: str, query: str) -> bool:
    """Whether full-text search finds the passage."""
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE VIRTUAL TABLE passages USING fts5(text)")
        database.execute("INSERT INTO passages VALUES (?)", (index_text(passage),))
        expression = match_expression(query)
        return expression is not None and bool(
            database.execute("SELECT 1 FROM passages WHERE passages MATCH ?", (expression,)).fetchall()
        )
    finally:
        database.close()


@pytest.mark.parametrize("query", ["کتاب‌ها", "کتابها", "کتاب ها", "كتاب", "کِتاب"])
@pytest.mark.parametrize("passage", ["کتاب‌ها", "کتابها", "کتاب ها", "كتابها"])
def test_a_persian_word_is_found_in_every_spelling(passage: str, query: str) -> None:
    assert found(f"این {passage} قدیمی است", query)


def test_digits_of_all_scripts_are_equal() -> None:
    assert found("سال ۱۴۰۲", "1402")
    assert found("in 1402", "١٤٠٢")


def test_another_word_is_not_found() -> None:
    assert not found("کتابخانه شهر", "ماشین")
    assert not found("the boiler", "valve")


def test_arabic_letters_become_persian_before_embedding_and_the_half_space_stays() -> None:
    assert embedding_text("كتاب‌هاي") == "کتاب‌های"


@pytest.mark.parametrize("query", ["", "?!", "«»", "…"])
def test_a_query_without_letters_searches_nothing(query: str) -> None:
    assert match_expression(query) is None


@pytest.mark.parametrize(
    "query", ['" OR "', "NEAR(a b)", "valve*", "text:valve", "-valve", "a AND NOT b", "'"]
)
def test_search_operators_are_only_words(query: str) -> None:
    assert found("valve", query) == ("valve" in query)


def test_stop_words_carry_no_meaning_but_can_be_searched() -> None:
    assert content_words("what is the boiler") == ("boiler",)
    assert found("to be or not to be", "to be")


@given(st.text(max_size=200))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert embedding_text(embedding_text(text)) == embedding_text(text)
    assert search_text(search_text(text)) == search_text(text)


@pytest.mark.parametrize(
    ("written", "embedded"),
    [
        ("کتابهای من", "کتاب‌های من"),
        ("صداهایشان", "صدا‌هایشان"),
        ("میشود و نمیشود", "می‌شود و نمی‌شود"),
        ("میكردند", "می‌کردند"),
        ("می‌توان", "می‌توان"),
        ("تنها", "تنها"),
        ("میوه در میدان میان میز", "میوه در میدان میان میز"),
    ],
)
def test_half_spaces_that_were_left_out_stand_in_what_is_embedded(written, embedded):
    assert embedding_text(written) == embedded
    assert embedding_text(embedded) == embedded
