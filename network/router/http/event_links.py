"""A worker's connection where WebSockets do not get through: events one way, POST the other.

A link is lossy where its stream of events breaks: what was on its way then is lost. Nothing depends on it: a
question that does not arrive is handed to somebody else when its lease has run out.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from network.errors import LinkClosed
from network.link import MemoryLink, memory_links
from network.protocol.routers import LinkOpened
from network.router.http.event_stream import event
from network.router.workers import WorkerDesk

WRITE_SECONDS = 20.0
"""A router that is so busy that it does not take a message for so long ends the link."""


@dataclass(eq=False)
class EventLink:
    """One worker's connection. `here` is the end that the worker's requests speak for."""

    id: str
    access: bytes = field(repr=False)
    here: MemoryLink
    serving: asyncio.Task[None]
    alone_since: float | None
    """Since when nobody listens; None while somebody does."""
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)
    reader: asyncio.Event | None = None
    """Set to end the present stream when another takes its place."""


class EventLinks:
    """All such connections of a router."""

    def __init__(self, workers: WorkerDesk, grace_seconds: float, now: Callable[[], float]) -> None:
        self._workers = workers
        self._grace_seconds = grace_seconds
        self._now = now
        self._links: dict[str, EventLink] = {}

    def __len__(self) -> int:
        return len(self._links)

    def open(self, on_end: Callable[[], None]) -> LinkOpened:
        """A new link; `on_end` is called when it has ended."""
        here, there = memory_links()
        link = EventLink(
            id=secrets.token_hex(16),
            access=secrets.token_bytes(32),
            here=here,
            serving=asyncio.create_task(self._workers.serve(there)),
            alone_since=self._now(),
        )
        self._links[link.id] = link

        def ended(_: asyncio.Task[None]) -> None:
            on_end()

        link.serving.add_done_callback(ended)
        return LinkOpened(link=link.id, access=link.access)

    def find(self, id: str, access: bytes) -> EventLink | None:
        """The link of this number, for whom it belongs to."""
        link = self._links.get(id)
        return link if link is not None and hmac.compare_digest(link.access, access) else None

    async def events(self, link: EventLink) -> AsyncGenerator[bytes, None]:
        """What the router says, formatted; ends with the link, or when another stream takes its place."""
        if link.reader is not None:
            link.reader.set()
        link.reader = replaced = asyncio.Event()
        link.alone_since = None
        waiting = asyncio.ensure_future(replaced.wait())
        heard: asyncio.Future[bytes] | None = None
        try:
            while True:
                heard = asyncio.ensure_future(link.here.receive())
                await asyncio.wait({heard, waiting}, return_when=asyncio.FIRST_COMPLETED)
                if not heard.done():
                    return
                yield event(heard.result())
        except LinkClosed:
            self._links.pop(link.id, None)
        finally:
            for task in (heard, waiting):
                if task is not None:
                    task.cancel()
            if link.reader is replaced:
                link.reader, link.alone_since = None, self._now()

    async def send(self, link: EventLink, messages: Sequence[bytes]) -> None:
        """What the worker says, in order. Raises LinkClosed."""
        async with link.sending:
            try:
                async with asyncio.timeout(WRITE_SECONDS):
                    for message in messages:
                        await link.here.send(message)
            except TimeoutError:
                await link.here.close()
                raise LinkClosed from None

    async def sweep(self) -> None:
        """End the links that nobody has listened to for a while."""
        late = self._now() - self._grace_seconds
        for link in list(self._links.values()):
            if link.alone_since is not None and link.alone_since <= late:
                await self._end(link)

    async def close(self) -> None:
        """End them all."""
        for link in list(self._links.values()):
            await self._end(link)

    async def _end(self, link: EventLink) -> None:
        self._links.pop(link.id, None)
        await link.here.close()
        await asyncio.wait({link.serving}, timeout=WRITE_SECONDS)
