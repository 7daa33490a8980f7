"""A connection that carries whole messages both ways, as a WebSocket does; and one inside this process."""

from __future__ import annotations

import asyncio
from typing import Protocol

from network.errors import LinkClosed

MESSAGES_UNDER_WAY = 64


class Link(Protocol):
    """One end of a connection.

    To add a kind: 1. keep messages whole and in order; 2. raise LinkClosed from both methods once either end
    has closed, also in calls that wait already; 3. make `send` wait while the other end is slow.
    """

    async def send(self, data: bytes) -> None:
        """Send a message. Raises LinkClosed."""

    async def receive(self) -> bytes:
        """The next message. Raises LinkClosed when no more comes."""

    async def close(self) -> None:
        """End it. Closing twice does no harm."""


class MemoryLink:
    """An end of a connection inside this process: a device that is router and worker at once, and tests."""

    def __init__(self, inbox: asyncio.Queue[bytes | None], outbox: asyncio.Queue[bytes | None]) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._closed = asyncio.Event()
        self.other: MemoryLink | None = None

    async def send(self, data: bytes) -> None:
        """As the Protocol says."""
        if self._closed.is_set():
            raise LinkClosed
        if not self._outbox.full():
            self._outbox.put_nowait(data)
            return
        put, closed = (
            asyncio.ensure_future(self._outbox.put(data)),
            asyncio.ensure_future(self._closed.wait()),
        )
        try:
            await asyncio.wait({put, closed}, return_when=asyncio.FIRST_COMPLETED)
            if not put.done():
                raise LinkClosed
        finally:
            put.cancel()
            closed.cancel()

    async def receive(self) -> bytes:
        """As the Protocol says."""
        if self._closed.is_set() and self._inbox.empty():
            raise LinkClosed
        data = await self._inbox.get()
        if data is None:
            raise LinkClosed
        return data

    @property
    def ready(self) -> bool:
        """Whether `receive` gives a message at once."""
        return not self._inbox.empty()

    async def close(self) -> None:
        """As the Protocol says."""
        for end in (self, self.other):
            if end is not None and not end._closed.is_set():
                end._closed.set()
                if not end._inbox.full():  # else nobody waits for a message there
                    end._inbox.put_nowait(None)


def memory_links() -> tuple[MemoryLink, MemoryLink]:
    """Both ends of a connection inside this process."""
    there: asyncio.Queue[bytes | None] = asyncio.Queue(MESSAGES_UNDER_WAY)
    back: asyncio.Queue[bytes | None] = asyncio.Queue(MESSAGES_UNDER_WAY)
    one, other = MemoryLink(there, back), MemoryLink(back, there)
    one.other, other.other = other, one
    return one, other
