"""The broker on NATS: many routers are one, and no kill, of a router or of the server, loses anything."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest

from network.broker.protocol import Broker, Change, Claim, JobState, NodeState, Passed
from network.errors import BrokerUnavailable, QueueConflict
from network.protocol.groups import Membership
from network.protocol.message import Signed
from tests.network.broker.conftest import Place, at_nats, job, node
from tests.network.broker.nats_server import NatsServer
from tests.network.broker.test_brokers import said

pytestmark = [pytest.mark.desktop("a NATS server"), pytest.mark.slow]

A, B, C = node("a"), node("b"), node("c")
CARD = Signed(statement=b"card", signature=bytes(64))
PATIENCE = 60
"""Seconds; nothing here takes so long, also on the slowest machine."""


@pytest.fixture
def own_server(tmp_path) -> Iterator[NatsServer]:
    """One that may be killed."""
    server = NatsServer(tmp_path / "nats")
    server.start()
    yield server
    server.stop()


async def opened(place: Place) -> AsyncIterator[list[Broker]]:
    yield [await place.open(), await place.open()]
    for broker in place.opened:
        await broker.close()


@pytest.fixture
async def routers(nats_server, time) -> AsyncIterator[list[Broker]]:
    async for two in opened(Place(at_nats(nats_server), time)):
        yield two


@pytest.fixture
async def routers_alone(own_server, time) -> AsyncIterator[list[Broker]]:
    async for two in opened(Place(at_nats(own_server), time)):
        yield two


async def until(condition) -> None:
    """Wait for what another router or the server does."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.01)


async def heard(broker: Broker, number: int = 1, after: int = 0) -> list[bytes]:
    return [frame.data async for frame in broker.frames(job(number).job, after)]


# Many routers are one


async def test_worker_and_asker_may_be_at_different_routers(routers):
    here, there = routers
    waiting = asyncio.create_task(there.lease(A, 1, wait_seconds=60))
    await here.submit(job(nodes="a", workers=1))
    listening = asyncio.create_task(heard(here))
    [handout] = await asyncio.wait_for(waiting, PATIENCE)
    assert (handout.body, handout.grant) == (b"sealed", job().grants[0][1])
    for number in range(3):
        assert await there.emit(job().job, b"%d" % number)
    assert await there.finish(handout.claim) is JobState.DONE
    assert await asyncio.wait_for(listening, PATIENCE) == [b"0", b"1", b"2"]


async def test_an_asker_that_comes_back_to_another_router_goes_on_where_it_was(routers):
    here, there = routers
    await here.submit(job(nodes="a", workers=1))
    for number in range(4):
        await here.emit(job().job, b"%d" % number)
    listening = here.frames(job().job)
    two = [await anext(listening) for _ in range(2)]
    await listening.aclose()
    await here.cancel(job().job)
    assert await heard(there, after=two[-1].id) == [b"2", b"3"]


async def test_a_question_sent_to_two_routers_is_kept_once(routers):
    here, there = routers
    await asyncio.gather(here.submit(job()), there.submit(job()))
    await until(lambda: _is_open(there))
    assert [len(await broker.lease(A, 5)) for broker in routers] == [1, 0]
    with pytest.raises(QueueConflict):
        await there.submit(job(body=b"other"))
    [handout] = await there.lease(B, 5)
    assert handout.body == b"sealed"


async def _is_open(broker: Broker) -> bool:
    return await broker.state(job().job) is JobState.OPEN


async def test_one_of_two_routers_calls_the_spare(routers, time):
    here, there = routers
    await here.submit(job())
    await here.lease(A, 1)
    await here.lease(B, 1)
    await until(lambda: _busy_at(there))
    time.passes(16)
    changes = [
        change for found in await asyncio.gather(*(one.sweep() for one in routers)) for change in found
    ]
    assert Counter(change.event for change in changes) == {"spare": 1, "retrying": 1}


async def _busy_at(broker: Broker) -> bool:
    """Whether this router has heard that both workers are at it: none is there to be handed out."""
    return not any([await broker.lease(who, 1) for who in (A, B)]) and await _is_open(broker)


async def test_a_worker_goes_on_with_its_answer_at_another_router(routers, time):
    here, there = routers
    await here.submit(job())
    [handout] = await here.lease(A, 1)
    claim = handout.claim
    for index in range(-1, 2):
        await here.emit(claim.job, said(claim, index))
    await here.suspend(claim, 3.0)
    assert await there.resume(claim) == Passed(parts=2)
    await until(lambda: _renewed_at(here, claim))
    time.passes(4)
    found = await asyncio.gather(*(one.sweep() for one in routers))
    assert not any(found), "the first router does not hand it on after all"
    assert await there.finish(claim) is JobState.OPEN


