"""Nothing leaves this device but through one door, which counts and can be locked."""

from __future__ import annotations

import ast
import asyncio
import base64
import functools
import hashlib
import re
import time
from contextlib import suppress
from pathlib import Path

import apsw
import httpx
import httpx_ws
import pytest

from app.core.errors import OfflineChosen
from app.core.network.ledger import DAY, KEPT_DAYS, MOST_ENTRIES, Ledger, Purpose
from app.core.secrets import Secrets
from app.core.servers import Servers
from app.core.set_aside import all_set_aside
from app.core.store import Store
from app.core.web_pages import WebPages
from rag.knowledge import KnowledgeBase
from tests.app.ui.word_embedder import WordEmbedder
from tests.rag.web_server import serving_pages

ROOT = Path(__file__).parents[4]
THE_DOOR = Path("app/core/network/outgoing.py")
WAYS_OUT = {
    *("aiohttp", "ftplib", "http.client", "httpcore", "nats", "requests", "smtplib", "socket", "telnetlib"),
    *("urllib.request", "urllib3", "websockets"),
}
NOT_FOR_SENDING = {
    (THE_DOOR.as_posix(), "httpcore"): "counts the bytes of WebSockets",
    ("app/cli/routing.py", "socket"): "a router listens",
    ("app/core/local_addresses.py", "socket"): "asks the system for this device's addresses",
    ("app/main.py", "socket"): "finds a free port of this device",
    ("engines/xllamacpp/server.py", "http.client"): "speaks with its own child on this device",
    ("engines/store/connection.py", "socket"): "names the errors of looking up a host",
    ("rag/web/fetching.py", "socket"): "looks up a host, after the app has asked Outgoing.check",
    ("network/worker/waking.py", "socket"): "asks the system for its own addresses, and sends nothing",
    ("network/worker/websocket_link.py", "httpcore"): "counts the bytes of a message",
    ("rag/web/fetching.py", "urllib.request"): "reads the environment's proxies",
}
NOT_THE_APP = ("network/router", "network/broker", "app/web_server.py")
"""Servers: what they say goes to those who have called them."""


@pytest.fixture
def pages():
    with serving_pages() as found:
        yield found


@functools.cache
def sources() -> dict[str, ast.Module]:
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for part in ("app", "engines", "network", "rag")
        for path in sorted((ROOT / part).rglob("*.py"))
    }


def test_http_clients_are_made_in_one_place():
    made = {
        name
        for name, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func)
        in {f"httpx.{one}" for one in ("AsyncClient", "Client", "get", "post", "put", "request", "stream")}
    }
    assert made == {THE_DOOR.as_posix()}


def test_no_other_library_that_sends_is_used():
    found = set()
    for name, tree in sources().items():
        if name.startswith(NOT_THE_APP):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {(name, alias.name) for alias in node.names if alias.name in WAYS_OUT}
            if isinstance(node, ast.ImportFrom) and node.module in WAYS_OUT:
                found.add((name, node.module))
    assert found == NOT_FOR_SENDING.keys()


def test_whatever_the_app_opens_below_goes_through_the_door():
    needed = {"HubAccess", "ServerAccess", "fetch_page"}
    for name, tree in sources().items():
        for node in ast.walk(tree) if name.startswith("app/") else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) in needed:
                assert "open_client" in {keyword.arg for keyword in node.keywords}, f"{name}:{node.lineno}"


async def test_an_exchange_is_in_the_ledger_with_its_bytes_and_without_its_content(network, device, pages):
    address = pages.page("/secret-path", "<p>secret words</p>" * 1000)
    opened = network.outgoing.opener(Purpose.WEB_PAGE)()
    async with opened as client, client.stream("GET", address) as response:
        [open_entry] = network.ledger.entries()
        assert open_entry.ended is None
        size = sum([len(piece) async for piece in response.aiter_raw()])
    [entry] = network.ledger.entries()
    assert entry.purpose is Purpose.WEB_PAGE
    assert entry.host == address.split("/")[2]
    assert entry.received_bytes >= size == 19_000
    assert 0 < entry.sent_bytes < 2000
    assert entry.ended is not None
    network.close()
    assert b"secret" not in device.everything()


