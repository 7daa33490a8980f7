"""A router among workers that come and go, lie and send garbage: it stays, and every question ends once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from network.broker.embedded import open_embedded_broker
from network.broker.protocol import JobState
from network.errors import LinkClosed, NoWorkerFits
from network.keys import DeviceKeys
from network.protocol.answers import AnswerChunk, AnswerStart
from network.protocol.jobs import Decline, Renew
from network.protocol.message import encode
from network.protocol.presence import Presence
from network.protocol.schema import messages
from tests.network.protocol.examples import example
from tests.network.small_world import Clock, ScriptedAnswerer, World, now


@pytest.fixture
async def world(tmp_path):
    clock = Clock()
    world = World.with_broker(await open_embedded_broker(tmp_path / "jobs.db", now=clock), clock)
    yield world
    await world.close()


@pytest.fixture
def asker():
    return DeviceKeys.generate(now())


@pytest.mark.parametrize("seed", range(4))
async def test_garbage_from_a_registered_worker_hurts_only_its_own_connection(world, asker, seed):
    chance = random.Random(seed)
    good = await world.join()
    bad = await world.join()
    originals = [encode(example(kind)) for kind in messages()]
    for _ in range(60):
        data = bytearray(chance.choice(originals))
        for _ in range(chance.randrange(3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            await bad.link.send(bytes(data))
        except LinkClosed:
            bad = await world.join(keys=bad.keys)
    await bad.link.close()
    await world.until(lambda nodes: list(nodes) == [good.node])
    assert len(world.workers) == 1
    sealed, asked = await world.seal(asker, workers=1, spares=0)
    assert await world.hear(asked, await world.submit(sealed)) == {good.node: "Nothing at all."}


async def test_well_formed_lies_about_questions_of_others_change_nothing(world, asker):
    chance = random.Random(5)
    honest = await world.join(ScriptedAnswerer(gate=asyncio.Event()), slots=3)
    questions = [await world.seal(asker, workers=1, spares=0) for _ in range(3)]
    accepted = [await world.submit(sealed) for sealed, _ in questions]
    await world.until(lambda nodes: nodes.get(honest.node) == 0)
    liar = await world.join(slots=1)
    for _ in range(100):
        job = chance.choice([*(one.job for one in accepted), "f" * 32])
        node, attempt = chance.choice([honest.node, liar.node]), chance.randint(1, 3)
        lie = chance.choice(
            [
                AnswerStart(job=job, node=node, attempt=attempt, salt=chance.randbytes(32)),
                AnswerChunk(
                    job=job,
                    node=node,
                    attempt=attempt,
                    index=chance.randrange(3),
                    last=chance.random() < 0.5,
                    data=chance.randbytes(80),
                ),
                Renew(job=job, attempt=attempt),
                Decline(job=job, attempt=attempt, reason="failed"),
                Presence(credit=1, running=0),
            ]
        )
        await liar.link.send(encode(lie))
    honest.answerer.gate.set()
    for (_, asked), one in zip(questions, accepted, strict=True):
        assert await world.hear(asked, one) == {honest.node: "Nothing at all."}
    assert not liar.task.done()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_every_question_ends_once_while_workers_come_and_go(world, asker, seed):
    """Workers lose their connection, break, stop; those that stay give every answer that is whole."""
    chance = random.Random(seed)
    people = [await world.join(ScriptedAnswerer(("a", "b", "c")), slots=2) for _ in range(6)]
    ends: Counter[str] = Counter()
    wrong: list[str] = []

    async def ask() -> None:
        try:
            sealed, asked = await world.seal(asker, workers=2, spares=2)
        except NoWorkerFits:
            return
        accepted = await world.submit(sealed)
        heard = await world.hear(asked, accepted)
        ends[accepted.job] += 1
        if await world.desk.broker.state(accepted.job) not in (JobState.DONE, JobState.FAILED):
            wrong.append("not ended")
        whole = [node for node in heard if asked.complete(node)]
        if any(heard[node] not in ("abc", "a") for node in whole) or len(whole) > 4:
            wrong.append("another answer")

    asking = []
    for _ in range(40):
        asking.append(asyncio.create_task(ask()))
        victim = chance.randrange(len(people))
        match chance.randrange(6):
            case 0:
                await people[victim].link.close()
                keys = people[victim].keys
                people[victim] = await world.join(ScriptedAnswerer(("a", "b", "c")), keys=keys, slots=2)
            case 1:
                people[victim].answerer.breaks = not people[victim].answerer.breaks
            case 2:
                people[victim].session.stop_all()
            case 3:
                await asyncio.sleep(0)
            case _:
                pass
    async with asyncio.timeout(300):
        waiting = set(asking)
        while waiting:  # what a broken connection has left behind is handed on when its time is over
            _, waiting = await asyncio.wait(waiting, timeout=0.2)
            await world.passes(1.0)
    await asyncio.gather(*asking)
    assert wrong == []
    assert set(ends.values()) == {1}
    assert len(ends) >= 30
    await world.until(lambda nodes: len(nodes) == 6 and set(nodes.values()) == {2})
    assert [person.session.running for person in people] == [0] * 6, "nobody works for nobody"
