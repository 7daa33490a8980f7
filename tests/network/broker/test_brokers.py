"""What every broker promises; see `network.broker.protocol`."""

from __future__ import annotations

import asyncio
import random

import pytest

from network.broker.protocol import Change, Claim, JobState, NodeState, Passed, QueueLoad
from network.broker.settlement import MOST_ATTEMPTS
from network.errors import QueueConflict, QueueFull
from network.protocol.answers import AnswerChunk, AnswerStart
from network.protocol.groups import Membership
from network.protocol.message import Signed, encode
from tests.network.broker.conftest import LIMITS, Place, job, node

A, B, C = node("a"), node("b"), node("c")
TICKET = Signed(statement=b"ticket", signature=bytes(64))


async def take(broker, who):
    [handout] = await broker.lease(who, 1)
    return handout


# Questions


async def test_a_question_goes_to_its_workers_and_to_no_spare(broker):
    one = job(ticket=TICKET)
    assert await broker.submit(one) == 0
    handout = await take(broker, A)
    assert (handout.claim, handout.body) == (Claim(one.job, A, 1), one.body)
    assert (handout.grant, handout.ticket, handout.expires) == (one.grants[0][1], TICKET, one.expires)
    assert (await take(broker, B)).grant == one.grants[1][1]
    assert await broker.lease(C, 5) == []
    assert await broker.lease(A, 5) == []


async def test_it_is_done_when_all_its_workers_have_answered(broker):
    await broker.submit(job())
    one, two = await take(broker, A), await take(broker, B)
    assert await broker.finish(one.claim) is JobState.OPEN
    assert await broker.finish(two.claim) is JobState.DONE
    assert await broker.state(job().job) is JobState.DONE
    assert await broker.lease(C, 1) == []


async def test_an_answer_counts_once(broker):
    await broker.submit(job())
    handout = await take(broker, A)
    await broker.finish(handout.claim)
    assert await broker.finish(handout.claim) is None
    assert not await broker.renew(handout.claim)
    assert await broker.give_back(handout.claim, final=True) is None


async def test_a_worker_gets_no_more_than_its_credit_and_the_oldest_first(broker):
    for number in range(5):
        await broker.submit(job(number, nodes="a", workers=1))
    assert [handout.claim.job for handout in await broker.lease(A, 2)] == [job(0).job, job(1).job]
    assert await broker.lease(A, 0) == []
    assert await broker.lease(A, -1) == []
    assert len(await broker.lease(A, 9)) == 3


async def test_the_position_counts_what_waits_before_it(broker):
    for number in range(3):
        assert await broker.submit(job(number, nodes="a", workers=1)) == number
    assert await broker.submit(job(7, nodes="ab")) == 0, "the other worker is free"


async def test_sending_twice_does_no_harm(broker):
    await broker.submit(job())
    await broker.submit(job())
    await take(broker, A)
    assert await broker.lease(A, 5) == []
    await broker.cancel(job().job)
    assert await broker.submit(job()) == 0
    assert await broker.lease(B, 5) == [], "what has ended does not begin again"


async def test_another_question_with_the_same_number_is_refused(broker):
    await broker.submit(job())
    for other in (job(body=b"other"), job(nodes="abd")):
        with pytest.raises(QueueConflict):
            await broker.submit(other)


async def test_beyond_its_capacity_it_refuses_and_keeps_what_it_has(broker):
    for number in range(LIMITS.jobs):
        await broker.submit(job(number))
    with pytest.raises(QueueFull) as caught:
        await broker.submit(job(99))
    assert caught.value.position == LIMITS.jobs
    assert caught.value.wait_seconds > 0
    assert await broker.state(job(99).job) is None
    assert len(await broker.lease(A, 100)) == LIMITS.jobs
    await broker.cancel(job(3).job)
    await broker.submit(job(99))


async def test_its_bytes_are_limited_too_and_ended_questions_take_none(broker):
    for number in range(30):
        await broker.submit(job(number, body=bytes(30_000)))
        await broker.submit(job(number, body=bytes(30_000)))
        await broker.cancel(job(number).job)
    for number in range(100, 103):
        await broker.submit(job(number, body=bytes(30_000)))
    with pytest.raises(QueueFull):
        await broker.submit(job(103, body=bytes(30_000)))


