"""A worker's connection over WebSocket: each binary message is one message of the protocol."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send

from network.errors import LinkClosed


class WebSocketLink:
    """The router's end of a `network.link.Link`. A device that does not read is cut off."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, write_seconds: float) -> None:
        self._receive = receive
        self._send = send
        self._write_seconds = write_seconds
        self._abort = scope.get("state", {}).get("abort")
        self._closed = False

    async def accept(self) -> None:
        """Complete the handshake. Raises LinkClosed."""
        message = await self._receive()
        if message["type"] != "websocket.connect":
            raise LinkClosed
        await self._write({"type": "websocket.accept"})

    async def send(self, data: bytes) -> None:
        """As the Protocol says."""
        if self._closed:
            raise LinkClosed
        await self._write({"type": "websocket.send", "bytes": data})

    async def receive(self) -> bytes:
        """As the Protocol says; texts are taken for their bytes."""
        if self._closed:
            raise LinkClosed
        message = await self._receive()
        if message["type"] != "websocket.receive":
            self._closed = True
            raise LinkClosed
        data: bytes | None = message.get("bytes")
        return data if data is not None else message.get("text", "").encode()

    async def close(self) -> None:
        """As the Protocol says."""
        if not self._closed:
            self._closed = True
            try:
                await self._write({"type": "websocket.close", "code": 1000})
            except LinkClosed:
                return

    async def _write(self, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(self._write_seconds):
                await self._send(message)
        except TimeoutError:
            self._closed = True
            if self._abort is not None:
                self._abort()
            raise LinkClosed("the other end does not read") from None
        except (OSError, RuntimeError) as error:  # the connection has gone: servers tell it in both ways
            self._closed = True
            raise LinkClosed(type(error).__name__) from None