async def _renewed_at(broker: Broker, claim: Claim) -> bool:
    """Whether this router has heard that the worker is there again."""
    return all(not task.wait_seconds for task in broker._jobs.get(claim.job).record.tasks)


async def test_a_worker_that_has_moved_stays_when_its_old_router_misses_it(routers):
    here, there = routers
    await here.announce(NodeState(node=A, card=CARD, credit=1), seconds=30)
    member = Membership(group="ab" * 16, proof=bytes(32))
    moved = NodeState(node=A, card=CARD, credit=2, memberships=(member,), public=True)
    await there.announce(moved, seconds=30)
    await here.withdraw(A)
    assert await there.nodes() == [moved]
    await there.withdraw(A)
    await until(lambda: _nobody_at(here))


async def test_a_worker_that_falls_silent_is_gone_at_every_router_by_the_server_s_clock(routers):
    """The clocks of these routers stand still."""
    here, there = routers
    state = NodeState(node=A, card=CARD, credit=1)
    await here.announce(state, seconds=1)
    await until(lambda: _nobody_at(here))
    await until(lambda: _nobody_at(there))
    await here.announce(state, seconds=60)
    assert await here.nodes() == [state]


async def _nobody_at(broker: Broker) -> bool:
    return await broker.nodes() == []


async def test_installations_share_a_server_and_know_nothing_of_each_other(nats_server, time):
    places = [Place(at_nats(nats_server), time) for _ in range(2)]
    one, two = [await place.open() for place in places]
    await one.submit(job())
    assert await two.state(job().job) is None
    assert await two.lease(A, 1) == []
    for place in places:
        await place.opened[0].close()


async def test_nothing_sealed_is_kept_after_the_end(own_server, time):
    place = Place(at_nats(own_server), time)
    broker = await place.open()
    await broker.submit(job(body=b"SEALED BODY " * 100))
    await broker.cancel(job().job)
    await broker.close()
    files = [file for file in own_server.folder.rglob("*") if file.is_file()]
    assert len(files) > 4
    assert not [file for file in files if b"SEALED BODY" in file.read_bytes()]


# Kills


async def test_a_kill_of_the_server_loses_nothing_that_was_acknowledged(routers_alone, own_server):
    here, there = routers_alone
    await here.submit(job(1, nodes="a", workers=1))
    await here.submit(job(2, nodes="ab", workers=2))
    [held] = await here.lease(A, 1)
    await here.emit(held.claim.job, b"before")
    await here.announce(NodeState(node=A, card=CARD, credit=1), seconds=600)
    listening = asyncio.create_task(heard(there))

    own_server.kill()
    late = asyncio.create_task(here.submit(job(3, nodes="a", workers=1)))
    emitting = asyncio.create_task(here.emit(held.claim.job, b"during"))
    own_server.start()

    async with asyncio.timeout(PATIENCE):
        assert await late == 1
        assert await emitting
        assert await here.renew(held.claim)
        assert await here.emit(held.claim.job, b"after")
        assert await here.finish(held.claim) is JobState.DONE
        assert await listening == [b"before", b"during", b"after"]
        assert [handout.claim.job for handout in await there.lease(B, 5, 60)] == [job(2).job]
        assert len(await here.lease(A, 5)) == 2
    await until(lambda: _somebody_at(there))


async def _somebody_at(broker: Broker) -> bool:
    return len(await broker.nodes()) == 1


async def test_a_router_that_is_killed_leaves_its_questions_to_the_others(own_server, time):
    place = Place(at_nats(own_server), time)
    killed, other = await place.open(), await place.open()
    await killed.submit(job(nodes="ab", workers=1))
    [lost] = await killed.lease(A, 1)
    await killed.emit(job().job, b"half an")
    listening = asyncio.create_task(heard(other))
    # Nothing of it says goodbye, as after kill -9: its connection is cut off.
    await killed._connection._client.close()
    await until(lambda: _handed_out_at(other))
    time.passes(16)
    assert await other.sweep() == [Change(job().job, "spare", B)]
    [handout] = await other.lease(B, 1)
    await other.emit(job().job, b"whole")
    assert await other.finish(lost.claim) is None
    assert await other.finish(handout.claim) is JobState.DONE
    assert await asyncio.wait_for(listening, PATIENCE) == [b"half an", b"whole"]
    await other.close()
    await killed.close()


async def _handed_out_at(broker: Broker) -> bool:
    return await _is_open(broker) and await broker.lease(A, 1) == []


