"""Kill -9 in the middle of answers: every question that was accepted ends once, with a whole answer."""

from __future__ import annotations

import asyncio

import pytest

from tests.network.cluster import SECONDS, Outcome, Program, cluster
from tests.network.small_world import ScriptedAnswerer

pytestmark = [pytest.mark.desktop("child processes, a server"), pytest.mark.slow]

WHOLE = "Nothing at all."


def gated() -> ScriptedAnswerer:
    """Waits in the middle of its answer."""
    return ScriptedAnswerer(gate=asyncio.Event())


def ended_well(outcome: Outcome, answers: int = 1) -> None:
    assert outcome.ends == ["done"]
    assert len(outcome.whole) == len(set(outcome.whole)) == answers
    assert [outcome.texts[node] for node in outcome.whole] == [WHOLE] * answers


@pytest.mark.parametrize("nats", [False, True], ids=["file", "nats"])
async def test_a_spare_takes_over_from_a_worker_that_is_killed_in_the_middle(tmp_path, nats):
    async with cluster(tmp_path, nats=nats) as one:
        spare = await one.join(ScriptedAnswerer())
        victim = Program("worker_process", one.front.address)
        try:
            node = await victim.line()
            await one.until_there(node)
            asking = asyncio.create_task(one.ask(nodes=(node, spare.node)))
            assert await victim.line() == "at it"
        finally:
            await victim.kill()
        outcome = await asyncio.wait_for(asking, SECONDS)
    ended_well(outcome)
    assert outcome.whole == [spare.node]


async def test_a_router_that_is_killed_and_started_again_ends_what_it_had_accepted(tmp_path):
    async with cluster(tmp_path) as one:
        workers = [await one.join(gated()) for _ in range(3)]
        asking = asyncio.create_task(one.ask(workers=2, spares=1))
        await at_it(workers, 2)
        [router] = one.routers
        await router.kill()
        await router.start()
        open_gates(workers)
        outcome = await asyncio.wait_for(asking, SECONDS)
        ended_well(outcome, answers=2)
        ended_well(await asyncio.wait_for(one.ask(), SECONDS))


async def test_nats_that_is_killed_and_started_again_loses_nothing(tmp_path):
    async with cluster(tmp_path, routers=2, nats=True) as two:
        workers = [await two.join(gated()) for _ in range(2)]
        two.front.ports.reverse()  # who comes now reaches the other router
        asking = asyncio.create_task(two.ask())
        await at_it(workers, 1)
        assert two.nats
        await asyncio.to_thread(two.nats.kill)
        await asyncio.to_thread(two.nats.start)
        open_gates(workers)
        ended_well(await asyncio.wait_for(asking, SECONDS))
        ended_well(await asyncio.wait_for(two.ask(), SECONDS))


@pytest.mark.parametrize("whose", ["worker", "asker", "both"])
async def test_one_of_two_routers_that_is_killed_is_replaced_by_the_other(tmp_path, whose):
    """The workers come back through the other, and so does the asker, to where it was."""
    async with cluster(tmp_path, routers=2, nats=True) as two:
        workers = [await two.join(gated()) for _ in range(2)]
        if whose != "both":
            two.front.ports.reverse()
        asking = asyncio.create_task(two.ask())
        await at_it(workers, 1)
        killed = two.routers[1 if whose == "asker" else 0]
        await killed.kill()
        open_gates(workers)
        ended_well(await asyncio.wait_for(asking, SECONDS))
        await two.until_there(*(worker.node for worker in workers))
        ended_well(await asyncio.wait_for(two.ask(), SECONDS))


async def at_it(workers, count: int) -> None:
    """Wait until so many of them are in the middle of an answer."""
    waiting = {asyncio.create_task(worker.answerer.at_gate.wait()) for worker in workers}
    async with asyncio.timeout(SECONDS):
        while sum(worker.answerer.at_gate.is_set() for worker in workers) < count:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


def open_gates(workers) -> None:
    for worker in workers:
        worker.answerer.gate.set()
