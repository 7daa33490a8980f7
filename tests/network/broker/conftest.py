"""Every broker under the same tests. A new engine is opened here and nowhere else."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest

from network.broker.embedded import open_embedded_broker
from network.broker.job_table import Limits
from network.broker.protocol import Broker, QueuedJob
from network.protocol.message import Signed
from tests.network.broker.nats_server import NatsServer
from tests.phone import is_phone

LIMITS = Limits(jobs=20, bytes=100_000, lease_seconds=15.0, patience_seconds=10.0)

NATS = pytest.param("nats", marks=[pytest.mark.desktop("a NATS server"), pytest.mark.slow])


@dataclass
class Time:
    """Both clocks, moved by the tests."""

    now: float = 1_000.0
    wall: float = 1_800_000_000.0

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.wall += seconds


class Opening(Protocol):
    """Opens a broker at its place, with these clocks."""

    async def __call__(self, **clocks) -> Broker: ...


@dataclass
class Place:
    """A broker and how to stop and start it again."""

    opening: Opening
    time: Time
    opened: list[Broker] = field(default_factory=list)

    async def open(self) -> Broker:
        broker = await self.opening(now=lambda: self.time.now, wall=lambda: self.time.wall)
        self.opened.append(broker)
        return broker

    async def restart(self) -> Broker:
        await self.opened.pop().close()
        self.time.now = 5.0  # the clock of another process begins elsewhere
        return await self.open()


def at_file(path: Path | None) -> Opening:
    async def opening(**clocks) -> Broker:
        return await open_embedded_broker(path, LIMITS, **clocks)

    return opening


def at_nats(server: NatsServer) -> Opening:
    """A namespace of its own on the server."""
    from network.broker.nats.broker import open_nats_broker
    from network.broker.nats.settings import NatsSettings

    settings = NatsSettings(servers=(server.url,), namespace=f"T{uuid.uuid4().hex}")

    async def opening(**clocks) -> Broker:
        return await open_nats_broker(settings, LIMITS, **clocks)

    return opening


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True, scope="session")
def _server_before_the_first_test(request) -> None:
    """All share it: it is there before the first one is watched for what it leaves running."""
    if not is_phone() and any("nats" in item.name.partition("[")[2] for item in request.session.items):
        request.getfixturevalue("nats_server")


async def _place(request, tmp_path, time) -> AsyncIterator[Place]:
    match request.param:
        case "memory":
            place = Place(at_file(None), time)
        case "file":
            place = Place(at_file(tmp_path / "jobs.db"), time)
        case "nats":
            place = Place(at_nats(request.getfixturevalue("nats_server")), time)
    yield place
    for broker in place.opened:
        await broker.close()


@pytest.fixture(params=["memory", "file", NATS])
async def place(request, tmp_path, time) -> AsyncIterator[Place]:
    async for place in _place(request, tmp_path, time):
        yield place


@pytest.fixture(params=["file", NATS])
async def durable(request, tmp_path, time) -> AsyncIterator[Place]:
    """A place that outlives its process."""
    async for place in _place(request, tmp_path, time):
        yield place


@pytest.fixture
async def broker(place) -> Broker:
    return await place.open()


def job(
    number: int = 1, nodes: str = "abc", workers: int = 2, body: bytes = b"sealed", **changes
) -> QueuedJob:
    """A question for these nodes; each letter is one."""
    grants = tuple(
        (node * 32, Signed(statement=f"{number} for {node}".encode(), signature=bytes(64))) for node in nodes
    )
    values = {
        "job": f"{number:032x}",
        "asker": "f" * 32,
        "body": body,
        "grants": grants,
        "workers": workers,
        "expires": 1_800_000_600,
        "ticket": None,
    }
    return QueuedJob(**{**values, **changes})


def node(letter: str) -> str:
    return letter * 32
