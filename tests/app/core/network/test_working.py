"""This device at work for others: routers on loopback, a real engine, its owner's chat beside it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

import pytest

from app.core.answering import Answering
from app.core.instance import InstanceLock
from app.core.network.device_conditions import Conditions, DeviceConditions
from app.core.network.groups import GroupKind
from app.core.network.work_policy import Obstacle, WorkHours, WorkPolicy
from app.core.network.work_records import Outcome
from app.core.network.work_status import WorkState
from app.core.network.working import Working
from app.core.owner_activity import OwnerActivity
from app.core.provenance import PrivacyLevel
from network.asked import AskedQuestion
from network.broker.embedded import open_embedded_broker
from network.cards import read_card
from network.envelope import new_job, seal_question
from network.errors import NoWorkerFits
from network.groups import group_tag, membership
from network.keys import DeviceKeys
from network.protocol.content import Question, Turn
from network.protocol.tickets import WorkerQuery
from rag.model import Sharing
from tests.app.core.conftest import Desk, collect
from tests.network.small_world import now
from tests.network.worker.link_server import LinkServer

LIMIT = 60


@asynccontextmanager
async def router():
    broker = await open_embedded_broker(None)
    async with LinkServer(broker).running() as server:
        yield server
    await broker.close()


class Worker:
    """A device with a model, whose owner chats and lets others ask."""

    def __init__(self, desk: Desk, network) -> None:
        self.desk = desk
        self.network = network
        self.activity = OwnerActivity()
        self.answering = Answering(
            desk.conversations, desk.knowledge, desk.models, desk.settings, desk.writers, self.activity
        )
        self.found = Conditions(charging=True, metered=False, celsius=40.0)
        self.working = Working(
            desk.folder,
            network,
            desk.models,
            desk.knowledge,
            network.settings,
            self.activity,
            desk.writers,
            conditions=DeviceConditions(lambda: self.found, iter(range(0, 10**9, 1000)).__next__),
        )
        self.news = asyncio.Event()
        self.working.subscribe(lambda _: self.news.set())

    async def until(self, fits):
        """Wait for such a status."""
        async with asyncio.timeout(LIMIT):
            while not fits(self.working.status):
                self.news.clear()
                await self.news.wait()
        return self.working.status

    async def state(self, *states):
        return await self.until(lambda status: status.state in states)

    async def join(self, kind=GroupKind.CIRCLE) -> bytes:
        """The secret of a new group that this device belongs to."""
        return self.network.groups.create("Friends", kind).secret


@pytest.fixture
async def server():
    async with router() as server:
        yield server


@pytest.fixture
async def worker(desk, network):
    desk.install("The sky is blue.", name="Tiny 1B")
    worker = Worker(desk, network)
    yield worker
    await worker.working.close()


class Asker:
    """Somebody else, with the secrets of some groups."""

    def __init__(self, server: LinkServer, *secrets: bytes) -> None:
        self.server = server
        self.keys = DeviceKeys.generate(now())
        self.tags = tuple(group_tag(secret, server.desk.public) for secret in secrets)
        self.memberships = tuple(
            membership(secret, server.desk.public, self.keys.public) for secret in secrets
        )

    async def ask(self, text="What colour is the sky?", *, public=True, memberships=None):
        """All answers, by worker."""
        await self.server.world.until(lambda nodes: any(nodes.values()))
        asking = self.server.world.asking
        job = new_job()
        query = WorkerQuery(
            job=job, asker=self.keys.node, workers=1, spares=0, groups=self.tags, public=public
        )
        found = await asking.candidates(query)
        cards = [read_card(each.card, now()) for each in found.candidates]
        shown = self.memberships if memberships is None else memberships
        sealed = seal_question(
            Question(turns=(Turn(role="user", text=text),), memberships=shown),
            cards,
            [],
            job=job,
            identity=self.keys.identity,
            now=now(),
            ticket=found.ticket,
        )
        asked = AskedQuestion(sealed, {card.node: card for card in cards})
        return await self.server.world.hear(asked, await asking.submit(sealed.request))


async def test_members_are_answered_and_strangers_are_not_even_shown_this_device(worker, server):
    secret = await worker.join()
    await worker.network.routers.add(server.address)
    worker.working.start(WorkPolicy(enabled=True))
    await worker.state(WorkState.READY)
    assert list((await Asker(server, secret).ask()).values()) == ["The sky is blue."]
    status = await worker.until(lambda status: status.today.questions == 1)
    assert status.model == "Tiny 1B"
    [entry] = worker.working.records.latest()
    assert (entry.level, entry.outcome) == (PrivacyLevel.CIRCLE, Outcome.ANSWERED)
    with pytest.raises(NoWorkerFits):
        await Asker(server).ask()


@pytest.mark.parametrize("kind", list(GroupKind))
async def test_a_router_that_hands_over_a_strangers_question_gets_no_answer_to_it(worker, server, kind):
    secret = await worker.join(kind)
    await worker.network.routers.add(server.address)
    worker.working.start(WorkPolicy(enabled=True))
    stranger = Asker(server, secret)
    another = membership(secret, server.desk.public, DeviceKeys.generate(now()).public)
    for shown in ((), (another,)):
        assert await stranger.ask(memberships=shown) == {}
    assert [entry.outcome for entry in worker.working.records.latest()] == [Outcome.REFUSED] * 2
    await stranger.ask()
    level = PrivacyLevel.MY_DEVICES if kind is GroupKind.MINE else PrivacyLevel.CIRCLE
    assert worker.working.records.latest(1)[0].level is level


async def test_a_blocked_device_is_not_answered_whatever_it_shows(worker, server):
    secret = await worker.join()
    await worker.network.routers.add(server.address)
    worker.working.start(WorkPolicy(enabled=True, public=True))
    asker = Asker(server, secret)
    assert await asker.ask()
    worker.network.devices.blocked = lambda node: node == asker.keys.node
    assert await asker.ask() == {}


async def test_volunteers_answer_strangers_and_do_not_tell_their_name(worker, server):
    worker.network.identity.rename("Sara's laptop")
    await worker.network.routers.add(server.address)
    worker.working.start(WorkPolicy(enabled=True, public=True))
    await worker.state(WorkState.READY)
    assert list((await Asker(server).ask()).values()) == ["The sky is blue."]
    [shown] = await server.broker.nodes()
    card = read_card(shown.card, now())
    assert (card.name, [offer.model for offer in card.models]) == ("", ["tiny-1b"])
    assert worker.working.records.latest(1)[0].level is PrivacyLevel.PUBLIC


async def test_two_routers_are_served_and_one_that_breaks_is_no_matter_for_the_other(worker):
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(router()) for _ in range(2)]
        for server in servers:
            await worker.network.routers.add(server.address)
        worker.working.start(WorkPolicy(enabled=True, public=True))
        for server in servers:
            assert await Asker(server).ask()
        servers[0].cut()
        assert await Asker(servers[1]).ask()
        assert await Asker(servers[0]).ask()
        await worker.until(lambda status: status.today.questions == 4)


class Held:
    """An engine whose answers for others wait after their first words, until the gate is open."""

    def __init__(self, models) -> None:
        self.at_gate, self.gate = asyncio.Event(), asyncio.Event()
        self._find = models.spare_engine
        models.spare_engine = self._found

    async def _found(self, *arguments):
        self._real = await self._find(*arguments)
        return self if self._real is not None else None

    def __getattr__(self, name):
        return getattr(self._real, name)

    async def stream(self, prompt):
        async with aclosing(self._real.stream(prompt)) as deltas:
            async for delta in deltas:
                yield delta
                self.at_gate.set()
                await self.gate.wait()


async def test_the_owner_goes_first_at_once_and_the_question_is_answered_afterwards(worker, server):
    held = Held(worker.desk.models)
    await worker.network.routers.add(server.address)
    worker.working.start(WorkPolicy(enabled=True, public=True))
    asking = asyncio.create_task(Asker(server).ask())
    async with asyncio.timeout(LIMIT):
        await held.at_gate.wait()
    answered = await collect(worker.answering.ask(worker.desk.new(), "Mine first"))
    assert answered.answer.text == "The sky is blue."
    assert worker.working.records.latest()[-1].outcome is Outcome.GIVEN_BACK
    held.gate.set()
    async with asyncio.timeout(LIMIT):
        assert list((await asking).values()) == ["The sky is blue."]
    assert worker.working.records.latest(1)[0].outcome is Outcome.ANSWERED


async def test_the_rules_are_followed_as_they_change(worker, server):
    await worker.network.routers.add(server.address)
    worker.working.start()
    assert worker.working.status.state is WorkState.OFF
    worker.working.change(enabled=True)
    await worker.state(WorkState.NOBODY)
    worker.working.change(public=True)
    await worker.state(WorkState.READY)
    worker.working.change(paused=True)
    assert (await worker.state(WorkState.PAUSED)).obstacle is Obstacle.PAUSED
    await server.world.until(lambda nodes: list(nodes.values()) == [0])
    worker.working.change(paused=False, daily_questions=1)
    await worker.state(WorkState.READY)
    await Asker(server).ask()
    assert (await worker.state(WorkState.PAUSED)).obstacle is Obstacle.QUOTA
    worker.working.change(daily_questions=0, hours=WorkHours(0, 0))
    await worker.state(WorkState.READY)
    worker.working.change(enabled=False)
    await worker.state(WorkState.OFF)
    await server.world.until(lambda nodes: not nodes)


async def test_power_and_connection_are_looked_at_again_and_again(worker, server, monkeypatch):
    monkeypatch.setattr("app.core.network.working.LOOK_SECONDS", 0.02)
    await worker.network.routers.add(server.address)
    worker.working.start(WorkPolicy(enabled=True, public=True))
    await worker.state(WorkState.READY)
    for found, obstacle in (
        (Conditions(charging=False, metered=False, celsius=None), Obstacle.BATTERY),
        (Conditions(charging=True, metered=True, celsius=None), Obstacle.METERED),
        (Conditions(charging=True, metered=False, celsius=99.0), Obstacle.HOT),
    ):
        worker.found = found
        await worker.until(lambda status, wanted=obstacle: status.obstacle is wanted)
    worker.found = Conditions(charging=True, metered=False, celsius=None)
    await worker.state(WorkState.READY)


async def test_what_is_missing_is_told_and_found_when_it_is_there(worker, server, nothing_is_local):
    worker.working.start(WorkPolicy(enabled=True, public=True))
    await worker.state(WorkState.NO_ROUTER)
    added = await worker.network.routers.add(server.address)
    await worker.state(WorkState.READY)
    nothing_is_local()
    worker.network.offline.turn(on=True)
    await worker.state(WorkState.OFFLINE)
    worker.network.offline.turn(on=False)
    await worker.state(WorkState.READY)
    worker.network.routers.enable(added.id, enabled=False)
    await worker.state(WorkState.NO_ROUTER)


async def test_without_a_model_there_is_nothing_to_connect_for(desk, network, server):
    worker = Worker(desk, network)
    await network.routers.add(server.address)
    worker.working.start(WorkPolicy(enabled=True, public=True))
    await worker.state(WorkState.NO_MODEL)
    desk.install("Here I am.")
    desk.models.look_again()
    await worker.state(WorkState.READY)
    await worker.working.close()


async def test_one_process_of_the_device_works_and_another_takes_over(worker, server):
    other = InstanceLock(worker.desk.folder / "worker.lock")
    await worker.network.routers.add(server.address)
    worker.working.start(WorkPolicy(enabled=True, public=True))
    await worker.state(WorkState.ELSEWHERE)
    other.release()
    worker.working.change(slots=2)
    await worker.state(WorkState.READY)


async def test_newly_shared_documents_are_shown_in_a_new_card_and_answer(worker, server):
    worker.desk.install("In October [1].", name="Tiny 1B")
    collection, _ = worker.desk.add_document("The boiler in the cellar must be vented every October.")
    await worker.network.routers.add(server.address)
    worker.working.start(WorkPolicy(enabled=True, public=True))
    await worker.state(WorkState.READY)
    assert [read_card(node.card, now()).shares_documents for node in await server.broker.nodes()] == [False]
    worker.desk.knowledge.set_sharing(collection, Sharing.PUBLIC)
    before = read_card((await server.broker.nodes())[0].card, now()).sequence
    worker.working.change(topics=("heating",))
    async with asyncio.timeout(LIMIT):
        while True:
            server.world.news.clear()
            cards = [read_card(node.card, now()) for node in await server.broker.nodes()]
            if cards and cards[0].sequence > before:
                break
            await server.world.news.wait()
    assert (cards[0].shares_documents, cards[0].topics) == (True, ("heating",))
    await Asker(server).ask("When must the boiler in the cellar be vented?")
    assert worker.working.records.latest(1)[0].sources == 1


async def test_the_owners_rules_outlive_a_restart_and_those_for_one_time_do_not(worker):
    worker.working.change(public=True)
    worker.working.start(WorkPolicy(enabled=False, slots=3))
    worker.working.change(slots=4)
    assert worker.working.policy == WorkPolicy(slots=4)
    await worker.working.stop()
    again = Worker(worker.desk, worker.network)
    assert again.working.policy == WorkPolicy(public=True)
    await again.working.close()
