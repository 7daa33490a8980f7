"""Servers to ask, and engines that are closed at the end of a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from engines.protocol import LoadOptions
from engines.remote.address import read_address
from engines.remote.connection import Patience, ServerAccess
from engines.remote.engine import RemoteEngine
from tests.engines.remote.scripted_server import ScriptedServer, scripted_server

OpenRemote = Callable[..., Awaitable[RemoteEngine]]


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as running:
        yield running


@pytest.fixture
def pauses() -> list[float]:
    """How long engines would have waited before they asked again."""
    return []


@pytest.fixture
async def engine_at(pauses: list[float]) -> AsyncIterator[OpenRemote]:
    """Opens a remote engine: `engine_at(url)`."""
    engines: list[RemoteEngine] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def open_(url: str, model: str = "tiny", *, opened: bool = True, **options: Any) -> RemoteEngine:
        access = ServerAccess(
            options.pop("key", None), options.pop("proxy", None), options.pop("patience", Patience())
        )
        engine = RemoteEngine(read_address(url), model, LoadOptions(**options), access, pause=pause)
        engines.append(engine)
        if opened:
            await engine.open()
        return engine

    yield open_
    for engine in engines:
        await engine.close()
