"""A model's [3] counts only where source 3 exists."""

import pytest

from app.core.citations import cited, cited_numbers
from app.core.messages import Citation


def source(number: int, text: str = "text") -> Citation:
    return Citation(number, number * 10, 1, "Guide", None, None, text)


SOURCES = (source(1), source(2), source(3))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Vent it in October [2]. Then [1].", (2, 1)),
        ("Both [1, 3] say so [1].", (1, 3)),
        ("One after the other [1][2], [ 3 ].", (1, 2, 3)),
        ("هر دو [۱، ۲] و [۳][۱].", (1, 2, 3)),
        ("كلاهما [٢].", (2,)),
        ("A mark at the end [1", ()),
        ("[one], [1a], [-1], [1.5] and [] are none", ()),
        ("در مهر هواگیری کنید [۲]، سپس [۳].", (2, 3)),
        ("`values[1]` and a [1](link) are none", ()),
        ("```\nlist[2]\n```", ()),
        ("[2024] is a year, not a source", ()),
        ("nothing", ()),
    ],
)
def test_numbers_are_read_from_text_but_not_from_code_or_links(text: str, numbers: tuple[int, ...]) -> None:
    assert cited_numbers(text) == numbers


def test_only_cited_sources_are_shown_in_the_order_of_citing() -> None:
    assert [c.number for c in cited("First [3], then [1].", SOURCES)] == [3, 1]


def test_a_citation_of_a_source_that_does_not_exist_is_dropped() -> None:
    assert cited("As said in [9] and [0].", SOURCES) == ()
    assert cited("As said in [2, 9].", SOURCES) == (SOURCES[1],)
    assert cited("As said in [1].", ()) == ()


def test_an_answer_that_repeats_a_source_without_citing_rests_on_it() -> None:
    boiler = source(1, "The boiler must be vented every October through the red valve.")
    bike = source(2, "The bicycle chain needs oil.")
    assert cited("The boiler must be vented every October.", (bike, boiler)) == (boiler,)
    assert cited("I am a helpful assistant without documents.", (bike, boiler)) == ()
