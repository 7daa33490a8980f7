"""Who begins first where several answers share one context window, and who may be stopped."""

from __future__ import annotations

import threading

from engines.llama_cpp.turns import Turn
from engines.protocol import Priority
from engines.xllamacpp.turns import SeveralTurns
from engines.xllamacpp.window import Window, claim

WINDOW = 100


def entered(turns: SeveralTurns, tokens: int | None, *, user: bool = False, group: str = "") -> Turn:
    """A turn in the queue; without tokens, its prompt is still being counted."""
    priority = Priority.USER if user else Priority.BACKGROUND
    turn = Turn(priority, group, pause=lambda: None, resume=lambda: None)
    turns.enter(turn)
    if tokens is not None:
        turns.fits(turn, tokens, WINDOW)
    return turn


async def test_answers_begin_together_while_there_is_room() -> None:
    turns = SeveralTurns(4)

    first, second, third = (entered(turns, 40) for _ in range(3))

    assert [turn.granted.done() for turn in (first, second, third)] == [True, True, False]
    turns.leave(first)
    assert third.granted.done()


async def test_no_more_answers_than_places_begin() -> None:
    turns = SeveralTurns(2)

    waiting = [entered(turns, 1) for _ in range(3)]

    assert [turn.granted.done() for turn in waiting] == [True, True, False]


async def test_the_user_comes_before_workers_that_waited_longer() -> None:
    turns = SeveralTurns(4)
    running, worker = entered(turns, 80), entered(turns, 60)
    user = entered(turns, 60, user=True)

    turns.leave(running)

    assert (user.granted.done(), worker.granted.done()) == (True, False)


async def test_short_prompts_do_not_pass_a_long_one_for_ever() -> None:
    turns = SeveralTurns(4)
    running, long, short = entered(turns, 50), entered(turns, 100), entered(turns, 10)

    assert not short.granted.done()
    turns.leave(running)
    assert (long.granted.done(), short.granted.done()) == (True, False)
    turns.leave(long)
    assert short.granted.done()


async def test_groups_take_turns() -> None:
    turns = SeveralTurns(1)
    running = entered(turns, 100, group="many")
    second, other = entered(turns, 100, group="many"), entered(turns, 100, group="one")

    turns.leave(running)

    assert (second.granted.done(), other.granted.done()) == (False, True)


async def test_a_prompt_that_is_still_being_counted_holds_up_nobody() -> None:
    turns = SeveralTurns(4)
    uncounted, worker = entered(turns, None, user=True), entered(turns, 10)

    assert (uncounted.granted.done(), worker.granted.done()) == (False, True)
    turns.fits(uncounted, 10, WINDOW)
    assert uncounted.granted.done()


async def test_a_prompt_that_nobody_wants_any_more_takes_no_room_once_it_is_counted() -> None:
    turns = SeveralTurns(4)
    gone = entered(turns, None)
    turns.leave(gone)

    turns.fits(gone, 100, WINDOW)

    assert not gone.granted.done()
    assert entered(turns, 100).granted.done()


async def test_stop_means_the_users_answers_that_run_else_the_one_that_waits_else_the_workers() -> None:
    turns = SeveralTurns(4)
    assert turns.to_end() == []
    worker = entered(turns, 60)
    assert turns.to_end() == [worker]
    waiting = entered(turns, 60, user=True)
    assert turns.to_end() == [waiting]
    turns.leave(worker)
    running = entered(turns, 40, user=True)
    assert turns.to_end() == [waiting, running]


def test_room_is_held_until_its_answer_has_left_the_model() -> None:
    window, began, inside = Window(100), threading.Event(), threading.Event()

    def answer() -> None:
        began.set()
        with window.room(60):
            inside.set()

    with window.room(60):
        waiting = threading.Thread(target=answer)
        waiting.start()
        assert began.wait(60)
        assert not inside.is_set()
    waiting.join(60)
    assert inside.is_set()


def test_an_answer_takes_more_room_while_it_is_free() -> None:
    window = Window(100)

    with window.room(50) as one, window.room(30) as other:
        assert one.holds(50)
        assert one.holds(70)
        assert not one.holds(71)
        assert not other.holds(31)

    with window.room(100) as whole:
        assert whole.holds(100)


def test_an_answer_claims_its_limit_and_one_without_a_limit_a_share() -> None:
    assert claim(10, 20, 100) == 30
    assert claim(90, 20, 100) == 100
    assert claim(90, -1, 100) == 90
    assert claim(10, None, 80) == 20
