"""How long to wait before the next try."""

import pytest

from network.backoff import Backoff


def test_waits_grow_until_a_limit_and_never_beyond():
    backoff = Backoff(first=0.5, longest=8.0, chance=lambda: 1.0)
    assert [backoff.next_seconds() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]


def test_chance_decides_between_nothing_and_the_bound():
    backoff = Backoff(first=1.0, chance=iter([0.0, 0.5]).__next__)
    assert [backoff.next_seconds(), backoff.next_seconds()] == [0.0, 1.0]


def test_after_a_success_it_begins_anew():
    backoff = Backoff(first=1.0, chance=lambda: 1.0)
    backoff.next_seconds()
    backoff.next_seconds()
    backoff.succeeded()
    assert (backoff.tries, backoff.next_seconds()) == (0, 1.0)


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_nobody_comes_back_before_the_other_side_wants_it(chance):
    assert Backoff(first=1.0, chance=lambda: chance).next_seconds(at_least=20.0) == 20.0 + chance


def test_thousands_of_tries_do_no_harm():
    backoff = Backoff(longest=30.0, chance=lambda: 1.0)
    assert max(backoff.next_seconds() for _ in range(5_000)) == 30.0
