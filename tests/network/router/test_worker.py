"""The worker's lasting connection against the real router: what one says, the other understands."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from network.answered import AnsweredQuestions
from network.asked import AskedQuestion, Said
from network.broker.embedded import open_embedded_broker
from network.cards import Offer, issue_card
from network.errors import Goodbye, RouterRefused
from network.keys import DeviceKeys
from network.protocol.cards import ModelOffer
from network.protocol.content import AnswerText
from network.worker.connection import Phase, Registration, RouterConnection, Way
from network.worker.running import RunningAnswers
from tests.network.front import Front
from tests.network.http_router import whole_router
from tests.network.router.devices import Asker
from tests.network.small_world import MODEL, Clock, ScriptedAnswerer, now

pytestmark = pytest.mark.desktop("a server")


class Worker:
    """A device that stays connected."""

    def __init__(self, address: str, http: httpx.AsyncClient, *, way=Way.WEBSOCKET, invite="") -> None:
        self.answerer = ScriptedAnswerer()
        self.keys = DeviceKeys.generate(now())
        self.connection = RouterConnection(
            address,
            http,
            self.register,
            self.answerer,
            AnsweredQuestions(),
            invite=invite,
            answers=RunningAnswers(sleep=self.never),
            chance=lambda: 0.0,
        )
        if way is Way.EVENTS:
            self.connection._fall_back()
        self.news = asyncio.Event()
        self.connection.subscribe(lambda _: self.news.set())

    async def never(self, seconds: float) -> None:
        """Answers wait for the next connection as long as it takes."""
        await asyncio.Event().wait()

    async def register(self, info) -> Registration:
        offer = Offer(models=(ModelOffer(model=MODEL, context_tokens=4096, tokens_per_second=1),), slots=1)
        self.keys, card = issue_card(self.keys, offer, now())
        return Registration(self.keys, card, public=True)

    async def __aenter__(self) -> Worker:
        self.task = asyncio.create_task(self.connection.run())
        return self

    async def __aexit__(self, *_) -> None:
        await self.connection.leave()
        await self.task

    async def until(self, phase: Phase):
        async with asyncio.timeout(60):
            while self.connection.state.phase is not phase:
                self.news.clear()
                await self.news.wait()
        return self.connection.state


@pytest.fixture
async def plain():
    """A client as the app has it, without an address of its own."""
    async with httpx.AsyncClient(trust_env=False) as http:
        yield http


async def heard(router, http) -> str:
    """What the only worker answers."""
    asker = Asker(http)
    async with asyncio.timeout(60):
        while True:
            try:
                sealed, cards = await asker.seal()
                break
            except httpx.HTTPStatusError:
                await asyncio.sleep(0)  # its first sign of life is on the way
        asked = AskedQuestion(sealed, {card.node: card for card in cards})
        text = ""
        async for _, data in asker.listen(await asker.submit(sealed)):
            match asked.hear(data):
                case Said(_, AnswerText(text=more)):
                    text += more
    return text


@pytest.mark.parametrize("way", list(Way))
async def test_a_question_is_answered_over_either_way(router, http, plain, way):
    async with Worker(router.address, plain, way=way) as worker:
        assert (await worker.until(Phase.CONNECTED)).way is way
        assert await heard(router, http) == "Nothing at all."
    assert worker.connection.state.phase is Phase.OFF


@pytest.mark.parametrize("way", list(Way))
async def test_without_the_invitation_a_worker_is_refused_and_waits_long(plain, way):
    async with (
        whole_router(invites=frozenset({"open sesame"})) as router,
        Worker(router.address, plain, way=way) as worker,
    ):
        waiting = await worker.until(Phase.WAITING)
        assert isinstance(waiting.error, Goodbye | RouterRefused)
        assert waiting.retry_seconds == 300
        async with Worker(router.address, plain, way=way, invite="open sesame") as other:
            await other.until(Phase.CONNECTED)


async def test_a_router_that_restarts_says_when_to_come_back(plain):
    async with whole_router(retry_seconds=5) as router, Worker(router.address, plain) as worker:
        await worker.until(Phase.CONNECTED)
        router.server.stop()
        waiting = await worker.until(Phase.WAITING)
        assert (type(waiting.error), waiting.retry_seconds) == (Goodbye, 5.0)


@pytest.mark.parametrize("way", list(Way))
async def test_an_answer_goes_on_when_the_network_is_cut(plain, way):
    """The broker's clock stands still: however slow this is, it is in time."""
    async with (
        Front().running() as front,
        whole_router(
            origins=frozenset({front.address}),
            open_broker=lambda: open_embedded_broker(None, now=Clock()),
        ) as router,
        httpx.AsyncClient(base_url=router.address) as http,
    ):
        front.ports = [httpx.URL(router.address).port]
        async with Worker(front.address, plain, way=way) as worker:
            worker.answerer.gate = asyncio.Event()
            await worker.until(Phase.CONNECTED)
            asking = asyncio.create_task(heard(router, http))
            async with asyncio.timeout(60):
                await worker.answerer.at_gate.wait()
            front.cut()
            if way is Way.WEBSOCKET:
                await worker.until(Phase.WAITING)
                await worker.until(Phase.CONNECTED)
            worker.answerer.gate.set()
            assert await asking == "Nothing at all."
            assert len(worker.answerer.questions) == 1
