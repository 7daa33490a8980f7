"""Server-sent events to one reader: signs of life while nothing happens, an end for who takes nothing.

Source of the format: HTML Living Standard, 9.2 "Server-sent events".
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

log = logging.getLogger(__name__)

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Nobody on the way may keep or collect the events; the second is how nginx is told."""


def event(data: bytes, id: int | None = None) -> bytes:
    """An event with an encoded message: JSON of this protocol has no line breaks."""
    return b"data: " + data + b"\n\n" if id is None else b"id: %d\ndata: %b\n\n" % (id, data)


class _TooSlow(Exception):
    """The reader takes nothing."""


class EventStream(StreamingResponse):
    """A response that lasts as long as its events, its reader, and the server."""

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        *,
        stopping: asyncio.Event,
        last_words: Callable[[], bytes],
        quiet_seconds: float,
        write_seconds: float,
        on_end: Callable[[], None],
    ) -> None:
        """`last_words` are said when `stopping` is set; `on_end` is called at any end; all are formatted."""
        super().__init__(events, media_type="text/event-stream", headers=_HEADERS)
        self._events = events
        self._stopping = stopping
        self._last_words = last_words
        self._quiet_seconds = quiet_seconds
        self._write_seconds = write_seconds
        self._on_end = on_end
        self._written = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it all; returns when the stream has ended, by whomever."""
        try:
            start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            await send(start)
            await self._write(send, b": welcome\n\n")
            await self._stream(receive, send)
        except _TooSlow:
            log.info("a reader that took nothing was cut off")
            if abort := scope.get("state", {}).get("abort"):
                abort()
        finally:
            self._on_end()

    async def _stream(self, receive: Receive, send: Send) -> None:
        pump = asyncio.ensure_future(self._pump(send))
        gone = asyncio.ensure_future(_disconnection(receive))
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            while not (pump.done() or gone.done() or stop.done()):
                await asyncio.wait(
                    {pump, gone, stop},
                    timeout=self._quiet_seconds,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if time.monotonic() - self._written >= self._quiet_seconds and not pump.done():
                    await self._write(send, b": still here\n\n")
        finally:
            for task in (pump, gone, stop):
                task.cancel()
            await asyncio.wait({pump, gone, stop})
            await self._events.aclose()
        if gone.done() and not gone.cancelled():
            return
        if not pump.cancelled() and (error := pump.exception()) is not None:
            raise error
        await self._write(send, self._last_words() if pump.cancelled() else b"", more=False)

    async def _pump(self, send: Send) -> None:
        async for formatted in self._events:
            await self._write(send, formatted)

    async def _write(self, send: Send, data: bytes, *, more: bool = True) -> None:
        try:
            async with asyncio.timeout(self._write_seconds):
                await send({"type": "http.response.body", "body": data, "more_body": more})
        except TimeoutError:
            raise _TooSlow from None
        self._written = time.monotonic()


async def _disconnection(receive: Receive) -> None:
    message: Any = {}
    while message.get("type") != "http.disconnect":
        message = await receive()
