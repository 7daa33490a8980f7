"""A worker's connection where no WebSocket gets through: server-sent events one way, POST the other.

The messages are the same, and the session cannot tell the difference: it has one end of a link inside this
process, and two tasks carry what comes out of the other end.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import httpx_sse

from network.backoff import Backoff
from network.client.reading import PLAIN, bounded_events, read_bounded
from network.client.refusals import LARGEST_PROBLEM_BYTES, error_of
from network.errors import LinkClosed, NetworkError, RouterUnreachable
from network.link import MemoryLink, memory_links
from network.protocol.message import decode
from network.protocol.routers import LinkOpened

CONNECT_SECONDS = 10.0
REQUEST_SECONDS = 30.0
SILENCE_SECONDS = 60.0
LAST_WORDS_SECONDS = 2.0
"""How long a closed link may take to send what was said before."""
LARGEST_BATCH_BYTES = 256 * 1024
_MOST_TRIES = 5
"""In a row: together some ten seconds, after which the router has given the link up."""


@asynccontextmanager
async def event_link(http: httpx.AsyncClient, address: str) -> AsyncIterator[MemoryLink]:
    """Connect to the router at `address` (scheme, host and port); closed at the end of the block.

    Raises:
        RouterUnreachable: no connection.
        RouterRefused, RouterBusy, RouterFailed, MessageError: the router says so, or is none.
    """
    carrier = _Carrier(http, address)
    await carrier.open()
    here, there = memory_links()
    speaking = asyncio.create_task(carrier.speak(there))
    hearing = asyncio.create_task(carrier.hear(there))
    try:
        yield here
    finally:
        await here.close()
        hearing.cancel()
        await asyncio.wait({speaking}, timeout=LAST_WORDS_SECONDS)
        speaking.cancel()
        await asyncio.wait({speaking, hearing})


class _Carrier:
    """Carries messages between a link and a router."""

    def __init__(self, http: httpx.AsyncClient, address: str) -> None:
        self._http = http
        self._address = f"{address}/v1/worker/links"
        self._headers: dict[str, str] = {}
        self._last_event = ""

    async def open(self) -> None:
        """Ask for a link."""
        try:
            body = await self._post(self._address, b"{}")
        except httpx.HTTPError as error:
            raise RouterUnreachable(httpx.URL(self._address).host, type(error).__name__) from None
        opened = decode(body, LinkOpened)
        self._address = f"{self._address}/{opened.link}"
        word = base64.urlsafe_b64encode(opened.access).decode().rstrip("=")
        self._headers = {"Authorization": f"Bearer {word}"}

    async def hear(self, link: MemoryLink) -> None:
        """Everything that the router says, until the link is closed; a broken stream is taken up again."""
        backoff = Backoff()
        try:
            while backoff.tries < _MOST_TRIES:
                with suppress(httpx.HTTPError):
                    await self._hear_once(link, backoff)
                await asyncio.sleep(backoff.next_seconds())
        except (NetworkError, httpx_sse.SSEError):
            pass
        finally:
            await link.close()

    async def _hear_once(self, link: MemoryLink, backoff: Backoff) -> None:
        headers = {**PLAIN, **self._headers}
        if self._last_event:
            headers["Last-Event-ID"] = self._last_event
        timeout = httpx.Timeout(REQUEST_SECONDS, connect=CONNECT_SECONDS, read=SILENCE_SECONDS)
        async with httpx_sse.aconnect_sse(
            self._http, "GET", f"{self._address}/events", headers=headers, timeout=timeout
        ) as source:
            if source.response.status_code != 200:
                body = await read_bounded(source.response, LARGEST_PROBLEM_BYTES)
                raise error_of(source.response, body)
            bounded_events(source.response)
            async for event in source.aiter_sse():
                if event.data and not (event.id and event.id == self._last_event):
                    backoff.succeeded()
                    self._last_event = event.id
                    await link.send(event.data.encode())

    async def speak(self, link: MemoryLink) -> None:
        """Everything that the worker says, in order; what waits together goes together."""
        closed = False
        try:
            while not closed:
                batch: list[bytes] = []
                try:
                    batch.append(await link.receive())
                    while link.ready and sum(map(len, batch)) < LARGEST_BATCH_BYTES:
                        batch.append(await link.receive())
                except LinkClosed:
                    closed = True
                if batch:
                    await self._say(b"[" + b",".join(batch) + b"]")
        except (NetworkError, httpx.HTTPError):
            pass
        finally:
            await link.close()

    async def _say(self, content: bytes) -> None:
        """Send once more where the connection breaks: parts that arrive twice are known by their numbers."""
        backoff = Backoff()
        while True:
            try:
                await self._post(f"{self._address}/messages", content)
                return
            except httpx.TransportError:
                if backoff.tries + 1 >= _MOST_TRIES:
                    raise
            await asyncio.sleep(backoff.next_seconds())

    async def _post(self, address: str, content: bytes) -> bytes:
        headers = {**PLAIN, **self._headers, "Content-Type": "application/json"}
        timeout = httpx.Timeout(REQUEST_SECONDS, connect=CONNECT_SECONDS)
        async with self._http.stream(
            "POST", address, content=content, headers=headers, timeout=timeout
        ) as response:
            body = await read_bounded(response, LARGEST_PROBLEM_BYTES)
            if not response.is_success:
                raise error_of(response, body)
            return body