@pytest.mark.parametrize("seed", range(2))
async def test_while_the_server_is_killed_again_and_again_every_question_ends_once(
    routers_alone, own_server, seed
):
    chance = random.Random(seed)
    kept: set[str] = set()
    ends: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    steps = 0
    progress = asyncio.Event()
    ahead = asyncio.Semaphore(8)

    def step() -> None:
        nonlocal steps
        steps += 1
        progress.set()

    async def ask(first: int) -> None:
        for number in range(first, first + 40):
            broker = chance.choice(routers_alone)
            await broker.submit(job(number, nodes="ab", workers=1))
            kept.add(job(number).job)
            step()
            await ahead.acquire()

    async def work(broker: Broker, who: str) -> None:
        while True:
            for handout in await broker.lease(who, 2, wait_seconds=60):
                await broker.emit(handout.claim.job, b"part")
                state = await broker.finish(handout.claim)
                answers[handout.claim.job] += state is not None
                ends[handout.claim.job] += state is JobState.DONE
                ahead.release()
                step()

    async def kill() -> None:
        for _ in range(4):
            after = steps + chance.randint(5, 15)
            while steps < after:
                progress.clear()
                await progress.wait()
            own_server.kill()
            own_server.start()

    async with asyncio.timeout(PATIENCE * 3):
        working = [asyncio.create_task(work(broker, A)) for broker in routers_alone]
        await asyncio.gather(ask(1_000), ask(2_000), kill())
        while len(ends) < 80:
            progress.clear()
            await progress.wait()
    for task in working:
        task.cancel()
    assert kept == set(ends)
    assert set(ends.values()) == set(answers.values()) == {1}
    for name in kept:
        assert await routers_alone[0].state(name) is JobState.DONE


# Who may


async def test_a_server_that_is_not_there_is_told(tmp_path):
    from network.broker.nats.broker import open_nats_broker
    from network.broker.nats.settings import NatsSettings

    server = NatsServer(tmp_path / "nats")
    server.start()
    server.stop()
    address = server.url.replace("//", "//router:secret@")
    with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1") as caught:
        await open_nats_broker(NatsSettings(servers=(address,), connect_seconds=0.2))
    assert "secret" not in str(caught.value)


async def test_a_server_with_a_password_lets_in_who_knows_it(tmp_path):
    from network.broker.nats.broker import open_nats_broker
    from network.broker.nats.settings import NatsSettings

    server = NatsServer(tmp_path / "nats", arguments=("--user", "router", "--pass", "secret"))
    server.start()
    try:
        settings = NatsSettings(servers=(server.url,), user="router", password="secret")
        broker = await open_nats_broker(settings)
        assert await broker.nodes() == []
        await broker.close()
        assert "secret" not in repr(settings)
        with pytest.raises(BrokerUnavailable):
            await open_nats_broker(NatsSettings(servers=(server.url,), connect_seconds=2.0))
    finally:
        server.stop()


async def test_a_password_is_never_said_to_a_server_that_does_not_encrypt_where_that_was_demanded():
    from network.broker.nats.connection import connect
    from network.broker.nats.settings import NatsSettings

    heard: list[bytes] = []

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.11.0","max_payload":1048576,"headers":true}\r\n')
        heard.append(await reader.read(10_000))
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        settings = NatsSettings(
            (f"tls://127.0.0.1:{port}",), user="router", password="secret", connect_seconds=3
        )
        with pytest.raises(BrokerUnavailable):
            await connect(settings)
    assert heard
    assert set(heard) == {b""}


async def test_a_write_that_the_server_keeps_but_forgets_the_name_of_counts_as_done(nats_server, monkeypatch):
    import nats.errors

    from network.broker.nats.connection import RevisionChanged, connect
    from network.broker.nats.settings import NatsSettings

    connection = await connect(NatsSettings((nats_server.url,), namespace=f"T{uuid.uuid4().hex}"))
    publish, sent = connection._stream.publish, 0

    async def killed_after_the_first(subject, data, headers):
        nonlocal sent
        sent += 1
        if sent > 1:
            headers.pop("Nats-Msg-Id")
        acknowledged = await publish(subject, data, headers=headers)
        if sent == 1:
            raise nats.errors.TimeoutError
        return acknowledged

    monkeypatch.setattr(connection._stream, "publish", killed_after_the_first)
    try:
        key = connection.names.job("a")
        revision = await connection.put(key, b"one", revision=0)
        assert sent == 2
        found = await connection.last(connection.names.jobs, key)
        assert (found.sequence, found.data) == (revision, b"one")
        with pytest.raises(RevisionChanged):
            await connection.put(key, b"two", revision=0)
    finally:
        await connection.close()
