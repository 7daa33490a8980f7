from __future__ import annotations

import random
from itertools import count, cycle, islice

import pytest

from engines.llama_cpp.repetition import RepetitionGuard


def ended_at(tokens: list[int]) -> int | None:
    """After how many tokens the guard ends this answer."""
    guard = RepetitionGuard()
    return next((number for number, token in enumerate(tokens, 1) if guard.circles(token)), None)


@pytest.mark.parametrize(
    ("length", "latest"), [(1, 208), (2, 208), (7, 208), (25, 208), (48, 208), (90, 390), (128, 530)]
)
def test_a_block_over_and_over_is_a_circle(length: int, latest: int) -> None:
    number = ended_at(list(islice(cycle(range(length)), 2_000)))
    assert number is not None
    assert 192 <= number <= latest


def test_a_circle_is_found_behind_a_good_beginning() -> None:
    beginning = list(range(1_000, 1_777))
    number = ended_at([*beginning, *islice(cycle(range(30)), 2_000)])
    assert number is not None
    assert len(beginning) + 192 <= number <= len(beginning) + 208


def test_varied_text_goes_on() -> None:
    words = random.Random(1)
    assert ended_at([words.randrange(50) for _ in range(20_000)]) is None


@pytest.mark.parametrize("times", [1, 3, 20])
def test_a_refrain_is_no_circle(times: int) -> None:
    song = [*range(100, 160), *([7, 8, 9] * times)] * 3
    assert ended_at(song) is None


def test_a_list_whose_numbers_grow_is_no_circle() -> None:
    numbers = count(1_000)
    assert ended_at([token for _ in range(500) for token in (1, 2, 3, next(numbers), 4)]) is None
