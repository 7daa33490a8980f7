"""How workers come in, and how they are kept out."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from network.errors import Goodbye, LinkClosed
from network.link import memory_links
from network.protocol import frames
from network.protocol.answers import AnswerChunk, AnswerStart
from network.protocol.jobs import Decline, Renew
from network.protocol.message import decode, encode
from network.protocol.presence import Bye, Presence
from network.protocol.registration import Hello
from network.protocol.routers import LinkOpened
from network.registration import prove
from network.router.http.web_socket import WebSocketLink
from network.router.invitations import Invitation, Invitations
from tests.network.http_router import whole_router
from tests.network.protocol.examples import example
from tests.network.router.devices import (
    JSON,
    Asker,
    Device,
    SocketLink,
    bearer,
    events_of,
    open_socket,
    problem,
    seen,
    worker_session,
    working,
)
from tests.network.small_world import ScriptedAnswerer, now

pytestmark = pytest.mark.desktop("a server")


async def refusal(address: str, **options) -> str:
    """Why a WebSocket is refused."""
    with pytest.raises(InvalidStatus) as caught:
        async with open_socket(address, **options):
            pass
    response = caught.value.response
    assert response.headers["content-type"] == "application/problem+json"
    assert json.loads(response.body)["status"] == response.status_code
    return json.loads(response.body)["type"].removeprefix("urn:dai:problem:")


async def test_a_website_cannot_come_in_through_its_visitor(router):
    assert await refusal(router.address, origin="https://evil.example") == "refused"


async def test_there_is_a_last_place_for_all_and_for_each_address():
    for limits in ({"max_workers": 1}, {"links_per_address": 1}):
        async with whole_router(**limits) as router:
            async with working(router.address):
                assert await refusal(router.address) == "too-many-links"
            async with httpx.AsyncClient(base_url=router.address) as http, asyncio.timeout(30):
                while router.service.worker_places.count:
                    await http.get("/healthz")
            async with working(router.address):
                assert len(router.service.workers) == 1


async def test_an_invitation_admits_a_worker_and_its_lack_does_not():
    async with whole_router(invites=frozenset({"open sesame"})) as router:
        async with working(router.address, invite="open sesame"):
            assert len(router.service.workers) == 1
        async with open_socket(router.address) as socket:
            _, session = worker_session(router.address, ScriptedAnswerer(), invite="please")
            await socket.send(encode(session._hello))
            assert frames.to_worker(await socket.recv()) == Bye(reason="refused")
        assert router.service.counts["workers refused"] == 1


GARBAGE = [
    b"",
    b"{}",
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x00" * 1_000,
    b"[" * 100_000,
    encode(Presence(credit=1, running=0)),
    encode(example(Hello)),
]


@pytest.mark.parametrize("first", GARBAGE, ids=lambda data: repr(data[:12]))
async def test_whoever_begins_with_garbage_is_sent_away(router, first):
    async with open_socket(router.address) as socket:
        await socket.send(first)
        assert frames.to_worker(await socket.recv()) == Bye(reason="refused")
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    async with working(router.address):
        assert len(router.service.workers) == 1


async def test_a_message_that_is_too_long_ends_the_connection(router):
    async with open_socket(router.address) as socket:
        with suppress(ConnectionClosed):
            await socket.send(b" " * 1_000_001)
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    async with working(router.address):
        assert len(router.service.workers) == 1


async def test_a_registered_worker_that_goes_mad_harms_nobody_else(router, http):
    """Its frames are cut, changed and repeated; every connection that this ends is its own."""
    chance = random.Random(23)
    asker = Asker(http)
    async with working(router.address):
        for _ in range(12):
            keys, session = worker_session(router.address, ScriptedAnswerer())
            async with open_socket(router.address) as socket:
                await socket.send(encode(session._hello))
                challenge = frames.to_worker(await socket.recv())
                await socket.send(encode(prove(challenge, router.address, keys, now())))
                await socket.recv()
                try:
                    for _ in range(20):
                        kind = chance.choice([Presence, AnswerStart, AnswerChunk, Renew, Decline])
                        data = bytearray(encode(example(kind)))
                        for _ in range(chance.randint(0, 2)):
                            data[chance.randrange(len(data))] = chance.randrange(256)
                        await socket.send(bytes(data))
                except ConnectionClosed:
                    pass
        async with asyncio.timeout(60):
            while router.service.worker_places.count > 1:
                await http.get("/healthz")
        sealed, _ = await asker.seal(spares=0)
        events = [json.loads(data) async for _, data in asker.listen(await asker.submit(sealed))]
    assert events[-1]["event"] == "done"


@pytest.mark.parametrize("rounds", [20, pytest.param(100, marks=pytest.mark.slow)])
async def test_many_links_of_garbage_leave_nothing_behind(rounds):
    chance = random.Random(1_000)
    async with whole_router(links_per_address=2_000, requests_per_minute=100_000) as router:

        async def attack(data: bytes) -> None:
            async with open_socket(router.address) as socket:
                try:
                    await socket.send(data)
                    await socket.recv()
                except ConnectionClosed:
                    pass

        for _ in range(rounds):
            pieces = [chance.randbytes(chance.randint(1, 2_000)) for _ in range(10)]
            await asyncio.gather(*map(attack, pieces))
        async with httpx.AsyncClient(base_url=router.address) as http, asyncio.timeout(60):
            while router.service.worker_places.count:
                assert (await http.get("/healthz")).status_code == 200
        assert len(router.service.workers) == 0
        assert len(router.service.requests) == 1, "one address, one bucket"


async def test_a_worker_that_does_not_read_is_cut_off():
    """A connection whose other end takes nothing, and says nothing."""
    aborted = []

    async def never(*_) -> None:
        await asyncio.Event().wait()

    link = WebSocketLink({"state": {"abort": lambda: aborted.append(True)}}, never, never, 0.05)
    for _ in range(2):
        with pytest.raises(LinkClosed):
            await link.send(b"{}")
    with pytest.raises(LinkClosed):
        await link.receive()
    await link.close()
    assert aborted == [True]


# Without WebSockets


async def open_link(http: httpx.AsyncClient) -> LinkOpened:
    answer = await http.post("/v1/worker/links", content=b"{}", headers=JSON)
    assert answer.status_code == 201
    return decode(answer.content, LinkOpened)


async def test_a_worker_works_over_events_and_post(router, http):
    answerer = ScriptedAnswerer()
    keys, session = worker_session(router.address, answerer)
    opened = await open_link(http)
    headers = bearer(opened.access)
    here, there = memory_links()

    async def hear() -> None:
        async with http.stream("GET", f"/v1/worker/links/{opened.link}/events", headers=headers) as response:
            async for _, data in events_of(response):
                await there.send(data)
        await there.close()

    async def say() -> None:
        while True:
            message = await there.receive()
            answer = await http.post(
                f"/v1/worker/links/{opened.link}/messages",
                content=b"[" + message + b"]",
                headers={**JSON, **headers},
            )
            assert answer.status_code == 204

    tasks = [asyncio.create_task(work) for work in (hear(), say(), session.run(here))]
    try:
        await seen(router.address, Device(keys, answerer, session, tasks[2]))
        asker = Asker(http)
        sealed, _ = await asker.seal()
        events = [json.loads(data) async for _, data in asker.listen(await asker.submit(sealed))]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    assert events[-1]["event"] == "done"
    assert len(answerer.questions) == 1


async def test_only_who_opened_a_link_may_use_it(router, http):
    opened = await open_link(http)
    path = f"/v1/worker/links/{opened.link}"
    for method, url in (("GET", f"{path}/events"), ("POST", f"{path}/messages")):
        assert problem(await http.request(method, url)) == "not-registered"
        assert problem(await http.request(method, url, headers=bearer(bytes(32)))) == "unknown-link"
    headers = {**JSON, **bearer(opened.access)}
    no_list = await http.post(f"{path}/messages", content=b'{"type": "bye"}', headers=headers)
    assert problem(no_list) == "invalid"


async def test_a_link_that_nobody_listens_to_ends():
    async with (
        whole_router(link_grace_seconds=0.0) as router,
        httpx.AsyncClient(base_url=router.address) as http,
    ):
        opened = await open_link(http)
        await router.service.links.sweep()
        assert (len(router.service.links), router.service.worker_places.count) == (0, 0)
        answer = await http.get(f"/v1/worker/links/{opened.link}/events", headers=bearer(opened.access))
        assert problem(answer) == "unknown-link"


async def test_a_new_stream_takes_the_place_of_the_old_one(router, http):
    opened = await open_link(http)
    path, headers = f"/v1/worker/links/{opened.link}/events", bearer(opened.access)
    async with http.stream("GET", path, headers=headers) as first:
        lines = first.aiter_lines()
        assert await anext(lines) == ": welcome"
        async with http.stream("GET", path, headers=headers) as second:
            assert await anext(second.aiter_lines()) == ": welcome"
            async with asyncio.timeout(30):
                assert [line async for line in lines if line] == [], "ended, and nothing was lost in it"


async def test_an_invitation_that_is_taken_back_admits_nobody_and_sends_its_devices_away():
    words = [Invitation("Sara", "open sesame"), Invitation("Ali", "please")]
    async with whole_router(invites=Invitations(lambda: tuple(words))) as router:
        async with (
            working(router.address, invite="open sesame") as sara,
            working(router.address, invite="please") as ali,
        ):
            words.pop(0)
            async with asyncio.timeout(60):
                with pytest.raises(Goodbye) as said:
                    await sara.task
            assert said.value.reason == "refused"
            assert not ali.task.done()
            _, session = worker_session(router.address, ScriptedAnswerer(), invite="open sesame")
            async with open_socket(router.address) as socket:
                with pytest.raises(Goodbye):
                    await session.run(SocketLink(socket))
            words.append(Invitation("Mina", "let me in"))
            async with working(router.address, invite="let me in"):
                assert len(router.service.workers) == 2
        counts = router.service.counts
        assert (counts["workers dismissed"], counts["workers refused"]) == (1, 1)
