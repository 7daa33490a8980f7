"""From the question to the receipt: an asker, a router, workers; and what happens when one of them fails."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from network.answered import AnsweredQuestions
from network.broker.embedded import open_embedded_broker
from network.broker.job_table import Limits
from network.broker.protocol import JobState
from network.cards import Offer, issue_card, read_card
from network.envelope import seal_question
from network.errors import LinkClosed, MessageInvalid, NoWorkerFits, SignatureInvalid
from network.keys import DeviceKeys
from network.link import memory_links
from network.protocol import frames
from network.protocol.answers import AnswerChunk, AnswerStart
from network.protocol.message import encode
from network.protocol.presence import Bye, Presence
from network.protocol.registration import Hello
from network.protocol.tickets import WorkerQuery
from network.receipts import countersign, verify_pair
from network.registration import prove
from network.router.invitations import Invitations
from network.worker.answerer import CannotAnswer
from tests.network.small_world import MODEL, ORIGIN, QUESTION, Clock, ScriptedAnswerer, World, now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def broker(tmp_path, clock):
    return await open_embedded_broker(tmp_path / "jobs.db", Limits(lease_seconds=15.0), now=clock)


@pytest.fixture
async def world(broker, clock):
    world = World.with_broker(broker, clock)
    yield world
    await world.close()


@pytest.fixture
def asker():
    return DeviceKeys.generate(now())


async def test_three_workers_answer_and_nobody_in_between_can_read(world, asker, tmp_path):
    workers = [await world.join(ScriptedAnswerer(("I am", f" number {n}"))) for n in range(3)]
    sealed, asked = await world.seal(asker)
    accepted = await world.submit(sealed)
    assert accepted.position == 0
    heard = await world.hear(asked, accepted)
    assert heard == {worker.node: f"I am number {n}" for n, worker in enumerate(workers)}
    assert all(worker.answerer.questions == [QUESTION] for worker in workers)
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    seen = b"".join([encode(sealed.request), stored])
    assert b"Bartholomew" not in seen
    assert b"number 1" not in seen
    for worker in workers:
        assert asked.complete(worker.node)
        signed, receipt = asked.receipts[worker.node]
        pair = countersign(signed, receipt, asker.identity, "good", now=now())
        assert verify_pair(pair, worker.keys.public, asker.public)[0].tokens == 2


async def test_only_as_many_work_as_were_wanted(world, asker):
    workers = [await world.join() for _ in range(5)]
    sealed, asked = await world.seal(asker, workers=2, spares=2)
    heard = await world.hear(asked, await world.submit(sealed))
    assert len(heard) == 2
    assert sum(len(worker.answerer.questions) for worker in workers) == 2


async def test_a_spare_answers_when_a_worker_is_lost_in_the_middle(world, asker):
    gates = {}
    for _ in range(2):
        answerer = ScriptedAnswerer(gate=asyncio.Event())
        worker = await world.join(answerer)
        gates[worker.node] = worker
    sealed, asked = await world.seal(asker, workers=1, spares=1)
    first, spare = (gates[node] for node in sealed.answer_secrets)
    accepted = await world.submit(sealed)
    listening = asyncio.create_task(world.hear(asked, accepted))
    await asyncio.wait_for(first.answerer.at_gate.wait(), 10)
    await first.link.close()
    await world.until_gone(first)
    spare.answerer.gate.set()
    await world.passes(world.desk.times.grace)
    heard = await listening
    assert heard[spare.node] == "Nothing at all."
    assert asked.complete(spare.node)
    assert not asked.complete(first.node)
    assert first.answerer.stopped == 1, "the engine does not go on for nobody"


async def test_a_lost_worker_without_a_spare_tries_again_when_it_is_back(world, asker):
    answerer = ScriptedAnswerer(gate=asyncio.Event())
    worker = await world.join(answerer)
    sealed, asked = await world.seal(asker, workers=1, spares=0)
    accepted = await world.submit(sealed)
    await asyncio.wait_for(answerer.at_gate.wait(), 10)
    await worker.link.close()
    with pytest.raises(LinkClosed):
        await worker.task
    again = await world.join(ScriptedAnswerer(("Second", " time")), keys=worker.session._keys)
    assert await world.hear(asked, accepted) == {again.node: "Second time"}


@pytest.mark.parametrize("for_now", [True, False])
async def test_a_spare_answers_when_a_worker_declines(world, asker, for_now):
    people = {}
    for _ in range(2):
        worker = await world.join()
        people[worker.node] = worker
    sealed, asked = await world.seal(asker, workers=1, spares=1)
    first, spare = sealed.answer_secrets
    people[first].answerer.cannot = CannotAnswer(for_now=for_now)
    assert await world.hear(asked, await world.submit(sealed)) == {spare: "Nothing at all."}


async def test_a_worker_whose_owner_comes_back_gives_the_question_to_a_spare(world, asker):
    people = {}
    for _ in range(2):
        worker = await world.join(ScriptedAnswerer(gate=asyncio.Event()))
        people[worker.node] = worker
    sealed, asked = await world.seal(asker, workers=1, spares=1)
    first, spare = (people[node] for node in sealed.answer_secrets)
    accepted = await world.submit(sealed)
    await asyncio.wait_for(first.answerer.at_gate.wait(), 10)
    first.session.pause("owner")
    first.session.stop_all()
    spare.answerer.gate.set()
    heard = await world.hear(asked, accepted)
    assert heard[spare.node] == "Nothing at all."
    assert first.answerer.stopped == 1
    assert first.session.running == 0


async def test_an_engine_that_breaks_is_told_to_the_asker_and_the_worker_stays(world, asker):
    worker = await world.join(ScriptedAnswerer(breaks=True))
    sealed, asked = await world.seal(asker, workers=1, spares=0)
    heard = await world.hear(asked, await world.submit(sealed))
    assert heard == {worker.node: "Nothing"}
    assert asked.complete(worker.node)
    assert asked.receipts == {}
    worker.answerer.breaks = False
    sealed, asked = await world.seal(asker, workers=1, spares=0)
    assert await world.hear(asked, await world.submit(sealed)) == {worker.node: "Nothing at all."}


async def test_cancelling_stops_the_engines_and_frees_the_workers(world, asker):
    answerer = ScriptedAnswerer(gate=asyncio.Event())
    worker = await world.join(answerer)
    sealed, asked = await world.seal(asker, workers=1, spares=0)
    accepted = await world.submit(sealed)
    await asyncio.wait_for(answerer.at_gate.wait(), 10)
    await world.until(lambda nodes: nodes.get(worker.node) == 0)
    await world.asking.cancel(accepted.job, accepted.access)
    await world.hear(asked, accepted)
    await world.until(lambda nodes: nodes.get(worker.node) == 1)
    assert (answerer.stopped, worker.session.running) == (1, 0)
    answerer.gate.set()
    sealed, asked = await world.seal(asker, workers=1, spares=0)
    assert await world.hear(asked, await world.submit(sealed)) == {worker.node: "Nothing at all."}


async def test_a_worker_never_gets_more_than_its_slots(world, asker):
    answerer = ScriptedAnswerer(gate=asyncio.Event())
    worker = await world.join(answerer, slots=2)
    questions = [await world.seal(asker, workers=1, spares=0) for _ in range(5)]
    accepted = [await world.submit(sealed) for sealed, _ in questions]
    assert [one.position for one in accepted[-2:]] != [0, 0], "the others wait and are told so"
    async with asyncio.timeout(20):
        while answerer.busiest < 2:
            answerer.at_gate.clear()
            await answerer.at_gate.wait()
    answerer.gate.set()
    for one, (_, asked) in zip(accepted, questions, strict=True):
        assert await world.hear(asked, one) == {worker.node: "Nothing at all."}
    assert answerer.busiest == 2


async def test_a_worker_that_is_cancelled_while_it_answers_ends_at_once(world, asker):
    """The end of its answer comes in the same moment, and must not hide the cancellation."""
    answerer = ScriptedAnswerer(gate=asyncio.Event())
    worker = await world.join(answerer)
    sealed, _ = await world.seal(asker, workers=1, spares=0)
    await world.submit(sealed)
    await asyncio.wait_for(answerer.at_gate.wait(), 20)
    worker.task.cancel()
    done, _ = await asyncio.wait({worker.task}, timeout=20)
    assert done
    assert answerer.stopped == 1


async def test_a_paused_worker_is_not_proposed_and_takes_nothing(world, asker):
    worker = await world.join()
    sealed, asked = await world.seal(asker, workers=1, spares=0)
    worker.session.pause("battery")
    await world.until(lambda nodes: nodes.get(worker.node) == 0)
    with pytest.raises(NoWorkerFits):
        await world.seal(asker)
    accepted = await world.submit(sealed)
    other = await world.join()
    second, second_asked = await world.seal(asker, workers=1, spares=0)
    assert list(await world.hear(second_asked, await world.submit(second))) == [other.node]
    assert await world.desk.broker.state(accepted.job) is JobState.OPEN
    assert worker.answerer.questions == []
    worker.session.pause("")
    assert await world.hear(asked, accepted) == {worker.node: "Nothing at all."}


async def test_only_the_asker_hears_or_cancels(world, asker):
    await world.join(ScriptedAnswerer(gate=asyncio.Event()))
    sealed, _ = await world.seal(asker, workers=1, spares=0)
    accepted = await world.submit(sealed)
    with pytest.raises(PermissionError):
        world.asking.answers(accepted.job, bytes(32))
    with pytest.raises(PermissionError):
        await world.asking.cancel(accepted.job, bytes(32))
    assert await world.desk.broker.state(accepted.job) is JobState.OPEN
    assert (await world.submit(sealed)).access == accepted.access, "whoever sends it again gets the same"


async def test_a_question_whose_parts_do_not_belong_together_is_refused(world, asker):
    for _ in range(3):
        await world.join()
    one, _ = await world.seal(asker, workers=2, spares=1)
    other, _ = await world.seal(asker, workers=2, spares=1)
    request = one.request
    for wrong in (
        {"body": other.request.body},
        {"job": other.request.job},
        {"grants": (request.grants[0], other.request.grants[1])},
        {"grants": (request.grants[0], request.grants[0])},
        {"workers": 4},
    ):
        with pytest.raises(MessageInvalid):
            await world.asking.submit(msgspec.structs.replace(request, **wrong))
    for wrong in ({"ticket": other.request.ticket}, {"grants": request.grants[::-1]}):
        with pytest.raises(SignatureInvalid):
            await world.asking.submit(msgspec.structs.replace(request, **wrong))
    await world.asking.submit(request)


async def test_own_devices_are_asked_without_a_ticket(world, asker):
    worker = await world.join()
    sealed, asked = await world.seal(asker, workers=1, spares=0)
    free = msgspec.structs.replace(sealed.request, ticket=None)
    assert await world.hear(asked, await world.asking.submit(free)) == {worker.node: "Nothing at all."}


async def test_without_workers_there_are_no_candidates(world, asker):
    query = WorkerQuery(job="a" * 32, asker=asker.node, model=MODEL, public=True)
    with pytest.raises(NoWorkerFits):
        await world.asking.candidates(query)


async def test_the_same_query_gets_the_same_workers(world, asker):
    """Asking again and again until friends are drawn does not help."""
    for _ in range(6):
        await world.join()
    query = WorkerQuery(job="a" * 32, asker=asker.node, model=MODEL, workers=2, spares=1, public=True)
    drawn = [(await world.asking.candidates(query)).candidates for _ in range(3)]
    assert drawn[0] == drawn[1] == drawn[2]


async def test_a_question_waits_for_a_busy_worker_where_nobody_is_free(world, asker):
    answerer = ScriptedAnswerer(gate=asyncio.Event())
    worker = await world.join(answerer)
    first, first_asked = await world.seal(asker, workers=1, spares=0)
    first_accepted = await world.submit(first)
    await world.until(lambda nodes: nodes.get(worker.node) == 0)
    second, second_asked = await world.seal(asker, workers=1, spares=0)
    second_accepted = await world.submit(second)
    await asyncio.wait_for(answerer.at_gate.wait(), 10)
    answerer.gate.set()
    for asked, accepted in ((first_asked, first_accepted), (second_asked, second_accepted)):
        assert await world.hear(asked, accepted) == {worker.node: "Nothing at all."}
    assert answerer.busiest == 1


# Admission


async def test_an_invitation_is_needed_where_the_router_wants_one(broker):
    world = World.with_broker(broker, invites=Invitations.of({"open sesame"}))
    stranger = await world.join(invite="please")
    with pytest.raises(LinkClosed):
        await stranger.task
    guest = await world.join(invite="open sesame")
    assert not guest.task.done()
    assert len(world.workers) == 1
    await world.close()


async def test_a_worker_that_means_another_router_is_refused(world):
    worker = await world.join(origin="https://evil.example")
    with pytest.raises(LinkClosed):
        await worker.task


async def test_a_card_older_than_the_last_one_is_refused(world):
    keys = DeviceKeys.generate(now())
    worker = await world.join(keys=keys.advanced().advanced())
    old = await world.join(keys=keys)
    with pytest.raises(LinkClosed):
        await old.task
    assert not worker.task.done()


async def test_a_new_connection_of_a_worker_takes_the_place_of_the_old_one(world):
    keys = DeviceKeys.generate(now())
    old = await world.join(keys=keys)
    new = await world.join(keys=keys)
    with pytest.raises(LinkClosed):
        await old.task
    await world.until(lambda nodes: list(nodes) == [keys.node])
    assert not new.task.done()
    assert len(world.workers) == 1


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1", encode(Presence(credit=1, running=0)), b"{}"])
async def test_whoever_begins_otherwise_is_sent_away(world, first):
    here, there = memory_links()
    serving = asyncio.create_task(world.workers.serve(there))
    await here.send(first)
    assert frames.to_worker(await here.receive()) == Bye(reason="refused")
    with pytest.raises(LinkClosed):
        await here.receive()
    await serving


async def test_whoever_has_the_card_but_not_the_key_is_sent_away(world):
    keys, thief = DeviceKeys.generate(now()), DeviceKeys.generate(now())
    _, card = issue_card(keys, Offer(slots=1), now())
    here, there = memory_links()
    serving = asyncio.create_task(world.workers.serve(there))
    await here.send(encode(Hello(card=card)))
    challenge = frames.to_worker(await here.receive())
    await here.send(encode(prove(challenge, ORIGIN, thief, now())))
    assert frames.to_worker(await here.receive()) == Bye(reason="refused")
    await serving


async def test_a_worker_that_sends_nonsense_loses_its_connection_and_its_question(world, asker):
    people = {}
    for _ in range(2):
        worker = await world.join(ScriptedAnswerer(gate=asyncio.Event()))
        people[worker.node] = worker
    sealed, asked = await world.seal(asker, workers=1, spares=1)
    first, spare = (people[node] for node in sealed.answer_secrets)
    accepted = await world.submit(sealed)
    await asyncio.wait_for(first.answerer.at_gate.wait(), 10)
    await first.link.send(b'{"type": "nonsense"}')
    spare.answerer.gate.set()
    heard = await world.hear(asked, accepted)
    assert heard[spare.node] == "Nothing at all."
    with pytest.raises(LinkClosed):
        await first.task


async def test_a_worker_cannot_speak_in_the_answer_of_another(world, asker):
    honest = await world.join(ScriptedAnswerer(gate=asyncio.Event()))
    sealed, asked = await world.seal(asker, workers=1, spares=0)
    intruder = await world.join()
    accepted = await world.submit(sealed)
    await asyncio.wait_for(honest.answerer.at_gate.wait(), 10)
    for node in (honest.node, intruder.node):
        await intruder.link.send(encode(AnswerStart(job=accepted.job, node=node, attempt=2, salt=bytes(32))))
        await intruder.link.send(
            encode(AnswerChunk(job=accepted.job, node=node, attempt=1, index=1, last=True, data=bytes(80)))
        )
    honest.answerer.gate.set()
    assert await world.hear(asked, accepted) == {honest.node: "Nothing at all."}


async def test_a_restart_of_the_router_says_goodbye_with_a_time_to_come_back(world):
    worker = await world.join()
    await world.workers.close(retry_seconds=3)
    with pytest.raises(LinkClosed):
        await worker.task
    await world.until(lambda nodes: not nodes)


async def test_an_expired_question_is_declined_not_answered(world, asker):
    worker = await world.join()
    sealed, _ = await world.seal(asker, workers=1, spares=0)
    assert list(sealed.answer_secrets) == [worker.node]
    state = (await world.desk.broker.nodes())[0]
    late = seal_question(
        QUESTION,
        [read_card(state.card, now())],
        [],
        job="b" * 32,
        identity=asker.identity,
        now=now() - 1_000,
        life_seconds=60,
    )
    accepted = await world.submit(late)
    assert await world.desk.broker.state(accepted.job) is JobState.EXPIRED
    assert worker.answerer.questions == []


async def test_an_answer_whose_end_the_router_has_not_confirmed_is_given_again(world, asker):
    """It may have been killed before it could write that the question was answered."""
    answered = AnsweredQuestions()
    worker = await world.join(answered=answered)
    sealed, _ = await world.seal(asker, workers=1, spares=0)
    broker = world.desk.broker
    finish = broker.finish

    async def lost(claim):
        broker.finish = finish
        await worker.link.close()
        return await broker.give_back(claim, final=False)

    broker.finish = lost
    accepted = await world.submit(sealed)
    with pytest.raises(LinkClosed):
        await worker.task
    assert len(answered) == 0
    again = await world.join(keys=worker.keys, answered=answered)
    async with asyncio.timeout(10):
        async for _ in world.asking.answers(accepted.job, accepted.access):
            pass
        while not len(answered):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
    assert await broker.state(accepted.job) is JobState.DONE
    assert len(again.answerer.questions) == 1
