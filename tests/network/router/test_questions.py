"""Whole questions through a real router: over HTTP from the asker, over a WebSocket to the worker."""

from __future__ import annotations

import asyncio
import json

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from network.asked import AskedQuestion, Began, Refused, Said
from network.broker.embedded import open_embedded_broker
from network.groups import group_tag, membership, new_group
from network.keys import DeviceKeys
from network.protocol.content import AnswerText
from network.protocol.jobs import JobAccepted
from network.protocol.message import decode, encode
from network.protocol.routers import Pool, RouterInfo
from network.worker.answerer import CannotAnswer
from tests.network.http_router import whole_router
from tests.network.router.devices import JSON, Asker, bearer, problem, seen, working
from tests.network.small_world import MODEL, ScriptedAnswerer, now

pytestmark = pytest.mark.desktop("a server")


async def hear(asker: Asker, sealed, cards, accepted: JobAccepted, after: int = 0):
    """All that was said by each worker, and the last word of the router."""
    asked = AskedQuestion(sealed, {card.node: card for card in cards})
    heard, last = {}, None
    async for _, data in asker.listen(accepted, after):
        last = json.loads(data)
        match asked.hear(data):
            case Began(node):
                heard[node] = ""
            case Said(node, AnswerText(text=text)):
                heard[node] += text
            case Refused(_, error):
                raise error
    return heard, last


async def test_a_question_is_answered(router, http):
    asker = Asker(http)
    async with working(router.address) as worker:
        sealed, cards = await asker.seal()
        accepted = await asker.submit(sealed)
        heard, last = await hear(asker, sealed, cards, accepted)
    assert heard == {worker.node: "Nothing at all."}
    assert (last["type"], last["event"]) == ("job_progress", "done")
    assert worker.answerer.questions[0].turns[0].text.startswith("What did")


async def test_every_event_is_one_message_and_their_numbers_rise(router, http):
    asker = Asker(http)
    async with working(router.address) as worker:
        sealed, _ = await asker.seal()
        events = [event async for event in asker.listen(await asker.submit(sealed))]
    *numbered, (end, _) = events
    numbers = [number for number, _ in numbered]
    assert numbers == sorted(set(numbers))
    assert end is None, "an end can be said again"
    first = json.loads(events[0][1])
    assert (first["event"], first["node"]) == ("handed_out", worker.node)


async def test_who_comes_back_hears_only_what_is_new(router, http):
    asker = Asker(http)
    async with working(router.address):
        sealed, _ = await asker.seal()
        accepted = await asker.submit(sealed)
        everything = [event async for event in asker.listen(accepted)]
    middle = len(everything) // 2
    after = everything[middle][0]
    assert [event async for event in asker.listen(accepted, after)] == everything[middle + 1 :]


async def test_a_question_sent_twice_is_kept_once(router, http):
    asker = Asker(http)
    async with working(router.address) as worker:
        sealed, cards = await asker.seal()
        accepted = await asker.submit(sealed)
        assert await asker.submit(sealed) == msgspec.structs.replace(accepted, position=0)
        heard, _ = await hear(asker, sealed, cards, accepted)
    assert heard == {worker.node: "Nothing at all."}
    assert len(worker.answerer.questions) == 1


async def test_another_question_with_the_same_number_is_refused(router, http):
    asker = Asker(http)
    async with working(router.address, ScriptedAnswerer(gate=asyncio.Event())):
        sealed, _ = await asker.seal()
        await asker.submit(sealed)
        other = Asker(http)
        stolen, _ = await other.seal()
        request = msgspec.structs.replace(stolen.request, job=sealed.request.job)
        answer = await http.post("/v1/jobs", content=encode(request), headers=JSON)
    assert problem(answer) == "invalid", "the grants are for another number"


