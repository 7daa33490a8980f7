"""The real router on the loopback, inside the test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from network.broker.embedded import open_embedded_broker
from network.broker.protocol import Broker
from network.router.http.app import make_app
from network.router.http.server import RouterServer, listening_socket, make_server
from network.router.http.service import RouterService
from network.router.http.settings import RouterSettings
from network.router.invitations import Invitations


@dataclass(eq=False)
class RunningRouter:
    """A router that answers at `address`."""

    address: str
    service: RouterService
    server: RouterServer


async def embedded() -> Broker:
    """A broker in memory."""
    return await open_embedded_broker(None)


@asynccontextmanager
async def whole_router(
    *,
    key: Ed25519PrivateKey | None = None,
    open_broker: Callable[[], Awaitable[Broker]] = embedded,
    server: Mapping[str, Any] = MappingProxyType({}),
    **settings,
) -> AsyncIterator[RunningRouter]:
    """A router with these settings; it stops, without waiting for running answers, when the block ends.

    `server` is what `make_server` is given, such as a certificate.
    """
    listening = listening_socket("127.0.0.1", 0)
    scheme = "https" if "certificate" in server else "http"
    address = f"{scheme}://127.0.0.1:{listening.getsockname()[1]}"
    if isinstance(settings.get("invites"), frozenset):
        settings["invites"] = Invitations.of(settings["invites"])
    decided = {"origins": frozenset({address}), "drain_seconds": 0.0, **settings}
    app = make_app(RouterSettings(**decided), key or Ed25519PrivateKey.generate(), open_broker)
    running = make_server(app, handles_signals=False, **server)
    serving = asyncio.create_task(running.serve([listening]))
    try:
        while not running.started and not serving.done():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
        if serving.done():
            await serving
        yield RunningRouter(address, app.state.service, running)
    finally:
        running.stop()
        await serving
        listening.close()


@asynccontextmanager
async def running_router(**settings) -> AsyncIterator[str]:
    """As `whole_router`, but only its address."""
    async with whole_router(**settings) as router:
        yield router.address
