"""Lengths tell little, and padding is read strictly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from network.padding import PaddingBroken, pad_chunk, pad_question, padme, unpad


@given(st.binary(max_size=3_000))
def test_what_was_padded_comes_back(text):
    assert unpad(pad_question(text)) == text
    assert unpad(pad_chunk(text)) == text


def test_short_questions_are_all_alike():
    assert {len(pad_question(b"x" * size)) for size in range(509)} == {512}


def test_long_questions_grow_by_a_fifteenth_at_most_and_have_few_sizes():
    sizes = {padme(size) for size in range(512, 524_288, 37)}
    assert len(sizes) < 256
    assert all(size <= padme(size) < size * 16 / 15 for size in range(512, 524_288, 37))


@pytest.mark.parametrize(
    ("length", "padded"), [(0, 0), (1, 1), (9, 10), (512, 512), (1_000, 1_024), (1_025, 1_088)]
)
def test_padme_is_the_published_function(length, padded):
    assert padme(length) == padded


def test_a_few_words_look_like_none():
    assert {len(pad_chunk(b"x" * size)) for size in range(61)} == {64}
    assert len(pad_chunk(b"x" * 61)) == 128


@pytest.mark.parametrize(
    "padded", [b"", b"\0\0\0", b"\0\0\0\1", b"\0\0\0\0\1", b"\xff\xff\xff\xffab", b"\0\0\0\1ab"]
)
def test_anything_else_is_refused(padded):
    with pytest.raises(PaddingBroken):
        unpad(padded)
