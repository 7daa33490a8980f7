"""A running router: everything that its routes share, and what happens every second."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from starlette.requests import HTTPConnection

from network.broker.protocol import Broker, Change
from network.protocol import problems
from network.protocol.fields import PROTOCOL_VERSION
from network.protocol.jobs import JobProgress
from network.protocol.message import encode
from network.protocol.presence import Bye
from network.protocol.routers import RouterInfo
from network.router.asking import AskingDesk
from network.router.desk import RouterDesk
from network.router.http.access import address_of
from network.router.http.event_links import EventLinks
from network.router.http.limits import DailyQuota, Places, RateLimit
from network.router.http.refusals import Refusal
from network.router.http.settings import RouterSettings
from network.router.workers import WorkerDesk

log = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0
_LATE_SECONDS = 10.0
"""A router whose broker has not answered for so long takes nothing more."""


class RouterService:
    """One router process. Belongs to one event loop."""

    def __init__(
        self,
        settings: RouterSettings,
        key: Ed25519PrivateKey,
        broker: Broker,
        *,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.broker = broker
        self.now = now
        self.wall = wall
        self.started = wall()
        self.desk = RouterDesk(
            key,
            settings.origins,
            broker,
            settings.times,
            settings.invites,
            secret=_secret_of(key),
            wall=wall,
            monotonic=now,
        )
        self.counts = self.desk.counts
        """What has happened so far."""
        self.workers = WorkerDesk(self.desk)
        self.asking = AskingDesk(self.desk, self.workers)
        self.links = EventLinks(self.workers, settings.link_grace_seconds, now)
        self.requests = RateLimit(settings.requests_per_minute)
        self.questions = RateLimit(settings.questions_per_minute)
        self.daily = DailyQuota(settings.questions_per_day)
        self.worker_places = Places.of(each=settings.links_per_address, total=settings.max_workers)
        self.stream_places = Places.of(each=settings.streams_per_address, total=settings.max_streams)
        self.draining = False
        self.stopping = asyncio.Event()
        """Streams end when it is set."""
        self._swept = now()

    @property
    def ready(self) -> bool:
        """Whether it takes questions."""
        return not self.draining and self.now() - self._swept < _LATE_SECONDS

    def info(self) -> RouterInfo:
        """What it tells about itself."""
        settings = self.settings
        return RouterInfo(
            name=settings.name,
            public=self.desk.public,
            versions=(PROTOCOL_VERSION,),
            admission="open" if settings.invites is None else "invite",
            needs_invite_to_ask=settings.invite_to_ask,
            max_workers=settings.max_workers,
            time=self.desk.now(),
            draining=self.draining,
            software="dai",
        )

    def take_request(self, connection: HTTPConnection) -> None:
        """Count a request of this address. Raises Refusal if there were too many."""
        if wait := self.requests.take(address_of(connection), self.now()):
            self.counts["requests over the limit"] += 1
            raise Refusal(problems.QUOTA, retry_seconds=wait)

    def take_question(self, asker: str) -> None:
        """Count a question of this asker. Raises Refusal if there were too many."""
        wait = self.questions.take(asker, self.now()) or self.daily.take(asker, self.wall())
        if wait:
            self.counts["questions over the quota"] += 1
            raise Refusal(problems.QUOTA, retry_seconds=wait)

    def goodbye(self) -> bytes:
        """The last message on every stream and link before a restart."""
        return encode(Bye(reason="restart", retry_seconds=self.settings.retry_seconds))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Do what time demands, as long as this lasts; close everything in the end."""
        sweeping = asyncio.create_task(self._sweep_for_ever())
        try:
            yield
        finally:
            await self.stop()
            sweeping.cancel()
            await asyncio.wait({sweeping})

    async def drain(self) -> bool:
        """Take nothing new, let running answers finish, say goodbye; whether all of them have finished."""
        self.draining = True
        log.info("draining: %d answers are running", self.workers.held)
        finished = await self.workers.finish_running(self.settings.drain_seconds)
        await self.stop()
        return finished

    async def stop(self) -> None:
        """Say goodbye to everybody at once."""
        self.draining = True
        self.stopping.set()
        await self.workers.close(self.settings.retry_seconds)
        await self.links.close()

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                changes = await self.broker.sweep()
                for change in changes:
                    await self._tell(change)
                self._swept = self.now()
            except Exception as error:  # noqa: BLE001 - a broker that is away comes back, and this must go on
                self.counts["failed sweeps"] += 1
                log.warning("the broker did not answer: %s", type(error).__name__)
            await self.links.sweep()
            await self.workers.dismiss_uninvited()

    async def _tell(self, change: Change) -> None:
        """A word to the asker, and to who looks after the router."""
        self.counts[f"questions {change.event}"] += 1
        if change.event in ("retrying", "spare"):
            progress = JobProgress(job=change.job, event=change.event, node=change.node or None)
            await self.broker.emit(change.job, encode(progress))


def _secret_of(key: Ed25519PrivateKey) -> bytes:
    """The same for every process with this key, also after a restart: askers keep their access."""
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"dai router secret 1").derive(key.private_bytes_raw())
