"""Passages are bounded, complete, in order, and the same every time."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterator

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


def test_a_heading_begins_a_new_passage_and_deeper_ones_only_where_there_is_enough() -> None:
    body = "Vent it slowly and close the valve. " * 5
    one, two = (
        Section("One\n\n" + body, heading="One", level=2),
        Section("Two\n\n" + body, heading="Two", level=2),
    )
    deeper = Section("Deeper\n\n" + body, heading="Deeper", level=3)
    assert [chunk.heading for chunk in split([one, two], 500, 80)] == ["One", "Two"]
    assert [chunk.heading for chunk in split([one, deeper], 500, 80)] == ["One"]
    assert [chunk.heading for chunk in split([one, deeper], 300, 80)] == ["One", "Deeper"]


def test_a_title_does_not_stand_alone() -> None:
    title = Section("Manual", heading="Manual", level=1)
    long = Section("Safety\n\n" + SENTENCES, heading="Safety", level=1)
    first, *_ = split([title, long], 200, 40)
    assert first.text.startswith("Manual\n\nSafety\n\nSentence number 0")


def test_a_passage_ends_with_its_paragraph_where_that_is_near() -> None:
    text = "\n\n".join("Short sentence here. " * 6 for _ in range(6)).replace(" \n", "\n")
    assert all(
        piece.endswith("here.") and piece.count("\n\n") == 0 for piece in chunks(Section(text), overlap=0)
    )


def test_code_is_kept_in_one_piece() -> None:
    code = "```python\n" + "\n\n".join(f"value_{n} = compute({n})" for n in range(5)) + "\n```"
    found = chunks(Section(SENTENCES + "\n\n" + code + "\n\n" + SENTENCES))
    assert sum(code in piece for piece in found) == 1


def test_lines_broken_by_a_width_are_no_borders() -> None:
    wrapped = textwrap.fill(SENTENCES, 60)
    assert all(piece.endswith(".") and piece.startswith("Sentence") for piece in chunks(Section(wrapped)))


def test_the_number_of_a_list_stays_with_its_item() -> None:
    text = " ".join(f"{n}. Open the valve number {n} with care" + "." for n in range(1, 30))
    assert not any(re.search(r"\d\.$", piece) for piece in chunks(Section(text)))


def test_sections_are_read_only_as_far_as_needed() -> None:
    read = 0

    def endless() -> Iterator[Section]:
        nonlocal read
        while True:
            read += 1
            yield Section(SENTENCES)

    assert len(list(itertools.islice(split(endless(), 200, 40), 10))) == 10
    assert read < 5


def test_text_without_spaces_is_cut_but_its_letters_are_not() -> None:
    assert all(len(piece) <= 100 for piece in chunks(Section("x" * 1050), size=100))
    family, accented = "👨\u200d👩\u200d👧", "e\u0301"
    for letter in (family, accented):
        assert all(set(piece.split(letter)) == {""} for piece in chunks(Section(letter * 300), size=101))


TEXTS = st.text(st.sampled_from("ab کتاب۱۲.؟!\n\n \n\t`#e\u0301\u200c"), max_size=1500) | st.text(
    max_size=300
)
SECTIONS = st.lists(
    st.builds(
        Section, TEXTS, st.sampled_from([None, 1, 1, 2]), st.sampled_from([None, "One"]), st.integers(0, 3)
    ),
    max_size=5,
)


@given(SECTIONS, st.integers(40, 400), st.floats(0, 0.9))
def test_chunks_are_bounded_and_hold_all_text_in_order(
    sections: list[Section], size: int, share: float
) -> None:
    text = "".join("".join(section.text.split()) for section in sections)
    ends = {0}  # up to where the text may be covered: text that repeats itself can be read in several ways
    for position, chunk in enumerate(split(sections, size, int(size * share))):
        assert chunk.position == position
        assert 0 < len(chunk.text) <= size
        letters = "".join(chunk.text.split())
        starts = [start for start in range(len(text)) if text.startswith(letters, start)]
        ends = {
            start + len(letters) for start in starts if any(0 <= end - start < len(letters) for end in ends)
        }
    assert len(text) in ends


@given(st.lists(st.text(max_size=300), max_size=8))
def test_the_same_sections_give_the_same_chunks(texts: list[str]) -> None:
    sections = [Section(text) for text in texts]
    assert chunks(*sections) == chunks(*sections)
