"""Brokers that outlive their process: a restart loses nothing that was acknowledged."""

from __future__ import annotations

import pytest

from network.broker.protocol import JobState
from network.errors import QueueFull
from tests.network.broker.conftest import LIMITS, job, node

A, B = node("a"), node("b")


async def test_a_restart_loses_no_question_and_no_lease(durable, time):
    broker = await durable.open()
    await broker.submit(job(1))
    await broker.submit(job(2))
    [held] = await broker.lease(A, 1)
    [done] = await broker.lease(B, 1)
    await broker.finish(done.claim)

    broker = await durable.restart()
    assert await broker.renew(held.claim), "a worker that comes back goes on with its answer"
    assert await broker.finish(held.claim) is JobState.DONE
    [other] = await broker.lease(A, 5)
    assert (other.claim.job, other.body, other.grant) == (job(2).job, job(2).body, job(2).grants[0][1])


async def test_after_a_restart_a_lease_runs_anew_and_then_out(durable, time):
    broker = await durable.open()
    await broker.submit(job(nodes="a", workers=1))
    await broker.lease(A, 1)
    time.now += 14
    broker = await durable.restart()
    time.now += 14
    assert await broker.sweep() == []
    time.now += 2
    assert [change.event for change in await broker.sweep()] == ["retrying"]
    assert (await broker.lease(A, 1))[0].claim.attempt == 2


async def test_limits_hold_over_a_restart(durable):
    broker = await durable.open()
    for number in range(LIMITS.jobs):
        await broker.submit(job(number))
    broker = await durable.restart()
    with pytest.raises(QueueFull):
        await broker.submit(job(99))


async def test_the_ids_of_answers_go_on_rising_after_a_restart(durable):
    broker = await durable.open()
    await broker.submit(job())
    for _ in range(5):
        await broker.emit(job().job, b"before")
    frames = broker.frames(job().job)
    last = [await anext(frames) for _ in range(5)][-1]
    await frames.aclose()
    broker = await durable.restart()
    await broker.emit(job().job, b"after")
    await broker.cancel(job().job)
    [frame] = [frame async for frame in broker.frames(job().job, after=last.id)]
    assert frame.data == b"after"
    assert frame.id < 2**53, "browsers and JSON can hold it"
