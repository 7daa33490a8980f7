"""Parts leave at fixed moments, whatever the model does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from network.pacing import LONGEST_PART, AnswerPacer


def texts(parts):
    return [part.text for part in parts]


def test_the_first_words_leave_at_once():
    pacer = AnswerPacer(interval=0.2)
    assert pacer.due is None
    assert pacer.take(5.0) == []
    pacer.add("Hello", 10.0)
    assert pacer.due == 10.0
    assert texts(pacer.take(10.0)) == ["Hello"]


def test_later_words_wait_for_their_moment():
    pacer = AnswerPacer(interval=0.2)
    pacer.add("a", 10.0)
    pacer.take(10.0)
    pacer.add("b", 10.05)
    pacer.add("c", 10.1)
    assert pacer.take(10.15) == []
    assert texts(pacer.take(10.2)) == ["bc"]


def test_silence_sounds_like_words():
    pacer = AnswerPacer(interval=0.2)
    pacer.add("a", 10.0)
    pacer.take(10.0)
    assert texts(pacer.take(10.2)) == [""]
    assert texts(pacer.take(10.4)) == [""]


def test_missed_moments_are_left_out():
    pacer = AnswerPacer(interval=0.25)
    pacer.add("a", 10.0)
    pacer.take(10.0)
    pacer.add("b", 10.1)
    assert texts(pacer.take(11.1)) == ["b"]
    assert pacer.due == 11.25
    assert pacer.take(11.2) == []


def test_a_long_text_is_cut_and_the_rest_is_not_lost():
    pacer = AnswerPacer()
    pacer.add("x" * (LONGEST_PART * 2 + 5), 0.0)
    assert [len(text) for text in texts(pacer.take(0.0))] == [LONGEST_PART, LONGEST_PART, 5]
    pacer.add("end", 0.1)
    assert texts(pacer.rest()) == ["end"]
    assert pacer.rest() == []


def test_no_words_at_all_make_no_part():
    pacer = AnswerPacer()
    pacer.add("", 1.0)
    assert pacer.due is None
    assert pacer.rest() == []


@given(st.lists(st.tuples(st.floats(0, 0.5), st.text(max_size=30)), max_size=40))
def test_no_word_is_lost_and_the_rhythm_holds(events):
    pacer, now, moments, heard = AnswerPacer(interval=0.2), 100.0, [], ""
    for pause, text in events:
        now += pause
        pacer.add(text, now)
        if parts := pacer.take(now):
            moments.append(now)
            heard += "".join(texts(parts))
    heard += "".join(texts(pacer.rest()))
    assert heard == "".join(text for _, text in events)
    if moments:
        beats = [int((moment - moments[0]) / 0.2 + 1e-9) for moment in moments]
        assert len(set(beats)) == len(beats), "at most one departure in each interval"