# Leases


async def test_signs_of_life_keep_a_question(broker, time):
    await broker.submit(job(nodes="a", workers=1))
    handout = await take(broker, A)
    for _ in range(5):
        time.passes(14)
        assert await broker.renew(handout.claim)
        assert await broker.sweep() == []
    assert await broker.finish(handout.claim) is JobState.DONE


async def test_a_spare_steps_in_for_a_silent_worker_whose_late_answer_does_not_count(broker, time):
    await broker.submit(job())
    silent, good = await take(broker, A), await take(broker, B)
    time.passes(14)
    await broker.renew(good.claim)
    time.passes(2)
    assert await broker.sweep() == [Change(job().job, "spare", C)]
    assert await broker.finish(silent.claim) is None
    assert await broker.lease(A, 1) == []
    spare = await take(broker, C)
    assert await broker.finish(spare.claim) is JobState.OPEN
    assert await broker.finish(good.claim) is JobState.DONE


async def test_without_a_spare_the_same_worker_may_try_again_under_another_attempt(broker, time):
    await broker.submit(job(nodes="a", workers=1))
    first = await take(broker, A)
    time.passes(16)
    assert await broker.sweep() == [Change(job().job, "retrying", A)]
    second = await take(broker, A)
    assert second.claim.attempt == 2
    assert await broker.finish(first.claim) is None
    assert await broker.finish(second.claim) is JobState.DONE


async def test_two_silent_workers_with_one_spare(broker, time):
    await broker.submit(job())
    await take(broker, A)
    await take(broker, B)
    time.passes(16)
    changes = await broker.sweep()
    assert sorted(change.event for change in changes) == ["retrying", "spare"]
    live = [await broker.lease(who, 1) for who in (A, B, C)]
    assert sum(map(len, live)) == 2, "as many are at it as were wanted"


async def test_nobody_tries_for_ever(broker, time):
    await broker.submit(job(nodes="a", workers=1))
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert (await take(broker, A)).claim.attempt == attempt
        time.passes(16)
        changes = await broker.sweep()
    assert changes == [Change(job().job, "failed")]
    assert await broker.state(job().job) is JobState.FAILED


async def test_what_arrived_counts_when_the_others_fail(broker, time):
    await broker.submit(job(nodes="ab"))
    one, two = await take(broker, A), await take(broker, B)
    await broker.finish(one.claim)
    assert await broker.give_back(two.claim, final=True) is JobState.DONE


async def test_a_worker_that_cannot_is_replaced_at_once(broker):
    await broker.submit(job())
    handout = await take(broker, A)
    assert await broker.give_back(handout.claim, final=True) is JobState.OPEN
    assert (await take(broker, C)).claim.attempt == 1
    assert await broker.lease(A, 1) == []


async def test_a_busy_worker_without_a_spare_is_asked_again_later(broker, time):
    await broker.submit(job(nodes="a", workers=1))
    handout = await take(broker, A)
    assert await broker.give_back(handout.claim, final=False, wait_seconds=5) is JobState.OPEN
    assert await broker.lease(A, 1) == []
    time.passes(5)
    assert (await take(broker, A)).claim.attempt == 2


async def test_nobody_left_means_failed(broker):
    await broker.submit(job(nodes="a", workers=1))
    handout = await take(broker, A)
    assert await broker.give_back(handout.claim, final=True) is JobState.FAILED


async def test_a_worker_that_does_not_come_is_replaced(broker, time):
    await broker.submit(job())
    await take(broker, B)
    time.passes(11)
    assert Change(job().job, "spare", C) in await broker.sweep()
    assert await broker.lease(A, 1) == []
    await take(broker, C)


async def test_without_a_spare_a_question_waits_for_its_worker(broker, time):
    """A phone that sleeps: the question lies in its mailbox."""
    await broker.submit(job(nodes="a", workers=1))
    time.passes(300)
    assert await broker.sweep() == []
    await take(broker, A)


# Time


async def test_an_expired_question_is_handed_to_nobody(broker, time):
    await broker.submit(job())
    await take(broker, A)
    time.passes(601)
    assert await broker.lease(B, 1) == []
    assert await broker.sweep() == [Change(job().job, "expired")]
    assert await broker.sweep() == []
    assert await broker.state(job().job) is JobState.EXPIRED


