"""How long it will still take."""

from __future__ import annotations

import pytest

from app.core.pace import Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_steady_work_is_foreseen(clock):
    pace = Pace(clock)
    assert pace.seconds_left(0, 100) is None
    clock.now += 10
    assert pace.seconds_left(20, 100) == pytest.approx(40)


def test_the_first_moments_say_nothing(clock):
    pace = Pace(clock)
    pace.seconds_left(0, 100)
    clock.now += 1
    assert pace.seconds_left(50, 100) is None


def test_work_that_stands_still_is_not_foreseen(clock):
    pace = Pace(clock)
    pace.seconds_left(5, 100)
    clock.now += 10
    assert pace.seconds_left(5, 100) is None


def test_only_the_last_minute_counts(clock):
    pace = Pace(clock)
    pace.seconds_left(0, 10_000)
    for _ in range(100):  # one a second, then ten a second
        clock.now += 1
        pace.seconds_left(_ + 1, 10_000)
    for _ in range(100):
        clock.now += 1
        left = pace.seconds_left(100 + 10 * (_ + 1), 10_000)
    assert left == pytest.approx((10_000 - 1100) / 10)


def test_work_that_begins_again_is_measured_anew(clock):
    pace = Pace(clock)
    pace.seconds_left(90, 100)
    clock.now += 10
    assert pace.seconds_left(10, 100) is None
    clock.now += 10
    assert pace.seconds_left(20, 100) == pytest.approx(80)
