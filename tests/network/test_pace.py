"""A worker may speak as fast as its answers need, and floods nobody."""

from __future__ import annotations

from network.router.pace import MESSAGES_PER_SECOND, MESSAGES_PER_SLOT, SECONDS_AT_ONCE, Pace


def test_answers_in_all_slots_are_never_slowed_down():
    slots, listening = 8, Pace(8, now=0.0)
    for beat in range(5 * 600):  # ten minutes
        waits = [listening.message(beat / 5) for _ in range(slots)]
        assert waits == [0.0] * slots


def test_a_flood_is_read_no_faster_than_it_may_be():
    listening, clock, read = Pace(1, now=0.0), 0.0, 0
    while clock < 60:
        clock += listening.message(clock)
        read += 1
    allowed = (MESSAGES_PER_SECOND + MESSAGES_PER_SLOT) * (60 + SECONDS_AT_ONCE)
    assert read <= allowed + 2


def test_after_a_pause_much_may_come_at_once():
    listening = Pace(1, now=0.0)
    at_once = (MESSAGES_PER_SECOND + MESSAGES_PER_SLOT) * SECONDS_AT_ONCE
    for moment in (1_000.0, 2_000.0):
        assert [listening.message(moment) for _ in range(at_once)] == [0.0] * at_once
        assert listening.message(moment) > 0
