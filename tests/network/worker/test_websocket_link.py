"""A WebSocket as a link: ends are told, and a router that sends without end is cut off."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager

import httpx
import pytest
import wsproto
from wsproto.events import AcceptConnection, BytesMessage, Request, TextMessage

from network.errors import LinkClosed
from network.protocol.fields import MAX_FRAME_BYTES
from network.worker.websocket_link import NoWebSocket, websocket_link


@asynccontextmanager
async def serving(act):
    """A server that accepts a WebSocket and then does as it is told; gives its address."""
    tasks = []

    async def serve(reader, writer):
        tasks.append(asyncio.current_task())
        connection = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        try:
            connection.receive_data(await reader.readuntil(b"\r\n\r\n"))
            assert isinstance(next(connection.events()), Request)
            writer.write(connection.send(AcceptConnection()))
            await act(connection, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with httpx.AsyncClient(trust_env=False) as http:
        try:
            yield http, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def link_to(act):
    async with serving(act) as (http, address), websocket_link(http, address) as link:
        yield link


async def silent(connection, reader, writer):
    await reader.read()


async def test_who_waits_is_told_when_its_own_side_closes():
    async with asyncio.timeout(60), link_to(silent) as link:
        waiting = asyncio.create_task(link.receive())
        await asyncio.sleep(0)
        await link.close()
        with pytest.raises(LinkClosed):
            await waiting
        for call in (link.receive, lambda: link.send(b"more")):
            with pytest.raises(LinkClosed):
                await call()
        await link.close()


async def test_a_connection_that_breaks_is_told_in_every_later_call():
    async def break_off(connection, reader, writer):
        writer.write(connection.send(BytesMessage(b"last")))
        await writer.drain()

    async with asyncio.timeout(60), link_to(break_off) as link:
        assert await link.receive() == b"last"
        for _ in range(2):
            with pytest.raises(LinkClosed):
                await link.receive()


async def test_an_error_of_the_session_leaves_the_block_as_it_is():
    async with serving(silent) as (http, address), asyncio.timeout(60):
        with pytest.raises(KeyError):
            async with websocket_link(http, address):
                raise KeyError


async def test_the_largest_message_arrives_and_one_without_end_does_not():
    async def flood(connection, reader, writer):
        writer.write(connection.send(BytesMessage(bytes(MAX_FRAME_BYTES))))
        while True:
            writer.write(connection.send(BytesMessage(bytes(64 * 1024), message_finished=False)))
            await writer.drain()

    async with asyncio.timeout(60), link_to(flood) as link:
        assert len(await link.receive()) == MAX_FRAME_BYTES
        with pytest.raises(LinkClosed):
            await link.receive()


async def read_all(http, address):
    async with websocket_link(http, address) as link:
        while True:
            await link.receive()


@pytest.mark.parametrize("seed", range(4))
async def test_bytes_that_are_no_websocket_end_the_connection_and_nothing_else(seed):
    garbage = random.Random(seed).randbytes(4_000)

    async def babble(connection, reader, writer):
        writer.write(garbage)
        await writer.drain()

    async with serving(babble) as (http, address), asyncio.timeout(60):
        with pytest.raises(LinkClosed):
            await read_all(http, address)


async def test_text_is_no_message():
    async def talk(connection, reader, writer):
        writer.write(connection.send(TextMessage("hello")))
        await reader.read()

    async with asyncio.timeout(60), link_to(talk) as link:
        with pytest.raises(LinkClosed):
            await link.receive()


async def test_a_server_without_websocket_is_told_from_one_that_refuses():
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(NoWebSocket):
            async with websocket_link(http, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"):
                pass
    server.close()
