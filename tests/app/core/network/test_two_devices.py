"""Two devices of this app, whole: one asks, the other answers with its model and its shared documents."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core.answering import Answering
from app.core.network.device_conditions import Conditions, DeviceConditions
from app.core.network.facade import Network
from app.core.network.groups import GroupKind
from app.core.network.work_policy import WorkPolicy
from app.core.network.work_records import Outcome
from app.core.network.work_status import WorkState
from app.core.network.working import Working
from app.core.network_answers import NetworkAnswers
from app.core.owner_activity import OwnerActivity
from app.core.provenance import PrivacyLevel
from rag.model import Sharing
from tests.app.core.conftest import Desk, collect
from tests.app.core.network.conftest import Device

pytestmark = pytest.mark.desktop("a server")

BOILER = "The boiler in the cellar must be vented every October through the red valve."
WHEN = "When must the boiler in the cellar be vented?"


@dataclass
class Person:
    """Somebody's device: chat, network, and work for others."""

    desk: Desk
    network: Network
    answering: Answering
    working: Working

    @classmethod
    def at(cls, folder: Path) -> Person:
        (folder / "models").mkdir(parents=True)
        desk, network, activity = Desk(folder), Device(folder).start(), OwnerActivity()
        network.asking.chance = lambda: 1.0  # no canaries
        found = Conditions(charging=True, metered=False, celsius=None)
        return cls(
            desk,
            network,
            Answering(
                desk.conversations,
                desk.knowledge,
                desk.models,
                desk.settings,
                desk.writers,
                activity,
                elsewhere=NetworkAnswers(network.asking, desk.models),
            ),
            Working(
                folder / "network",
                network,
                desk.models,
                desk.knowledge,
                network.settings,
                activity,
                desk.writers,
                conditions=DeviceConditions(lambda: found),
            ),
        )

    async def ready(self) -> None:
        """Work for others, from now on."""
        news = asyncio.Event()
        self.working.subscribe(lambda _: news.set())
        self.working.start(WorkPolicy(enabled=True))
        async with asyncio.timeout(60):
            while self.working.status.state is not WorkState.READY:
                news.clear()
                await news.wait()

    async def ask(self, level: PrivacyLevel, text: str):
        """Ask with consent; the answer as it is stored."""
        conversation = self.desk.conversations.create((), level=level).id
        departure = await self.answering.departure(conversation, text)
        answered = await collect(self.answering.ask(conversation, text, departure=departure.approve()))
        return self.desk.conversations.message(answered.answer.id)

    async def close(self) -> None:
        await self.working.close()
        await self.network.asking.close()
        self.network.close()
        await self.desk.close()


@pytest.fixture
async def people(folder, tmp_path):
    """Two devices that know one router, and share a group."""
    from tests.network.http_router import whole_router

    asker, helper = Person.at(tmp_path / "asker"), Person.at(tmp_path / "helper")
    code = helper.network.groups.code(helper.network.groups.create("Friends", GroupKind.CIRCLE).id)
    asker.network.groups.join(code, "Friends", GroupKind.CIRCLE)
    async with whole_router(name="Home") as router:
        for person in (asker, helper):
            await person.network.routers.add(router.address)
        yield asker, helper
        for person in (asker, helper):
            await person.close()


async def test_a_friends_device_answers_from_its_shared_documents(people):
    asker, helper = people
    helper.desk.install("In October [1].", name="Tiny 1B")
    collection, _ = helper.desk.add_document(BOILER)
    helper.desk.knowledge.set_sharing(collection, Sharing.CIRCLE)
    await helper.ready()
    answer = await asker.ask(PrivacyLevel.CIRCLE, WHEN)
    assert answer.text == "In October [1]."
    [citation] = answer.citations
    assert (citation.document_title, citation.text) == ("guide.txt", BOILER)
    assert (answer.model, answer.provenance.router) == ("tiny-1b", "Home")
    [entry] = helper.working.records.latest()
    assert (entry.level, entry.outcome, entry.sources) == (PrivacyLevel.CIRCLE, Outcome.ANSWERED, 1)


async def test_what_is_not_shared_so_far_is_neither_searched_nor_told(people):
    asker, helper = people
    helper.desk.install("I do not know.", name="Tiny 1B")
    collection, _ = helper.desk.add_document(BOILER)
    helper.desk.knowledge.set_sharing(collection, Sharing.MY_DEVICES)
    await helper.ready()
    answer = await asker.ask(PrivacyLevel.CIRCLE, WHEN)
    assert (answer.text, answer.citations) == ("I do not know.", ())
    assert "red valve" not in helper.desk.prompts[0].messages[-1].content


async def test_a_stranger_finds_nobody_and_answers_itself(people):
    asker, helper = people
    asker.network.groups.leave(asker.network.groups.all()[0].id)
    helper.desk.install("Not for you.", name="Tiny 1B")
    asker.desk.install("From my own device.", name="Own")
    await helper.ready()
    answer = await asker.ask(PrivacyLevel.PUBLIC, WHEN)
    assert answer.text == "From my own device."
    assert helper.working.records.latest() == []
