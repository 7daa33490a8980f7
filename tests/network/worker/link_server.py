"""The workers' door of a router in a few lines: a real worker desk behind a tiny server on loopback.

It runs where no server packages are, as on phones, and breaks connections when a test says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import wsproto
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Request

from network.broker.embedded import EmbeddedBroker
from network.errors import LinkClosed
from network.link import MemoryLink, memory_links
from network.protocol.message import encode
from network.protocol.routers import LinkOpened, RouterInfo
from network.router.desk import RouterDesk
from network.router.workers import WorkerDesk
from tests.network.small_world import World, now


class LinkServer:
    """`websocket`: whether it speaks WebSocket; `swallow`: takes WebSockets and lets nothing through."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.broker = broker
        self.key = Ed25519PrivateKey.generate()
        self.websocket = True
        self.swallow = False
        self.refusal: bytes | None = None
        self.requests: list[str] = []
        self.address = ""
        self.desk: RouterDesk
        self.workers: WorkerDesk
        self.world: World
        self._links: dict[str, MemoryLink] = {}
        self._events: dict[str, list[bytes]] = {}
        self._news = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[LinkServer]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self.desk = RouterDesk(self.key, frozenset({self.address}), self.broker)
        self.workers = WorkerDesk(self.desk)
        self.world = World.over(self.desk, self.workers)
        try:
            yield self
        finally:
            await self.workers.close(retry_seconds=0)
            server.close()
            self.cut()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection, without a word."""
        for writer in list(self._open):
            writer.transport.abort()

    def break_links(self) -> None:
        """Break every connection, and forget the links that events and POST carry."""
        links, self._links = list(self._links.values()), {}
        self.cut()
        for link in links:
            self._spawn(link.close())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.current_task())
        self._open.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method, path, *_ = head.decode().split(" ")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in head.decode().split("\r\n")[1:])
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests.append(f"{method} {path}")
                await self._answer(method, path, headers, body, head, reader, writer)
        except (OSError, asyncio.IncompleteReadError, LinkClosed, asyncio.CancelledError):
            pass  # the last when the server stops: who accepts connections would complain
        finally:
            self._open.discard(writer)
            self._tasks.discard(asyncio.current_task())
            writer.close()

    async def _answer(self, method, path, headers, body, head, reader, writer) -> None:
        parts = path.strip("/").split("/")
        if path == "/v1/router":
            info = RouterInfo(
                public=self.desk.public,
                versions=(1,),
                admission="open",
                needs_invite_to_ask=False,
                max_workers=10,
                time=now(),
            )
            _respond(writer, 200, encode(info))
        elif path == "/v1/worker":
            if self.refusal is not None:
                writer.write(self.refusal)
            elif not self.websocket:
                _respond(writer, 404, b"{}")
            else:
                await self._websocket(head, reader, writer)
                raise LinkClosed
        elif parts == ["v1", "worker", "links"]:
            link = secrets.token_hex(16)
            here, self._links[link] = memory_links()
            self._events[link] = []
            self._spawn(self.workers.serve(here))
            self._spawn(self._collect(link))
            _respond(writer, 201, encode(LinkOpened(link=link, access=bytes(32))))
        elif parts[-1] == "messages" and parts[3] in self._links:
            for message in json.loads(body):
                with contextlib.suppress(LinkClosed):
                    await self._links[parts[3]].send(json.dumps(message).encode())
            _respond(writer, 202, b"")
        elif parts[-1] == "events" and parts[3] in self._links:
            await self._stream(parts[3], int(headers.get("last-event-id", 0)), writer)
            raise LinkClosed
        else:
            _respond(writer, 404, b"{}")
        await writer.drain()

    async def _stream(self, link: str, after: int, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        events = self._events[link]
        while events[-1:] != [b""] or after < len(events) - 1:
            while len(events) == after:
                await self._news.wait()
            after += 1
            writer.write(b"id: %d\ndata: %b\n\n" % (after, events[after - 1]))
            await writer.drain()

    async def _collect(self, link: str) -> None:
        """All events of a link, whoever listens; the last is empty."""
        with contextlib.suppress(LinkClosed):
            while True:
                self._happened(link, await self._links[link].receive())
        self._happened(link, b"")

    def _happened(self, link: str, data: bytes) -> None:
        self._events[link].append(data)
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _websocket(self, head, reader, writer) -> None:
        connection = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        connection.receive_data(head)
        assert isinstance(next(connection.events()), Request)
        writer.write(connection.send(AcceptConnection()))
        if self.swallow:
            await reader.read()
            return
        here, there = memory_links()
        self._spawn(self.workers.serve(here))
        down = self._spawn(_down(there, connection, writer))
        try:
            while data := await reader.read(65536):
                connection.receive_data(data)
                for event in connection.events():
                    if isinstance(event, BytesMessage):
                        await there.send(bytes(event.data))
                    elif isinstance(event, CloseConnection):
                        return
                    elif isinstance(event, Ping):
                        writer.write(connection.send(event.response()))
        finally:
            await there.close()
            down.cancel()

    def _spawn(self, work) -> asyncio.Task:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _down(link: MemoryLink, connection, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(LinkClosed, OSError):
        while True:
            writer.write(connection.send(BytesMessage(await link.receive())))
            await writer.drain()
    with contextlib.suppress(OSError, wsproto.utilities.ProtocolError):
        writer.write(connection.send(CloseConnection(1000)))
        writer.close()


def _respond(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    writer.write(
        b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        + body
    )