async def test_a_question_that_nobody_waits_for_stops_its_worker(router, http):
    answerer = ScriptedAnswerer(gate=asyncio.Event())
    asker = Asker(http)
    async with working(router.address, answerer):
        sealed, _ = await asker.seal()
        accepted = await asker.submit(sealed)
        await asyncio.wait_for(answerer.at_gate.wait(), 30)
        answer = await http.delete(f"/v1/jobs/{accepted.job}", headers=bearer(accepted.access))
        assert answer.status_code == 204
        events = [json.loads(data) async for _, data in asker.listen(accepted)]
        assert events[-1]["event"] == "cancelled"
        again = await http.delete(f"/v1/jobs/{accepted.job}", headers=bearer(accepted.access))
        assert again.status_code == 204
    assert answerer.stopped == 1


async def test_a_question_that_nobody_can_answer_ends_as_failed(router, http):
    asker = Asker(http)
    async with working(router.address, ScriptedAnswerer(cannot=CannotAnswer(for_now=False))):
        sealed, _ = await asker.seal()
        accepted = await asker.submit(sealed)
        events = [json.loads(data)["event"] async for _, data in asker.listen(accepted)]
    assert events == ["handed_out", "declined", "failed"]


async def test_only_the_asker_hears_the_answers(router, http):
    asker = Asker(http)
    async with working(router.address, ScriptedAnswerer(gate=asyncio.Event())):
        sealed, _ = await asker.seal()
        accepted = await asker.submit(sealed)
        path = f"/v1/jobs/{accepted.job}"
        for method, url in (("GET", f"{path}/events"), ("DELETE", path)):
            assert problem(await http.request(method, url)) == "not-registered"
            assert problem(await http.request(method, url, headers=bearer(b"short"))) == "not-registered"
            assert problem(await http.request(method, url, headers=bearer(bytes(32)))) == "refused"
        assert problem(await http.get("/v1/jobs/nonsense/events", headers=bearer(bytes(32)))) == "unknown-job"


async def test_an_asker_keeps_its_access_when_the_router_is_started_again(tmp_path):
    def open_broker():
        return open_embedded_broker(tmp_path / "jobs.db")

    key = Ed25519PrivateKey.generate()
    async with (
        whole_router(key=key, open_broker=open_broker) as router,
        httpx.AsyncClient(base_url=router.address) as http,
        working(router.address) as worker,
    ):
        asker = Asker(http)
        sealed, cards = await asker.seal()
        worker.session.pause("owner")
        accepted = await asker.submit(sealed)
    async with (
        whole_router(key=key, open_broker=open_broker) as router,
        httpx.AsyncClient(base_url=router.address) as http,
        working(router.address, keys=worker.keys),
    ):
        heard, last = await hear(Asker(http), sealed, cards, accepted)
    assert heard == {worker.node: "Nothing at all."}
    assert last["event"] == "done"


async def test_a_group_meets_at_a_router_that_nobody_else_can_see_it_at(router, http):
    circle = new_group()
    info = decode((await http.get("/v1/router")).content, RouterInfo)
    keys = DeviceKeys.generate(now())
    shown = membership(circle, info.public, keys.public)
    asker = Asker(http)
    friends = working(router.address, keys=keys, memberships=(shown,), public=False)
    async with working(router.address), friends as friend:
        tag = group_tag(circle, info.public)
        await seen(router.address, friend, groups=(tag,))
        sealed, cards = await asker.seal(groups=(tag,), public=False)
        assert [card.node for card in cards] == [friend.node]
        heard, _ = await hear(asker, sealed, cards, await asker.submit(sealed))
        pool = decode((await http.get("/v1/pool")).content, Pool)
    assert heard == {friend.node: "Nothing at all."}
    assert pool.workers == 1, "the pool counts public workers only"


async def test_the_pool_tells_how_many_speak_which_language(router, http):
    async with working(router.address, slots=3):
        pool = decode((await http.get("/v1/pool")).content, Pool)
    assert (pool.workers, pool.free, pool.waiting) == (1, 3, 0)
    assert [(row.model, row.workers, row.free) for row in pool.models] == [(MODEL, 1, 3)]
    assert [(row.language, row.workers) for row in pool.languages] == [("en", 1), ("fa", 1)]


async def test_a_router_says_who_it_is(router, http):
    info = decode((await http.get("/v1/router")).content, RouterInfo)
    assert info.public == router.service.desk.public
    assert (info.admission, info.needs_invite_to_ask, info.versions) == ("open", False, (1,))
