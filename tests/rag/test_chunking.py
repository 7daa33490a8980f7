"""Passages are bounded, complete, in order, and the same every time."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from rag.chunking import split
from rag.documents import Section


def chunks(*sections: Section, size: int = 200, overlap: int = 40) -> list[str]:
    return [chunk.text for chunk in split(sections, size, overlap)]


SENTENCES = " ".join(f"Sentence number {n} tells something." for n in range(40))


def test_a_short_section_is_one_passage() -> None:
    assert chunks(Section("Short.")) == ["Short."]


def test_long_text_is_cut_at_sentences_and_repeats_a_little() -> None:
    found = chunks(Section(SENTENCES))
    assert len(found) > 5
    assert all(text.endswith(".") and text.startswith("Sentence") for text in found)
    assert all(one.split(". ")[-1][:20] in other for one, other in itertools.pairwise(found))


def test_persian_sentences_end_at_persian_marks_and_decimals_stay_whole() -> None:
    text = "آیا دما ۳.۵ درجه است؟ " * 30
    assert all("۳.۵" in piece for piece in chunks(Section(text)))
    assert all(piece.endswith("؟") for piece in chunks(Section(text)))


def test_tiny_sections_are_joined_and_larger_ones_are_not() -> None:
    assert chunks(Section("Title"), Section("Body of it.")) == ["Title\n\nBody of it."]
    assert len(chunks(Section("a " * 60), Section("b " * 60))) == 2


def test_a_passage_never_spans_two_pages_so_that_citations_name_the_right_one() -> None:
    found = list(split([Section("Front desk.", 1), Section("Meals.", 2)], 200, 40))
    assert [(chunk.page, chunk.text) for chunk in found] == [(1, "Front desk."), (2, "Meals.")]


def test_page_and_heading_are_those_of_the_start() -> None:
    [first, second] = split([Section("x " * 90, 1, "One"), Section("y " * 90, 2, "Two")], 200, 40)
    assert (first.page, first.heading, first.position) == (1, "One", 0)
    assert (second.page, second.heading, second.position) == (2, "Two", 1)


@given(st.text(max_size=3000), st.integers(50, 400))
def test_every_chunk_is_bounded_and_no_word_is_lost(text: str, size: int) -> None:
    found = chunks(Section(text), size=size, overlap=size // 5)
    assert all(0 < len(piece) <= size for piece in found)
    kept = "".join("".join(found).split())
    assert set("".join(text.split())) <= set(kept)
    assert len(kept) >= len("".join(text.split()))


@given(st.lists(st.text(max_size=300), max_size=8))
def test_the_same_sections_give_the_same_chunks(texts: list[str]) -> None:
    sections = [Section(text) for text in texts]
    assert chunks(*sections) == chunks(*sections)
