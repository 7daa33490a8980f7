"""A worker's connection to a router as a WebSocket: each message is one binary message."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpcore
import httpx
from httpx_ws import (
    AsyncWebSocketSession,
    WebSocketUpgradeError,
    aconnect_ws,
)

from network.client.refusals import error_of
from network.errors import LinkClosed, RouterUnreachable
from network.protocol.fields import MAX_FRAME_BYTES

CONNECT_SECONDS = 15.0
CLOSE_SECONDS = 2.0
_READ_BYTES = 64 * 1024
_LONGEST_UNREAD = MAX_FRAME_BYTES + 2 * _READ_BYTES
_REAL_REFUSALS = frozenset({401, 403, 429, 503})
"""The router itself said no, or wants to be left alone for a while: another way in would not help."""


class NoWebSocket(Exception):
    """Something on the way to the router, or the router itself, does not speak WebSocket."""


@asynccontextmanager
async def websocket_link(http: httpx.AsyncClient, address: str) -> AsyncIterator[WebSocketLink]:
    """Connect to the router at `address` (scheme, host and port); closed at the end of the block.

    Raises:
        NoWebSocket: another way has to be tried.
        RouterUnreachable: no connection.
        RouterRefused, RouterBusy: the router says so.
    """
    failed: BaseException | None = None
    try:
        async with (
            asyncio.timeout(CONNECT_SECONDS) as connecting,
            aconnect_ws(
                f"{address}/v1/worker",
                http,
                max_message_size_bytes=_READ_BYTES,
                keepalive_ping_interval_seconds=None,  # routers ping by messages
                session_class=_BoundedSession,
            ) as socket,
        ):
            connecting.reschedule(None)
            link = WebSocketLink(socket)
            try:
                yield link
            except Exception as error:  # noqa: BLE001 - kept as it is, not in a group of the library's tasks
                failed = error
            finally:
                await link.close()
    except WebSocketUpgradeError as refusal:
        status = refusal.response.status_code
        if status in _REAL_REFUSALS:
            raise error_of(refusal.response, b"") from None
        raise NoWebSocket(f"status {status}") from None
    except (httpx.HTTPError, TimeoutError) as error:
        raise RouterUnreachable(httpx.URL(address).host, type(error).__name__) from None
    except ExceptionGroup:  # of the library's own tasks
        failed = failed or LinkClosed("broken")
    if failed is not None:
        raise failed


class WebSocketLink:
    """A Link over an open WebSocket; made by `websocket_link`."""

    def __init__(self, socket: _BoundedSession) -> None:
        self._socket = socket
        self._over = False
        self._closed = False

    async def send(self, data: bytes) -> None:
        """As the Protocol says."""
        if self._over:
            raise LinkClosed
        try:
            await self._socket.send_bytes(data)
        except Exception as error:  # noqa: BLE001 - four libraries lie below, each with errors of its own
            self._over = True
            raise LinkClosed(type(error).__name__) from None

    async def receive(self) -> bytes:
        """As the Protocol says."""
        if self._over:
            raise LinkClosed
        try:
            data = await self._socket.receive_bytes()
        except Exception as error:  # noqa: BLE001 - four libraries lie below, each with errors of its own
            self._over = True
            raise LinkClosed(type(error).__name__) from None
        self._socket.incoming.unread = 0
        return data

    async def close(self) -> None:
        """As the Protocol says; a router that does not listen any more is not waited for."""
        if self._closed:
            return
        self._closed = self._over = True
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close()
        with contextlib.suppress(Exception):
            await self._socket.incoming.aclose()


class _BoundedStream(httpcore.AsyncNetworkStream):
    """The bytes from a router, as long as no single message is larger than any may be."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self.unread = 0
        """Bytes since the last message was taken."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        data = await self._stream.read(max_bytes, timeout)
        self.unread += len(data)
        if self.unread > _LONGEST_UNREAD:
            raise httpcore.ReadError("longer than any message may be")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _BoundedSession(AsyncWebSocketSession):
    """The library joins the pieces of a message without a limit; this one has it."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, **options: Any) -> None:
        self.incoming = _BoundedStream(stream)
        super().__init__(self.incoming, **options)
