"""Streams of events to readers that are slow, gone, or in a connection that is cut."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from network.router.http.event_stream import EventStream, event
from tests.network.http_router import whole_router
from tests.network.router.devices import Asker, bearer, working
from tests.network.small_world import ScriptedAnswerer

pytestmark = pytest.mark.desktop("a server")


async def words(*said: bytes, then: asyncio.Event | None = None):
    for one in said:
        yield event(one)
    if then is not None:
        await then.wait()


class Reader:
    """The other end of a response."""

    def __init__(self, takes: int = 1_000) -> None:
        self.takes = takes
        self.heard: list[bytes] = []
        self.ended = False
        self.aborted = False
        self.gone = asyncio.Event()
        self.news = asyncio.Event()
        self.scope = {"type": "http", "state": {"abort": self.abort}}

    def abort(self) -> None:
        self.aborted = True

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message) -> None:
        if message["type"] == "http.response.body":
            if len(self.heard) >= self.takes:
                await asyncio.Event().wait()
            if message["body"]:
                self.heard.append(message["body"])
            self.ended = not message["more_body"]
            self.news.set()


def stream(events, *, stopping=None, quiet=1_000.0, write=1_000.0, ends=None) -> EventStream:
    return EventStream(
        events,
        stopping=stopping or asyncio.Event(),
        last_words=lambda: event(b"bye"),
        quiet_seconds=quiet,
        write_seconds=write,
        on_end=lambda: ends.append(True) if ends is not None else None,
    )


async def test_everything_is_said_and_then_it_ends():
    reader = Reader()
    await stream(words(b"one", b"two"))(reader.scope, reader.receive, reader.send)
    assert reader.heard == [b": welcome\n\n", b"data: one\n\n", b"data: two\n\n"]
    assert reader.ended


async def test_a_reader_that_takes_nothing_is_cut_off():
    reader, ends = Reader(takes=1), []
    await stream(words(b"one", b"two"), write=0.05, ends=ends)(reader.scope, reader.receive, reader.send)
    assert reader.aborted
    assert ends == [True], "its place is free again"
    assert not reader.ended


async def test_a_reader_that_leaves_ends_the_stream():
    reader, ends = Reader(), []
    task = asyncio.create_task(
        stream(words(b"one", then=asyncio.Event()), ends=ends)(reader.scope, reader.receive, reader.send)
    )
    while len(reader.heard) < 2:
        reader.news.clear()
        await reader.news.wait()
    reader.gone.set()
    await asyncio.wait_for(task, 30)
    assert ends == [True]
    assert not reader.aborted


async def test_a_quiet_stream_gives_signs_of_life():
    reader = Reader()
    task = asyncio.create_task(
        stream(words(then=asyncio.Event()), quiet=0.01)(reader.scope, reader.receive, reader.send)
    )
    async with asyncio.timeout(30):
        while reader.heard.count(b": still here\n\n") < 2:
            reader.news.clear()
            await reader.news.wait()
    reader.gone.set()
    await asyncio.wait_for(task, 30)


async def test_a_router_that_stops_says_goodbye():
    reader, stopping = Reader(), asyncio.Event()
    task = asyncio.create_task(
        stream(words(b"one", then=asyncio.Event()), stopping=stopping)(
            reader.scope, reader.receive, reader.send
        )
    )
    while len(reader.heard) < 2:
        reader.news.clear()
        await reader.news.wait()
    stopping.set()
    await asyncio.wait_for(task, 30)
    assert reader.heard[-1] == b"data: bye\n\n"
    assert reader.ended


async def test_an_asker_that_never_reads_is_cut_off_and_fills_no_memory():
    """A real connection: the system's own buffers fill first."""
    async with (
        whole_router(write_seconds=0.2) as router,
        httpx.AsyncClient(base_url=router.address) as http,
        working(router.address, ScriptedAnswerer(gate=asyncio.Event())),
    ):
        asker = Asker(http)
        accepted = await asker.submit((await asker.seal())[0])
        host, _, port = router.address.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1_024)
        authorization = bearer(accepted.access)["Authorization"]
        writer.write(
            f"GET /v1/jobs/{accepted.job}/events HTTP/1.1\r\nHost: router\r\n"
            f"Authorization: {authorization}\r\n\r\n".encode()
        )
        await reader.readline()
        assert router.service.stream_places.count == 1
        async with asyncio.timeout(120):
            while router.service.stream_places.count:
                await router.service.broker.emit(accepted.job, b"x" * 60_000)
                await asyncio.sleep(0)
        writer.close()
        assert (await http.get("/healthz")).status_code == 200


async def test_a_fault_in_the_middle_is_not_taken_for_the_end():
    async def broken():
        yield event(b"one")
        raise RuntimeError("the broker is away")

    reader, ends = Reader(), []
    with pytest.raises(RuntimeError):
        await stream(broken(), ends=ends)(reader.scope, reader.receive, reader.send)
    assert not reader.ended
    assert ends == [True]
