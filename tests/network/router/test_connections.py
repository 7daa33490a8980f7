"""Connections that are no requests, or never become one."""

from __future__ import annotations

import asyncio

import pytest

from network.router.http import connections

pytestmark = pytest.mark.desktop("a server")


async def everything(address: str, *pieces: bytes) -> bytes:
    """What comes back for these bytes until the router closes."""
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(60):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_connection_that_says_nothing_is_closed(router, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
    assert await everything(router.address) == b""


async def test_a_request_that_never_comes_to_a_point_is_closed(router, http, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
    assert await everything(router.address, b"GET /healthz HTTP/1.1\r\nX-Slow: ") == b""
    monkeypatch.undo()
    assert (await http.get("/healthz")).status_code == 200


async def test_a_head_without_end_is_not_kept(router, http):
    piece = b"X-Long: " + b"x" * 8_000 + b"\r\n"
    assert await everything(router.address, b"GET /healthz HTTP/1.1\r\n", *[piece] * 50) == b""
    assert (await http.get("/healthz")).status_code == 200


@pytest.mark.parametrize("nonsense", [b"\x16\x03\x01\x02\x00\x01", b"HELO mail\r\n\r\n", b"\r\n" * 100])
async def test_other_protocols_are_refused(router, http, nonsense, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    answer = await everything(router.address, nonsense)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    monkeypatch.undo()
    assert (await http.get("/healthz")).status_code == 200


async def test_requests_one_after_the_other_on_one_connection_are_answered(router):
    request = b"GET /healthz HTTP/1.1\r\nHost: router\r\n"
    answer = await everything(
        router.address, (request + b"\r\n") * 3 + request + b"Connection: close\r\n\r\n"
    )
    assert answer.count(b"200 OK") == 4
