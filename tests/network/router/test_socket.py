"""The socket that a router listens on."""

from __future__ import annotations

import asyncio
import socket

import pytest

from network.router.http.server import listening_socket

pytestmark = pytest.mark.desktop("a server")


async def test_parts_of_answers_are_sent_at_once():
    """Otherwise the system waits up to 40 milliseconds for more to send with them."""
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        accepted.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with await asyncio.start_server(serve, sock=listening_socket("127.0.0.1", 0)) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await asyncio.wait_for(accepted, 30)
        writer.close()
        await writer.wait_closed()
