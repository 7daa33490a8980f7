"""A worker stays connected: two ways of carrying messages, broken connections, goodbyes, new cards."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from network.answered import AnsweredQuestions
from network.backoff import Backoff
from network.broker.embedded import open_embedded_broker
from network.cards import Offer, issue_card
from network.errors import (
    Goodbye,
    LinkClosed,
    MessageInvalid,
    RouterBusy,
    RouterChanged,
    RouterRefused,
    RouterUnreachable,
)
from network.keys import DeviceKeys
from network.protocol.cards import ModelOffer
from network.worker.connection import (
    FALLBACK_SECONDS,
    ConnectionState,
    Phase,
    Registration,
    RouterConnection,
    Way,
    wait_after,
)
from network.worker.running import RunningAnswers
from tests.network.small_world import MODEL, ScriptedAnswerer, now
from tests.network.worker.link_server import LinkServer


@pytest.fixture
async def server(tmp_path):
    broker = await open_embedded_broker(tmp_path / "jobs.db")
    async with LinkServer(broker).running() as server:
        yield server
    await broker.close()


@pytest.fixture
async def http():
    async with httpx.AsyncClient(trust_env=False) as http:
        yield http


class TestedConnection:
    """A connection, every state that it has told, and a clock that waits for nobody."""

    __test__ = False

    def __init__(self, server: LinkServer, http: httpx.AsyncClient, **options) -> None:
        self.keys = DeviceKeys.generate(now())
        self.answerer = options.pop("answerer", ScriptedAnswerer())
        self.waits: list[float] = []
        self.cards = 0
        self.states: list[ConnectionState] = []
        self.news = asyncio.Event()
        self.connection = RouterConnection(
            server.address,
            http,
            self.register,
            self.answerer,
            AnsweredQuestions(),
            answers=RunningAnswers(sleep=self.never),
            sleep=options.pop("sleep", self.sleep),
            **options,
        )
        self.connection.subscribe(self.heard)

    async def register(self, info) -> Registration:
        offer = Offer(models=(ModelOffer(model=MODEL, context_tokens=4096, tokens_per_second=1),), slots=1)
        self.keys, card = issue_card(self.keys, offer, now())
        self.cards += 1
        return Registration(self.keys, card, public=True)

    def heard(self, state: ConnectionState) -> None:
        self.states.append(state)
        self.news.set()

    async def sleep(self, seconds: float) -> None:
        """Waiting after a failure costs nothing here; waiting for a card to grow old lasts for ever."""
        self.waits.append(seconds)
        await asyncio.sleep(0 if seconds < 3_600 else 1_000_000)

    async def never(self, seconds: float) -> None:
        """Answers wait for the next connection as long as it takes."""
        await asyncio.Event().wait()

    async def __aenter__(self) -> TestedConnection:
        self.task = asyncio.create_task(self.connection.run())
        return self

    async def __aexit__(self, *_) -> None:
        await self.connection.leave()
        async with asyncio.timeout(60):
            await self.task
        assert self.connection.state == ConnectionState()

    async def until(self, fits) -> ConnectionState:
        """The first state that fits, of those that were not looked at yet."""
        async with asyncio.timeout(60):
            while True:
                while self.states:
                    if fits(state := self.states.pop(0)):
                        return state
                self.news.clear()
                await self.news.wait()

    async def connected(self) -> ConnectionState:
        return await self.until(lambda state: state.phase is Phase.CONNECTED)


async def answered(server: LinkServer) -> dict[str, str]:
    """Ask whoever is there, or comes."""
    world = server.world
    await world.until(lambda nodes: any(nodes.values()))
    sealed, asked = await world.seal(DeviceKeys.generate(now()), workers=1, spares=0)
    return await world.hear(asked, await world.submit(sealed))


@pytest.mark.parametrize("way", list(Way))
async def test_a_question_is_answered_over_either_way(server, http, way):
    server.websocket = way is Way.WEBSOCKET
    async with TestedConnection(server, http) as worker:
        assert (await worker.connected()).way is way
        assert await answered(server) == {worker.keys.node: "Nothing at all."}


@pytest.mark.parametrize("way", list(Way))
async def test_a_broken_connection_is_made_again_and_the_question_is_answered(server, http, way):
    server.websocket = way is Way.WEBSOCKET
    answerer = ScriptedAnswerer(gate=asyncio.Event())
    async with TestedConnection(server, http, answerer=answerer) as worker:
        await worker.connected()
        asking = asyncio.create_task(answered(server))
        async with asyncio.timeout(60):
            await answerer.at_gate.wait()
        server.cut()
        if way is Way.WEBSOCKET:
            await worker.connected()
        answerer.gate.set()
        async with asyncio.timeout(60):
            assert await asking == {worker.keys.node: "Nothing at all."}


@pytest.mark.parametrize("way", list(Way))
async def test_an_answer_goes_on_after_a_broken_connection_and_the_engine_has_worked_once(server, http, way):
    server.websocket = way is Way.WEBSOCKET
    answerer = ScriptedAnswerer(gate=asyncio.Event())
    async with TestedConnection(server, http, answerer=answerer) as worker:
        await worker.connected()
        asking = asyncio.create_task(answered(server))
        async with asyncio.timeout(60):
            await answerer.at_gate.wait()
        server.break_links()
        await worker.connected()
        answerer.gate.set()
        async with asyncio.timeout(60):
            assert await asking == {worker.keys.node: "Nothing at all."}
        assert len(answerer.questions) == 1
        assert server.desk.counts["answers taken up again"] == 1


@pytest.mark.parametrize("way", list(Way))
async def test_in_another_network_the_answer_goes_on(server, http, way):
    server.websocket = way is Way.WEBSOCKET
    answerer = ScriptedAnswerer(gate=asyncio.Event())
    async with TestedConnection(server, http, answerer=answerer) as worker:
        await worker.connected()
        asking = asyncio.create_task(answered(server))
        async with asyncio.timeout(60):
            await answerer.at_gate.wait()
        await worker.connection.wake()
        await worker.connected()
        answerer.gate.set()
        async with asyncio.timeout(60):
            assert await asking == {worker.keys.node: "Nothing at all."}
        assert len(answerer.questions) == 1


async def test_a_broken_stream_of_events_is_taken_up_again_without_losing_the_link(server, http):
    server.websocket = False
    async with TestedConnection(server, http) as worker:
        await worker.connected()
        server.cut()
        assert await answered(server) == {worker.keys.node: "Nothing at all."}
        assert worker.cards == 1


async def test_the_other_way_is_tried_where_websockets_are_taken_and_nothing_comes_through(
    server, http, monkeypatch
):
    monkeypatch.setattr("network.worker.session.ANSWER_SECONDS", 0.05)
    server.swallow = True
    async with TestedConnection(server, http) as worker:
        await worker.until(lambda state: isinstance(state.error, LinkClosed))
        monkeypatch.setattr("network.worker.session.ANSWER_SECONDS", 60)
        assert (await worker.connected()).way is Way.EVENTS


async def test_a_device_without_websocket_tries_it_again_later_and_in_another_network(server, http):
    server.websocket = False
    time = 0.0
    async with TestedConnection(server, http, monotonic=lambda: time) as worker:
        await worker.connected()
        await worker.connection.wake()
        await worker.connected()
        assert server.requests.count("GET /v1/worker") == 2
        await worker.connection.renew()
        await worker.connected()
        assert server.requests.count("GET /v1/worker") == 2
        time += FALLBACK_SECONDS
        await worker.connection.renew()
        await worker.connected()
        assert server.requests.count("GET /v1/worker") == 3


async def test_goodbye_is_said_and_others_learn_at_once_that_the_worker_has_gone(server, http):
    async with TestedConnection(server, http) as worker:
        await worker.connected()
        await server.world.until(lambda nodes: len(nodes) == 1)
    await server.world.until(lambda nodes: not nodes)


async def test_a_router_that_says_when_to_come_back_is_obeyed(server, http):
    async with TestedConnection(server, http, chance=lambda: 0.5) as worker:
        await worker.connected()
        await server.workers.close(retry_seconds=40)
        waiting = await worker.until(lambda state: state.phase is Phase.WAITING)
        assert isinstance(waiting.error, Goodbye)
        assert waiting.retry_seconds == 60
        await worker.connected()


async def test_a_new_card_is_shown_before_the_old_one_expires_but_not_while_it_answers(server, http):
    grown_old = asyncio.Event()
    waits = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if seconds > 3_600:
            await grown_old.wait()
            grown_old.clear()

    answerer = ScriptedAnswerer(gate=asyncio.Event())
    async with TestedConnection(server, http, answerer=answerer, sleep=sleep, chance=lambda: 1.0) as worker:
        await worker.connected()
        asking = asyncio.create_task(answered(server))
        async with asyncio.timeout(60):
            await answerer.at_gate.wait()
        assert waits == [pytest.approx(86_400 - 3 * 3_600, abs=60)]
        grown_old.set()
        await asyncio.sleep(0)
        assert worker.cards == 1
        answerer.gate.set()
        async with asyncio.timeout(60):
            assert await asking == {worker.keys.node: "Nothing at all."}
        await worker.connected()
        assert worker.cards == 2
        assert len(waits) == 2, "it did not wait before it came back"


async def test_a_router_with_another_key_than_at_the_first_visit_gets_no_card(server, http):
    async with TestedConnection(server, http, public_key=bytes(32)) as worker:
        waiting = await worker.until(lambda state: state.phase is Phase.WAITING)
        assert isinstance(waiting.error, RouterChanged)
        assert worker.cards == 0


async def test_no_router_at_the_address_is_waited_for_and_waking_up_tries_at_once(server, http):
    async def for_ever(seconds: float) -> None:
        await asyncio.Event().wait()

    address, server.address = server.address, "http://127.0.0.1:1"
    async with TestedConnection(server, http, sleep=for_ever) as worker:
        worker.connection._address = "http://127.0.0.1:1"
        assert isinstance((await worker.until(lambda state: state.error)).error, RouterUnreachable)
        worker.connection._address = address
        await worker.connection.wake()
        await worker.connected()


async def test_a_refused_handshake_is_no_reason_to_try_the_other_way(server, http):
    server.refusal = (
        b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"
    )
    async with TestedConnection(server, http, chance=lambda: 0.0) as worker:
        waiting = await worker.until(lambda state: state.phase is Phase.WAITING)
        assert isinstance(waiting.error, RouterBusy)
        assert waiting.retry_seconds == 7
        server.refusal = None
        assert (await worker.connected()).way is Way.WEBSOCKET


async def test_pausing_is_kept_through_a_new_connection(server, http):
    async with TestedConnection(server, http) as worker:
        worker.connection.pause("battery")
        await worker.connected()
        await worker.connection.wake()
        await worker.connected()
        await server.world.until(lambda nodes: nodes == {worker.keys.node: 0})
        assert [state.pause for state in await server.broker.nodes()] == ["battery"]


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (LinkClosed(), 0.25),
        (RouterUnreachable("a"), 0.25),
        (OSError(), 0.25),
        (Goodbye("restart"), 0.25),
        (Goodbye("restart", 30), 45),
        (Goodbye("refused", 1), 450),
        (Goodbye("replaced"), 450),
        (RouterBusy("a", 20), 20.25),
        (RouterRefused("a"), 450),
        (RouterChanged("a"), 450),
        (MessageInvalid(), 450),
    ],
)
def test_how_long_a_worker_waits_depends_on_what_went_wrong(error, seconds):
    assert wait_after(error, Backoff(0.5, 60.0, lambda: 0.5), 0.5) == seconds