async def test_what_is_uploaded_counts_too(network, pages):
    def answer(handler) -> None:
        handler.rfile.read(int(handler.headers["content-length"]))
        handler.send_response(204)
        handler.end_headers()

    pages.answers["/"] = answer
    async with network.outgoing.opener(Purpose.SERVER)() as client:
        request = client.build_request("GET", pages.address + "/", content=b"x" * 50_000)
        await client.send(request)
    [total] = network.ledger.totals()
    assert 50_000 < total.sent_bytes < 52_000


async def test_a_connection_that_fails_is_in_the_ledger(network):
    async with network.outgoing.opener(Purpose.ROUTER)() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("http://127.0.0.1:9/")
    [entry] = network.ledger.entries()
    assert (entry.host, entry.received_bytes, entry.ended) == ("127.0.0.1:9", 0, None)


async def test_offline_nothing_is_sent_and_the_attempt_is_noted(network, monkeypatch):
    network.offline.turn(on=True)
    async with network.outgoing.opener(Purpose.HUB)() as client:
        with pytest.raises(OfflineChosen) as caught:
            await client.get("https://hub.example/models")
    assert caught.value.host == "hub.example"
    [entry] = network.ledger.entries()
    assert (entry.host, entry.refused, entry.sent_bytes) == ("hub.example", True, 0)


async def test_offline_a_server_on_this_device_still_answers(network, pages):
    network.offline.turn(on=True)
    async with network.outgoing.opener(Purpose.SERVER)() as client:
        assert (await client.get(pages.page("/", "here"))).text == "here"


async def test_what_is_under_way_ends_with_its_next_byte(network, pages, nothing_is_local):
    address = pages.page("/large", b"x" * 5_000_000, "application/octet-stream")
    nothing_is_local()
    opened = network.outgoing.opener(Purpose.HUB)()
    async with opened as client, client.stream("GET", address) as response:
        pieces = response.aiter_raw(1000)
        await anext(pieces)
        network.offline.turn(on=True)
        with pytest.raises(OfflineChosen):
            async for _ in pieces:
                pass
    [entry] = network.ledger.entries()
    assert entry.received_bytes < 5_000_000
    assert entry.ended is not None


async def test_every_part_of_the_app_obeys(network, device, tmp_path):
    network.offline.turn(on=True)
    settings, outgoing = network.settings, network.outgoing
    store = Store(settings, Secrets({}, lambda: None), outgoing.opener(Purpose.HUB))
    servers = Servers(settings, open_client=outgoing.opener(Purpose.SERVER))
    knowledge = KnowledgeBase(tmp_path / "knowledge.db", WordEmbedder)
    pages = WebPages(knowledge, tmp_path, settings, outgoing)
    collection = knowledge.create_collection("Pages")
    for attempt in (
        store.search("anything"),
        store.details("owner/name"),
        servers.offered("http://192.168.1.5:11434"),
        servers.try_out("https://server.example", "model"),
        pages.add(collection.id, "https://page.example/"),
        network.routers.add("router.example"),
    ):
        with pytest.raises(OfflineChosen):
            await attempt
    knowledge.close()
    assert {entry.purpose for entry in network.ledger.entries()} == {
        Purpose.HUB,
        Purpose.SERVER,
        Purpose.WEB_PAGE,
        Purpose.ROUTER,
    }
    assert all(entry.refused for entry in network.ledger.entries())


def test_the_switch_is_kept_and_heard_once_per_turn(network, device):
    heard = []
    network.offline.subscribe(heard.append)
    network.offline.turn(on=True)
    network.settings.change(theme="dark")
    assert device.start().offline.on
    network.offline.turn(on=False)
    assert heard == [True, False]


async def test_the_switch_of_another_process_counts_at_once_and_is_not_undone(network, device):
    other = device.start()
    heard = []
    network.offline.subscribe(heard.append)
    other.offline.turn(on=True)
    async with network.outgoing.opener(Purpose.HUB)() as client:
        with pytest.raises(OfflineChosen):
            await client.get("https://hub.example/")
    assert heard == [True]
    network.settings.change(theme="dark")
    assert other.offline.on
    assert other.settings.current.theme == "dark"