async def test_a_question_that_arrives_too_late_is_never_handed_out(broker):
    await broker.submit(job(expires=1_700_000_000))
    assert await broker.state(job().job) is JobState.EXPIRED
    assert await broker.lease(A, 1) == []


async def test_ended_questions_are_forgotten_when_nobody_can_send_them_again(broker, time):
    await broker.submit(job())
    await broker.cancel(job().job)
    time.passes(700)
    await broker.sweep()
    assert await broker.state(job().job) is JobState.CANCELLED
    time.passes(300)
    await broker.sweep()
    assert await broker.state(job().job) is None


async def test_setting_the_clock_forward_ends_no_lease(broker, time):
    await broker.submit(job(expires=1_900_000_000))
    handout = await take(broker, A)
    time.wall += 3_600
    assert await broker.sweep() == []
    assert await broker.finish(handout.claim) is JobState.OPEN


async def test_cancelling_tells_who_is_at_it_and_ends_it(broker):
    await broker.submit(job())
    handout = await take(broker, B)
    assert await broker.cancel(job().job) == [B]
    assert await broker.cancel(job().job) == []
    assert await broker.finish(handout.claim) is None
    assert await broker.lease(A, 1) == []
    assert await broker.state(job().job) is JobState.CANCELLED


async def test_unknown_questions_are_unknown(broker):
    claim = Claim("9" * 32, A, 1)
    assert await broker.state("9" * 32) is None
    assert await broker.cancel("9" * 32) == []
    assert await broker.finish(claim) is None
    assert not await broker.renew(claim)
    assert not await broker.emit("9" * 32, b"frame")
    assert [frame async for frame in broker.frames("9" * 32)] == []


# Waiting


async def test_a_waiting_worker_is_woken_by_a_question(broker):
    waiting = asyncio.create_task(broker.lease(A, 1, wait_seconds=60))
    other = asyncio.create_task(broker.lease(C, 1, wait_seconds=60))
    await asyncio.sleep(0)
    await broker.submit(job())
    [handout] = await asyncio.wait_for(waiting, 5)
    assert handout.claim.node == A
    await broker.give_back(handout.claim, final=True)
    [spare] = await asyncio.wait_for(other, 5)
    assert spare.claim.node == C


async def test_a_question_is_not_lost_with_the_worker_that_was_to_get_it(place: Place):
    """The link breaks while the question is being taken: the next one of that worker gets it."""
    broker = await place.open()
    await broker.submit(job(nodes="a", workers=1))
    for _ in range(MOST_ATTEMPTS - 1):
        leaving = asyncio.create_task(broker.lease(A, 1, wait_seconds=60))
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
    [handout] = await asyncio.wait_for(broker.lease(A, 1, wait_seconds=60), 5)
    assert await broker.finish(handout.claim) is JobState.DONE


# Answers


async def test_an_asker_hears_everything_in_order_until_the_end(broker):
    await broker.submit(job(nodes="a", workers=1))
    handout = await take(broker, A)

    async def listen():
        return [frame.data async for frame in broker.frames(job().job)]

    listening = asyncio.create_task(listen())
    for number in range(3):
        assert await broker.emit(job().job, b"%d" % number)
    await broker.finish(handout.claim)
    assert await asyncio.wait_for(listening, 5) == [b"0", b"1", b"2"]
    assert not await broker.emit(job().job, b"late")


async def test_who_comes_back_goes_on_where_it_was(broker):
    await broker.submit(job(nodes="a", workers=1))
    for number in range(4):
        await broker.emit(job().job, b"%d" % number)
    await broker.cancel(job().job)
    everything = [frame async for frame in broker.frames(job().job)]
    assert [frame.data for frame in everything] == [b"0", b"1", b"2", b"3"]
    rest = [frame async for frame in broker.frames(job().job, after=everything[1].id)]
    assert rest == everything[2:]


