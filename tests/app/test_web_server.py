"""The browser's page is served to this device, and to no other website."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import flet as ft
import httpx
import pytest
import pytest_asyncio

pytest.importorskip("flet_web")

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.web_server import make_server

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.desktop("flet-web"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

ROOT = Path(__file__).resolve().parents[2]


async def page(page: ft.Page) -> None:
    page.title = "secret"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    """A running server's port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    stopped = asyncio.Event()
    server = make_server(
        page,
        host="127.0.0.1",
        port=port,
        page="",
        assets=ROOT / "assets",
        uploads=tmp_path_factory.mktemp("uploads"),
        on_start=lambda: None,
        on_stop=stopped.set,
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)
    yield port
    server.should_exit = True
    await serving
    assert stopped.is_set()


async def status(port: int, **headers: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{port}/", headers=headers)).status_code


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "192.168.0.7", "[::1]"])
async def test_an_address_or_localhost_is_served(port, host):
    assert await status(port, Host=f"{host}:{port}", Origin=f"http://{host}:{port}") == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "["])
async def test_a_name_that_a_stranger_pointed_here_is_refused(port, host):
    assert await status(port, Host=host) == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1", "http://["]
)
async def test_another_website_is_refused(port, origin):
    assert await status(port, Origin=origin) == 403


async def test_another_website_cannot_open_a_session(port):
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://127.0.0.1:{port}/ws", origin="http://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_the_own_page_opens_a_session(port):
    async with connect(f"ws://127.0.0.1:{port}/ws", origin=f"http://127.0.0.1:{port}") as session:
        assert session.response.status_code == 101


async def test_the_browser_is_told_that_the_page_has_nothing_to_do_with_other_servers(port):
    async with httpx.AsyncClient() as client:
        for path in ("/", "/main.dart.js", "/nothing.png"):
            headers = (await client.get(f"http://127.0.0.1:{port}{path}")).headers
            assert "connect-src 'self' data: blob:;" in headers["content-security-policy"]
            assert "http" not in headers["content-security-policy"]
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["x-content-type-options"] == "nosniff"
