"""The server around the application: its socket, its signals, and the way down."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Coroutine, Generator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.loops.auto import auto_loop_factory

from network.protocol.fields import MAX_FRAME_BYTES
from network.router.http.connections import GuardedConnection
from network.router.http.service import RouterService

log = logging.getLogger(__name__)

CLOSING_SECONDS = 5
_UNREAD_MILLISECONDS = 60_000
"""A device that confirms nothing for so long has gone, or does not read."""


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket on this address; port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns off Nagle's algorithm, which holds parts back for 40 ms.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; every connection inherits it
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MILLISECONDS)
        found.bind((host, port))
    except BaseException:
        found.close()
        raise
    return found


class RouterServer(uvicorn.Server):
    """Serves a router until it is told to stop; then it lets running answers finish first.

    A second signal stops at once.
    """

    def __init__(self, app: FastAPI, config: uvicorn.Config, *, handles_signals: bool) -> None:
        super().__init__(config)
        self._handles_signals = handles_signals
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve on these sockets until the end."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def stop(self) -> None:
        """Drain and stop; called again, stop at once. May be called from a signal handler."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._begin_to_stop)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Listen to signals, where it is the business of this server."""
        if not self._handles_signals:
            yield
            return
        with super().capture_signals():
            yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal asks to stop."""
        self.stop()

    def _begin_to_stop(self) -> None:
        if self._draining is not None or not self.started:
            self.should_exit = True
            return
        self._draining = asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        service: RouterService = self._app.state.service
        try:
            if not await service.drain():
                log.warning("some answers were cut off")
        finally:
            self.should_exit = True


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a program around a server, on the fastest event loop that is installed."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(main)


def make_server(
    app: FastAPI,
    *,
    certificate: Path | None = None,
    private_key: Path | None = None,
    proxies: Sequence[str] = (),
    handles_signals: bool = True,
) -> RouterServer:
    """A server for `serve(sockets=[listening_socket(…)])`.

    Args:
        app: The application of `make_app`.
        certificate, private_key: PEM files for TLS; None for a router behind a proxy or at home.
        proxies: Addresses or networks of proxies whose `X-Forwarded-For` is believed.
        handles_signals: Whether SIGINT and SIGTERM stop it; otherwise `stop` does.
    """
    config = uvicorn.Config(
        app,
        http=GuardedConnection,
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,  # costs memory, and nothing is gained on what is sealed
        ws_ping_interval=None,  # the protocol has signs of life of its own
        lifespan="on",
        log_config=None,
        access_log=False,  # who asked when is nobody's business
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies) or "127.0.0.1",
        backlog=1024,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=CLOSING_SECONDS,
        ssl_certfile=certificate,
        ssl_keyfile=private_key,
    )
    return RouterServer(app, config, handles_signals=handles_signals)