async def test_two_listeners_hear_the_same_and_none_hears_another_question(broker):
    await broker.submit(job(1))
    await broker.submit(job(2))

    async def listen(number):
        return [frame.data async for frame in broker.frames(job(number).job)]

    listening = [asyncio.create_task(listen(number)) for number in (1, 1, 2)]
    await broker.emit(job(1).job, b"one")
    await broker.emit(job(2).job, b"two")
    await broker.cancel(job(1).job)
    await broker.cancel(job(2).job)
    assert await asyncio.wait_for(asyncio.gather(*listening), 5) == [[b"one"], [b"one"], [b"two"]]


async def test_an_answer_is_kept_for_a_while_after_its_end_and_then_forgotten(broker, time):
    await broker.submit(job())
    await broker.emit(job().job, b"frame")
    await broker.cancel(job().job)
    time.passes(59)
    await broker.sweep()
    assert [frame.data async for frame in broker.frames(job().job)] == [b"frame"]
    time.passes(2)
    await broker.sweep()
    assert [frame async for frame in broker.frames(job().job)] == []


# Presence


async def test_workers_are_there_until_they_leave_or_fall_silent(broker, time):
    card = Signed(statement=b"card", signature=bytes(64))
    states = [NodeState(node=who, card=card, credit=1) for who in (A, B, C)]
    for state in states:
        await broker.announce(state, seconds=30)
    await broker.withdraw(B)
    await broker.withdraw(B)
    assert await broker.nodes() == [states[0], states[2]]
    time.passes(20)
    busy = NodeState(node=C, card=card, credit=0, running=1, pause="busy")
    await broker.announce(busy, seconds=30)
    time.passes(11)
    assert await broker.nodes() == [busy]


async def test_a_broker_keeps_whom_a_worker_answers(broker):
    """Otherwise a worker of a group would be lost at the other routers, or shown to strangers."""
    shown = Membership(group="a" * 32, proof=bytes(32))
    card = Signed(statement=b"card", signature=bytes(64))
    states = [
        NodeState(node=A, card=card, credit=1, memberships=(shown,)),
        NodeState(node=B, card=card, credit=1, public=True),
    ]
    for state in states:
        await broker.announce(state, seconds=30)
    assert sorted(await broker.nodes(), key=lambda state: state.node) == states


# Load


async def test_a_broker_tells_how_much_waits_and_how_much_runs(broker):
    assert await broker.load() == QueueLoad(waiting=0, running=0)
    await broker.submit(job())
    assert await broker.load() == QueueLoad(waiting=2, running=0), "the spare is not asked yet"
    [handout] = await broker.lease(A, 1)
    assert await broker.load() == QueueLoad(waiting=1, running=1)
    await broker.finish(handout.claim)
    assert await broker.load() == QueueLoad(waiting=1, running=0)
    await broker.cancel(job().job)
    assert await broker.load() == QueueLoad(waiting=0, running=0)


# Everything together


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_every_question_ends_once_and_no_worker_answers_twice(broker, time, seed):
    chance = random.Random(seed)
    sent: dict[str, int] = {}
    held: list[Claim] = []
    answered: list[tuple[str, str]] = []
    ended: list[str] = []

    def note(name, state):
        if state in (JobState.DONE, JobState.FAILED):
            ended.append(name)

    for step in range(300):
        match chance.randrange(7):
            case 0 | 1:
                nodes = "".join(chance.sample("abcdef", 4))
                one = job(step, nodes=nodes, workers=chance.randint(1, 3), expires=int(time.wall) + 120)
                try:
                    await broker.submit(one)
                    sent[one.job] = one.workers
                except QueueFull:
                    pass
            case 2 | 3:
                held += [
                    h.claim for h in await broker.lease(node(chance.choice("abcdef")), chance.randint(1, 3))
                ]
            case 4 if held:
                claim = held.pop(chance.randrange(len(held)))
                state = await broker.finish(claim)
                if state is not None:
                    answered.append((claim.job, claim.node))
                    note(claim.job, state)
            case 5 if held:
                claim = held.pop(chance.randrange(len(held)))
                note(claim.job, await broker.give_back(claim, final=chance.random() < 0.5))
            case _:
                time.passes(chance.uniform(0, 12))
                changes = await broker.sweep()
                ended += [c.job for c in changes if c.event in ("done", "failed", "expired")]
    time.passes(200)
    ended += [change.job for change in await broker.sweep() if change.event == "expired"]
    assert sorted(ended) == sorted(sent), "every question ends exactly once"
    assert len(answered) == len(set(answered)), "no worker answers twice"
    for name, workers in sent.items():
        assert sum(1 for answer in answered if answer[0] == name) <= workers


