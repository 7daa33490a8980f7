"""The speed that is shown follows the last seconds."""

from __future__ import annotations

import pytest

from app.core.download import Download, DownloadState, Order
from app.core.speed import Speed
from tests.app.core.downloading import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def speed(clock: Clock) -> Speed:
    return Speed(clock=clock)


def feed(speed: Speed, clock: Clock, *, seconds: float, rate: int, done: int = 0) -> int:
    for _ in range(int(seconds * 10)):
        clock.now += 0.1
        done += rate // 10
        speed.report(done)
    return done


def test_in_the_first_second_nobody_can_know(speed, clock):
    assert speed.per_second() is None
    speed.report(0)
    clock.now += 0.9
    speed.report(10_000_000)
    assert speed.per_second() is None


def test_an_even_speed_is_told_as_it_is(speed, clock):
    feed(speed, clock, seconds=30, rate=1_000_000)
    assert speed.per_second() == pytest.approx(1_000_000, rel=0.05)


def test_what_was_long_before_does_not_count(speed, clock):
    done = feed(speed, clock, seconds=60, rate=10_000_000)
    feed(speed, clock, seconds=10, rate=1_000_000, done=done)
    assert speed.per_second() == pytest.approx(1_000_000, rel=0.05)


def test_when_nothing_comes_any_more_the_speed_falls_to_nothing(speed, clock):
    done = feed(speed, clock, seconds=10, rate=1_000_000)
    feed(speed, clock, seconds=4, rate=0, done=done)
    assert 300_000 < speed.per_second() < 700_000
    feed(speed, clock, seconds=10, rate=0, done=done)
    assert speed.per_second() == 0


def test_a_new_beginning_is_measured_anew(speed, clock):
    feed(speed, clock, seconds=10, rate=1_000_000)
    speed.report(0)
    assert speed.per_second() is None


def test_the_time_left_follows_from_the_speed(speed, clock):
    assert speed.seconds_left(5_000_000) is None
    done = feed(speed, clock, seconds=2, rate=1_000_000)
    assert speed.seconds_left(5_000_000) == pytest.approx(3, rel=0.1)
    assert speed.seconds_left(done) == 0
    feed(speed, clock, seconds=10, rate=0, done=done)
    assert speed.seconds_left(5_000_000) is None


@pytest.mark.parametrize("seconds", [5, 60])
def test_slow_work_is_watched_for_longer(clock, seconds):
    speed = Speed(window_seconds=seconds, first_seconds=3, clock=clock)
    speed.report(0)
    clock.now += 2
    speed.report(2)
    assert speed.per_second() is None
    for done in range(4, 200, 2):
        clock.now += 2
        speed.report(done)
    for step in range(1, 11):
        clock.now += 1
        speed.report(198 + 10 * step)
    assert speed.per_second() == pytest.approx(10 if seconds == 5 else (50 + 100) / 60, rel=0.1)


@pytest.mark.parametrize(
    ("state", "total", "rate", "left"),
    [
        (DownloadState.RUNNING, 3000, 100.0, 20.0),
        (DownloadState.RUNNING, 3000, 0.0, None),
        (DownloadState.RUNNING, 3000, None, None),
        (DownloadState.RUNNING, None, 100.0, None),
        (DownloadState.PAUSED, 3000, 100.0, None),
    ],
)
def test_the_time_left_is_told_only_where_it_can_be_known(state, total, rate, left):
    order = Order(repository="owner/name", commit="c0ffee", file="a.gguf", bytes=total, name="A")
    assert Download(1, order, state, 1000, bytes_per_second=rate).seconds_left == left
