"""No answer repeats a shared document at length."""

import pytest

from app.core.network.quote_guard import QUOTE_CHARACTERS, QuoteGuard, shortened

DOCUMENT = " ".join(f"word{number}" for number in range(200))


def said(guard, pieces):
    heard = ""
    for piece in pieces:
        heard += guard.take(piece)
        if guard.tripped:
            break
    return heard


@pytest.mark.parametrize("size", [1, 7, 5_000])
def test_a_repeated_document_is_cut_off_at_the_limit_however_it_arrives(size):
    guard = QuoteGuard([DOCUMENT])
    heard = said(guard, [DOCUMENT[at : at + size] for at in range(0, len(DOCUMENT), size)])
    assert guard.tripped
    assert len("".join(heard.split())) == QUOTE_CHARACTERS


def test_line_breaks_and_capitals_are_no_way_round_it():
    guard = QuoteGuard([DOCUMENT])
    said(guard, ["So it goes: ", DOCUMENT.upper().replace(" ", "\n\n")])
    assert guard.tripped


@pytest.mark.parametrize("between", [". [1] ", " [۱، ۲] ", "\u200b", " “", "**"])
def test_citations_and_marks_in_between_are_no_way_round_it(between):
    """Models are told to cite after every sentence, so a recital looks like this."""
    guard = QuoteGuard([DOCUMENT.replace(" word9 ", " word9. ")])
    words = DOCUMENT.split()
    parts = [" ".join(words[at : at + 10]) for at in range(0, 200, 10)]
    heard = said(guard, list(between.join(parts)))
    assert guard.tripped
    assert len(heard) < 2 * QUOTE_CHARACTERS


def test_what_merely_stands_in_brackets_is_watched_too():
    guard = QuoteGuard([DOCUMENT])
    said(guard, [f"[{DOCUMENT}]"])
    assert guard.tripped


def test_an_answer_in_its_own_words_with_short_quotations_is_whole():
    answer = " ".join(f"As it says, “{DOCUMENT[at : at + 150]}”, which is to say." for at in (0, 300, 600))
    guard = QuoteGuard([DOCUMENT])
    assert said(guard, [answer]) == answer
    assert not guard.tripped


def test_a_short_document_may_be_said_whole():
    guard = QuoteGuard(["A sentence."])
    assert said(guard, ["A sentence."] * 50) == "A sentence." * 50


def test_quotations_end_at_a_word():
    assert shortened("A  short\none.") == "A short one."
    cut = shortened(DOCUMENT)
    assert len(cut) <= QUOTE_CHARACTERS
    assert cut.endswith("…")
    assert DOCUMENT.startswith(cut[:-1] + " ")
    assert len(shortened("x" * 500)) == QUOTE_CHARACTERS
