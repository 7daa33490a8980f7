"""The client for askers against the real router: what one says, the other understands."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from network.asked import AskedQuestion, Said
from network.backoff import Backoff
from network.client.router_client import RouterClient
from network.errors import JobUnknown, NoWorkerFits, RouterRefused, RouterUnreachable
from network.protocol import frames
from network.protocol.content import AnswerText
from network.protocol.jobs import JobProgress
from network.protocol.tickets import WorkerQuery
from tests.network.http_router import whole_router
from tests.network.router.devices import Asker, working
from tests.network.small_world import ScriptedAnswerer

pytestmark = pytest.mark.desktop("a server")


def client_of(router, http, invite="") -> RouterClient:
    return RouterClient(router.address, http, invite, backoff=lambda: Backoff(first=0.01))


async def heard(client, sealed, cards, accepted) -> tuple[dict[str, str], list[str]]:
    """All that was said by each worker, and what the router has said about it."""
    asked = AskedQuestion(sealed, {card.node: card for card in cards})
    words: dict[str, str] = {}
    events = []
    async for data in client.answers(accepted.job, accepted.access):
        message = frames.to_asker(data)
        if isinstance(message, JobProgress):
            events.append(message.event)
        news = asked.hear(data)
        if isinstance(news, Said) and isinstance(news.part, AnswerText):
            words[news.node] = words.get(news.node, "") + news.part.text
    return words, events


async def test_a_question_is_asked_and_answered(router, http):
    client = client_of(router, http)
    async with working(router.address) as worker:
        sealed, cards = await Asker(http).seal()
        words, events = await heard(client, sealed, cards, await client.submit(sealed.request))
    assert words == {worker.node: "Nothing at all."}
    assert events[-1] == "done"


async def test_it_tells_who_it_is_and_who_is_there(router, http):
    client = client_of(router, http)
    assert (await client.info()).public == router.service.desk.public
    async with working(router.address):
        assert (await client.pool()).workers == 1


async def test_nobody_there_is_an_error_of_its_own(router, http):
    with pytest.raises(NoWorkerFits):
        await client_of(router, http).candidates(WorkerQuery(job="a" * 32, asker="b" * 32, public=True))


async def test_a_question_that_is_sent_again_is_the_same_one(router, http):
    client = client_of(router, http)
    async with working(router.address, ScriptedAnswerer(gate=asyncio.Event())):
        sealed, _ = await Asker(http).seal()
        first = await client.submit(sealed.request)
        assert (await client.submit(sealed.request)).access == first.access


async def test_whoever_has_no_right_to_a_question_hears_nothing_of_it(router, http):
    client = client_of(router, http)
    async with working(router.address):
        sealed, _ = await Asker(http).seal()
        accepted = await client.submit(sealed.request)
        with pytest.raises((JobUnknown, RouterRefused)):
            async for _ in client.answers(accepted.job, bytes(32)):
                pass


async def test_cancelling_stops_the_worker(router, http):
    client = client_of(router, http)
    answerer = ScriptedAnswerer(gate=asyncio.Event())
    async with working(router.address, answerer):
        sealed, cards = await Asker(http).seal()
        accepted = await client.submit(sealed.request)
        await asyncio.wait_for(answerer.at_gate.wait(), 30)
        await client.cancel(accepted.job, accepted.access)
        _, events = await heard(client, sealed, cards, accepted)
    assert events[-1] == "cancelled"
    assert answerer.stopped == 1


async def test_an_invitation_is_shown_where_one_is_wanted():
    async with (
        whole_router(invites=frozenset({"open sesame", "کنجد باز شو"}), invite_to_ask=True) as router,
        httpx.AsyncClient() as http,
    ):
        query = WorkerQuery(job="a" * 32, asker="b" * 32, public=True)
        with pytest.raises(RouterRefused):
            await client_of(router, http).candidates(query)
        for word in ("open sesame", "کنجد باز شو"):
            with pytest.raises(NoWorkerFits):
                await client_of(router, http, word).candidates(query)


async def test_a_router_that_is_gone_is_an_error_of_its_own(http, router):
    client = RouterClient("http://127.0.0.1:9", http, backoff=lambda: Backoff(first=0.0))
    with pytest.raises(RouterUnreachable):
        await client.info()
