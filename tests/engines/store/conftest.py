"""A hub on this machine, and the way to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from engines.store.connection import HubAccess, HubConnection
from tests.engines.store.hub_server import HubServer, hub_server


@pytest.fixture
def server() -> Iterator[HubServer]:
    with hub_server() as running:
        yield running


@pytest.fixture
async def connection(server: HubServer) -> AsyncIterator[HubConnection]:
    """To the server, with a token."""
    access = HubAccess(server.hub, token=lambda: "hf_secret", silence_seconds=5.0)
    opened = HubConnection(access)
    yield opened
    await opened.close()