# Workers that come back


def said(claim: Claim, index: int = -1, *, last: bool = False) -> bytes:
    """The start of an answer, or one of its parts."""
    if index < 0:
        start = AnswerStart(job=claim.job, node=claim.node, attempt=claim.attempt, salt=bytes(32))
        return encode(start)
    return encode(
        AnswerChunk(
            job=claim.job, node=claim.node, attempt=claim.attempt, index=index, last=last, data=bytes(80)
        )
    )


async def test_a_worker_that_comes_back_in_time_keeps_its_question(broker, time):
    await broker.submit(job(nodes="ac", workers=1))
    claim = (await take(broker, A)).claim
    await broker.suspend(claim, 3.0)
    time.passes(2.9)
    assert await broker.sweep() == []
    assert await broker.resume(claim) == Passed()
    time.passes(14)
    assert await broker.sweep() == [], "its lease is a whole one again"
    assert await broker.finish(claim) is JobState.DONE


async def test_a_worker_that_does_not_come_back_in_time_is_replaced(broker, time):
    await broker.submit(job(nodes="ac", workers=1))
    claim = (await take(broker, A)).claim
    await broker.suspend(claim, 3.0)
    time.passes(3.0)
    assert await broker.sweep() == [Change(claim.job, "spare", C)]
    assert await broker.resume(claim) is None
    assert not await broker.renew(claim)
    assert (await take(broker, C)).claim.job == claim.job


async def test_a_broken_connection_makes_no_lease_longer(broker, time):
    await broker.submit(job(nodes="ac", workers=1))
    claim = (await take(broker, A)).claim
    time.passes(14)
    await broker.suspend(claim, 3.0)
    time.passes(1)
    assert await broker.sweep() == [Change(claim.job, "spare", C)]


async def test_any_sign_of_life_keeps_a_question_whose_connection_was_thought_broken(broker, time):
    await broker.submit(job(nodes="ac", workers=1))
    claim = (await take(broker, A)).claim
    await broker.suspend(claim, 3.0)
    assert await broker.renew(claim)
    time.passes(10)
    assert await broker.sweep() == []


async def test_a_worker_that_comes_back_hears_how_far_its_answer_is(broker):
    await broker.submit(job())
    mine, other = (await take(broker, A)).claim, (await take(broker, B)).claim
    assert await broker.resume(mine) == Passed(parts=-1)
    await broker.emit(mine.job, said(mine))
    assert await broker.resume(mine) == Passed(parts=0)
    for index in range(3):
        await broker.emit(mine.job, said(mine, index))
        await broker.emit(mine.job, said(other, index + 5))
    assert await broker.resume(mine) == Passed(parts=3)
    await broker.emit(mine.job, said(mine, 3, last=True))
    assert await broker.resume(mine) == Passed(parts=4, ended=True)


async def test_an_earlier_attempt_says_nothing_of_the_present_one(broker):
    await broker.submit(job(nodes="a", workers=1))
    first = (await take(broker, A)).claim
    await broker.emit(first.job, said(first))
    await broker.emit(first.job, said(first, 0))
    await broker.give_back(first, final=False)
    second = (await take(broker, A)).claim
    assert await broker.resume(first) is None
    assert await broker.resume(second) == Passed(parts=-1)


async def test_what_has_ended_is_not_taken_up_again(broker):
    await broker.submit(job())
    one, two = (await take(broker, A)).claim, (await take(broker, B)).claim
    await broker.finish(one)
    await broker.cancel(job().job)
    for claim in (one, two, Claim("f" * 32, A, 1)):
        await broker.suspend(claim, 3.0)
        assert await broker.resume(claim) is None


async def test_a_question_tells_how_long_it_has_waited(broker, time):
    await broker.submit(job(nodes="ac", workers=1))
    time.passes(4)
    first = await take(broker, A)
    assert first.waited_seconds == pytest.approx(4.0)
    time.passes(1)
    await broker.give_back(first.claim, final=True)
    time.passes(2)
    assert (await take(broker, C)).waited_seconds == pytest.approx(2.0), "since the spare was called"
