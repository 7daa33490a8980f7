"""Several answers become one, and it is told how far they agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from network.aggregation import medoid, merge_ranked, normalised, vote

NORTH, NEARLY_NORTH, EAST, WEST = [0.0, 1.0], [0.1, 1.0], [1.0, 0.0], [-1.0, 0.0]


def vectors(*rows):
    return np.array(rows, dtype=np.float32)


def test_two_that_agree_win_over_one():
    opinion = medoid(vectors(EAST, NORTH, NEARLY_NORTH), [0.5, 0.5, 0.5], same=0.9)
    assert opinion.best in (1, 2)
    assert opinion.agreeing == (1, 2)
    assert [opinion.agreed(place) for place in range(3)] == [False, True, True]


def test_trust_decides_where_nobody_agrees():
    opinion = medoid(vectors(EAST, NORTH, WEST), [0.5, 0.5, 0.9], same=0.9)
    assert (opinion.best, opinion.agreeing) == (2, (2,))
    assert [opinion.agreed(place) for place in range(3)] == [None, None, None]


def test_two_strangers_do_not_outvote_one_that_is_trusted():
    opinion = medoid(vectors(EAST, EAST, NORTH), [0.3, 0.3, 0.9], same=0.9)
    assert opinion.best == 2
    assert opinion.agreed(0), "they did agree with each other"
    assert not opinion.agreed(2)


def test_the_one_in_the_middle_of_those_that_agree_stands_for_them():
    opinion = medoid(vectors([0.3, 1.0], [0.15, 1.0], [0.0, 1.0]), [0.5, 0.5, 0.5], same=0.9)
    assert opinion.best == 1


def test_one_answer_stands_alone():
    opinion = medoid(vectors(NORTH), [0.5], same=0.9)
    assert (opinion.best, opinion.agreeing, opinion.agreed(0)) == (0, (0,), None)


def test_vectors_of_any_length_and_empty_ones_do_no_harm():
    opinion = medoid(vectors([0.0, 5.0], [0.0, 0.001], [0.0, 0.0]), [0.5, 0.5, 0.5], same=0.9)
    assert opinion.best in (0, 1)


@given(
    arrays.arrays(np.float32, st.tuples(st.integers(1, 6), st.just(4)), elements=st.floats(-1, 1, width=32)),
    st.floats(0.5, 0.99),
)
def test_every_set_of_vectors_has_an_opinion(matrix, same):
    trust = [0.1 + place / 10 for place in range(len(matrix))]
    opinion = medoid(matrix, trust, same)
    assert opinion.best in opinion.agreeing
    assert (len(opinion.agreeing) > 1) == (opinion.agreed(opinion.best) is True)
    assert all(opinion.agreed(place) is not None for place in range(len(matrix))) == bool(opinion.supported)


@pytest.mark.parametrize(
    ("texts", "trust", "best", "agreeing"),
    [
        (["42", "41", "42."], [0.5, 0.5, 0.5], 0, (0, 2)),
        (["۴۲", "42", "٤٢"], [0.2, 0.9, 0.2], 1, (0, 1, 2)),
        (["Yes", "no", "YES!"], [0.5, 0.9, 0.5], 1, (1,)),
        (["بلی", "بلي", "خیر"], [0.5, 0.5, 0.5], 0, (0, 1)),
        (["“Paris”", "paris", "Rome"], [0.1, 0.5, 0.5], 1, (0, 1)),
    ],
)
def test_short_answers_are_counted(texts, trust, best, agreeing):
    opinion = vote(texts, trust)
    assert (opinion.best, opinion.agreeing) == (best, agreeing)


@pytest.mark.parametrize(
    "texts", [["42", "The answer is forty-two, as far as I can tell from it."], ["", "42"], ["…"]]
)
def test_longer_answers_and_silence_are_not_counted(texts):
    assert vote(texts, [0.5] * len(texts)) is None


@pytest.mark.parametrize("decide", [lambda t: vote(["a"], t), lambda t: medoid(vectors(NORTH), t, 0.9)])
def test_every_answer_needs_its_trust(decide):
    with pytest.raises(ValueError, match="trust"):
        decide([])
    with pytest.raises(ValueError, match="trust"):
        decide([0.5, 0.5])


def test_nothing_is_not_an_opinion():
    with pytest.raises(ValueError, match="trust"):
        vote([], [])
    with pytest.raises(ValueError, match="trust"):
        medoid(np.zeros((0, 4), dtype=np.float32), [], 0.9)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  Hello,\n World! ", "hello, world"),
        ("می‌روم", "میروم"),
        ("ﷲ", "الله"),
        ("3,5 %", "3,5"),
        ("x²", "x2"),
    ],
)
def test_normalised_answers(text, plain):
    assert normalised(text) == plain


def test_passages_that_several_found_come_first():
    assert merge_ranked([["a", "b", "c"], ["b", "d"], ["b", "a"]])[:2] == ["b", "a"]


def test_a_passage_counts_once_in_each_list_and_trust_counts():
    assert merge_ranked([["a"] * 50, ["b"]], trust=[0.5, 1.0]) == ["b", "a"]
    assert merge_ranked([]) == []
