"""Everything new on a subject of a stream, in order and without gaps, also over a restart of the server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, Header

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0
"""The server says so often that there is nothing new; without it the feed begins again."""

_PAUSE_SECONDS = 0.5
_CONTROL = "100"


@dataclass(frozen=True, slots=True)
class News:
    """A message, its place in the stream, and how many are known to follow at once."""

    sequence: int
    subject: str
    data: bytes = field(repr=False)
    pending: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """Somebody has nudged the feed, or it has caught up with an empty subject."""


@dataclass(frozen=True, slots=True)
class StartedOver:
    """The stream is another one, or has lost its end: what was read from it does not count any more."""


class Feed:
    """A consumer on the server that lives as long as it is listened to, and is made anew whenever it is lost.

    The client library has "ordered consumers" for this; they notice the loss of a server only by missing
    heartbeats, and cannot be told to look up.
    """

    def __init__(
        self,
        client: Client,
        stream_context: JetStreamContext,
        stream: str,
        subject: str,
        after: int | None,
        on_close: Callable[[Feed], None],
    ) -> None:
        self._client = client
        self._context = stream_context
        self._stream = stream
        self._subject = subject
        self._copies = after is None
        self.position = after
        """The place of the last message that was given out."""
        self._on_close = on_close
        self._subscription: Subscription | None = None
        self._arrived: asyncio.Queue[Msg | Nothing | None] = asyncio.Queue()
        self._expected = 1

    def nudge(self) -> None:
        """Let `next` return, even if nothing is there."""
        self._arrived.put_nowait(Nothing())

    def begin_again(self) -> None:
        """The consumer may be lost: make another that goes on where this one was."""
        self._arrived.put_nowait(None)

    async def next(self) -> News | Nothing | StartedOver:
        """The next message; waits for it."""
        while True:
            if self._subscription is None:
                try:
                    if await self._is_behind():
                        self.position = None
                        return StartedOver()
                    if not await self._begin():
                        return Nothing()
                except (nats.errors.Error, OSError) as error:
                    log.debug("a feed waits for the server: %s", type(error).__name__)
                    await self._end()
                    await asyncio.sleep(_PAUSE_SECONDS)
                continue
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS * 2.5):
                    message = await self._arrived.get()
            except TimeoutError:
                message = None
            match message:
                case Nothing():
                    return message
                case None:
                    await self._end()
                case Msg():
                    news = self._read(message)
                    if isinstance(news, News):
                        self.position = news.sequence
                        return news
                    if not news:
                        await self._end()

    async def close(self) -> None:
        """Listen no longer; the server forgets the consumer by itself."""
        self._on_close(self)
        await self._end()

    def _read(self, message: Msg) -> News | bool:
        """The message; or whether a heartbeat tells that nothing is missing."""
        headers = message.headers or {}
        if headers.get(Header.STATUS.value) == _CONTROL:
            return int(headers.get(Header.LAST_CONSUMER.value, 0)) == self._expected - 1
        place = message.metadata
        if place.sequence.consumer != self._expected:
            return False
        self._expected += 1
        return News(place.sequence.stream, message.subject, message.data, place.num_pending)

    async def _is_behind(self) -> bool:
        """Whether the stream ends before what was read of it: it was deleted, or a power cut took its end."""
        if not self._copies or self.position is None:
            return False
        return (await self._context.stream_info(self._stream)).state.last_seq < self.position

    async def _begin(self) -> bool:
        """A consumer behind the position; False if there is nothing yet."""
        inbox = self._client.new_inbox()
        arrived: asyncio.Queue[Msg | Nothing | None] = asyncio.Queue()
        while not self._arrived.empty():
            if isinstance(kept := self._arrived.get_nowait(), Nothing):
                arrived.put_nowait(kept)
        self._arrived = arrived

        async def hear(message: Msg) -> None:
            arrived.put_nowait(message)

        self._subscription = await self._client.subscribe(inbox, cb=hear)
        self._expected = 1
        config = ConsumerConfig(
            deliver_subject=inbox,
            filter_subject=self._subject,
            deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
            ack_policy=AckPolicy.NONE,
            max_deliver=1,
            idle_heartbeat=HEARTBEAT_SECONDS,
            num_replicas=1,
            mem_storage=True,
        )
        if self.position is not None:
            config.deliver_policy = DeliverPolicy.BY_START_SEQUENCE
            config.opt_start_seq = self.position + 1
        made = await self._context.add_consumer(self._stream, config=config)
        return bool(made.num_pending)

    async def _end(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with contextlib.suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()
