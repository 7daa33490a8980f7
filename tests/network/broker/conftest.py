"""Every broker under the same tests. A new engine is opened here and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from network.broker.embedded import EmbeddedBroker, open_embedded_broker
from network.broker.job_table import Limits
from network.broker.protocol import Broker, QueuedJob
from network.protocol.message import Signed

LIMITS = Limits(jobs=20, bytes=100_000, lease_seconds=15.0, patience_seconds=10.0)


@dataclass
class Time:
    """Both clocks, moved by the tests."""

    now: float = 1_000.0
    wall: float = 1_800_000_000.0

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.wall += seconds


@dataclass
class Place:
    """A broker and how to stop and start it again."""

    path: Path | None
    time: Time
    limits: Limits = LIMITS
    opened: list[EmbeddedBroker] = field(default_factory=list)

    async def open(self) -> Broker:
        broker = await open_embedded_broker(
            self.path, self.limits, now=lambda: self.time.now, wall=lambda: self.time.wall
        )
        self.opened.append(broker)
        return broker

    async def restart(self) -> Broker:
        await self.opened.pop().close()
        self.time.now = 5.0  # the clock of another process begins elsewhere
        return await self.open()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["memory", "file"])
async def place(request, tmp_path, time) -> AsyncIterator[Place]:
    place = Place(tmp_path / "jobs.db" if request.param == "file" else None, time)
    yield place
    for broker in place.opened:
        await broker.close()


@pytest.fixture
async def broker(place) -> Broker:
    return await place.open()


@pytest.fixture
async def durable(tmp_path, time) -> AsyncIterator[Place]:
    """A place that outlives its process."""
    place = Place(tmp_path / "jobs.db", time)
    yield place
    for broker in place.opened:
        await broker.close()


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