def test_the_ledger_is_read_page_by_page_by_purpose_and_summed_up(network):
    for number in range(5):
        exchange = network.ledger.begin(Purpose.HUB if number % 2 else Purpose.ASKING, "router.example")
        exchange.count(sent=10, received=number)
        exchange.end()
    latest = network.ledger.entries(2)
    older = network.ledger.entries(10, before=latest[-1].id)
    assert [entry.received_bytes for entry in (*latest, *older)] == [4, 3, 2, 1, 0]
    assert len(network.ledger.entries(purpose=Purpose.HUB)) == 2
    totals = {total.purpose: total for total in network.ledger.totals()}
    assert (totals[Purpose.ASKING].connections, totals[Purpose.ASKING].sent_bytes) == (3, 30)
    network.ledger.clear()
    assert network.ledger.entries() == []


def test_a_long_exchange_is_kept_now_and_then_for_a_kill_loses_seconds_only(tmp_path):
    now = [1000.0]
    ledger = Ledger(tmp_path / "ledger.db", lambda: now[0])
    exchange = ledger.begin(Purpose.WORKING, "router.example")
    exchange.count(sent=7)
    assert ledger.entries()[0].sent_bytes == 0
    now[0] += 6
    exchange.count(sent=7)
    assert ledger.entries()[0].sent_bytes == 14
    ledger.close()


def test_the_ledger_forgets_what_is_old_and_never_grows_without_end(tmp_path):
    now = [time.time()]
    ledger = Ledger(tmp_path / "ledger.db", lambda: now[0])
    ledger.begin(Purpose.HUB, "old.example")
    now[0] += KEPT_DAYS * DAY + 1
    ledger.close()
    ledger = Ledger(tmp_path / "ledger.db", lambda: now[0])
    assert ledger.entries() == []
    connection = apsw.Connection(str(tmp_path / "ledger.db"))
    insert = "INSERT INTO connections (id, began, purpose, host) VALUES (?, ?, 'hub', ?)"
    for number, host in ((1, "first"), (MOST_ENTRIES + 1, "a"), (MOST_ENTRIES + 2, "b")):
        connection.execute(insert, (number, now[0], host))
    connection.close()
    ledger.close()
    ledger = Ledger(tmp_path / "ledger.db", lambda: now[0])
    assert [entry.host for entry in ledger.entries()] == ["b", "a"]
    ledger.close()


def test_a_damaged_ledger_is_set_aside_and_told(device):
    (device.files).mkdir(parents=True)
    (device.files / "ledger.db").write_bytes(b"no database" * 1000)
    network = device.start()
    network.ledger.begin(Purpose.HUB, "hub.example").end()
    assert [entry.host for entry in network.ledger.entries()] == ["hub.example"]
    [aside] = all_set_aside(device.folder)
    assert aside.name.startswith("ledger.db.damaged-")


def test_a_ledger_that_cannot_be_written_stops_nobody(tmp_path, caplog):
    (tmp_path / "ledger.db").mkdir()
    ledger = Ledger(tmp_path / "ledger.db")
    exchange = ledger.begin(Purpose.HUB, "hub.example")
    exchange.count(sent=1)
    exchange.end()
    assert "the ledger has a gap" in caplog.text


async def test_the_bytes_of_a_web_socket_count_and_end_when_the_switch_is_turned(network, nothing_is_local):
    left = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = re.search(rb"(?i)sec-websocket-key: (\S+)", head)[1]
        digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        with suppress(ConnectionError):
            while data := await reader.read(65536):  # each thing that comes is answered with 1000 bytes
                if data[0] == 0x82:  # a binary message, not the word of leaving
                    writer.write(b"\x82\x7e\x03\xe8" + b"x" * 1000)
                    await writer.drain()
            writer.close()
            await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

    async def talk(client: httpx.AsyncClient) -> None:
        async with httpx_ws.aconnect_ws(address, client, keepalive_ping_interval_seconds=None) as socket:
            await socket.send_bytes(b"y" * 5000)
            assert await socket.receive_bytes() == b"x" * 1000
            nothing_is_local()
            network.offline.turn(on=True)
            await socket.send_bytes(b"more")

    async with server, network.outgoing.opener(Purpose.WORKING)() as client:
        with pytest.raises(BaseExceptionGroup) as ended:
            await talk(client)
        await client.aclose()
        await left.wait()
    assert ended.group_contains(OfflineChosen)
    [entry] = network.ledger.entries()
    assert entry.sent_bytes > 5000
    assert entry.received_bytes > 1000
