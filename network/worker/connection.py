"""A worker's lasting connection to one router: made again whenever it breaks, and never in a hurry."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import httpx

from network.answered import AnsweredQuestions
from network.backoff import Backoff
from network.client.router_client import RouterClient
from network.errors import (
    Goodbye,
    LinkClosed,
    MessageError,
    RouterBusy,
    RouterChanged,
    RouterRefused,
)
from network.keys import DeviceKeys
from network.protocol.cards import NodeCard
from network.protocol.groups import Membership
from network.protocol.message import Signed, decode_canonical
from network.protocol.presence import Pause
from network.protocol.routers import RouterInfo
from network.worker.answerer import Answerer
from network.worker.event_link import event_link
from network.worker.running import RunningAnswers
from network.worker.session import WorkerSession
from network.worker.websocket_link import NoWebSocket, websocket_link

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 60.0
RETURN_SECONDS = 0.5
"""Between tries while answers wait for a connection; there are few of them before all is given up."""
REFUSED_WAIT_SECONDS = 300.0
"""Before asking a router again that does not want this device, or that speaks another version."""
RENEW_SECONDS = 2 * 3_600
"""A card is replaced so long before it expires; up to half as much earlier by chance."""
DRAIN_SECONDS = 600.0
"""How long a running answer may hold up a new card."""
FALLBACK_SECONDS = 3_600.0
"""How long a device that has found no WebSocket goes the other way before it tries again."""


class Phase(StrEnum):
    """How far a connection is."""

    OFF = "off"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    """It did not work, and is tried again."""


class Way(StrEnum):
    """How messages travel."""

    WEBSOCKET = "websocket"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """A connection as its owner may see it."""

    phase: Phase = Phase.OFF
    way: Way | None = None
    """Of an open connection."""
    error: Exception | None = None
    """Why it waits."""
    retry_seconds: float = 0.0
    """How long it waits, from the moment it began to."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What a worker shows to a router; made anew for each connection."""

    keys: DeviceKeys = field(repr=False)
    card: Signed
    memberships: tuple[Membership, ...] = ()
    public: bool = False


def wait_after(error: Exception, backoff: Backoff, chance: float) -> float:
    """Seconds until the next try; `chance`, 0 to 1, keeps devices from coming back all at once."""
    match error:
        case Goodbye(reason="refused" | "replaced") | RouterRefused() | RouterChanged() | MessageError():
            return REFUSED_WAIT_SECONDS * (1 + chance)
        case Goodbye(retry_seconds=seconds) if seconds:
            return seconds * (1 + chance)
        case RouterBusy():
            return error.wait_seconds + backoff.next_seconds()
    return backoff.next_seconds()


class RouterConnection:
    """Stays connected to a router while `run` runs. Belongs to one event loop."""

    def __init__(
        self,
        address: str,
        http: httpx.AsyncClient,
        register: Callable[[RouterInfo], Awaitable[Registration]],
        answerer: Answerer,
        answered: AnsweredQuestions,
        *,
        invite: str = "",
        public_key: bytes | None = None,
        answers: RunningAnswers | None = None,
        chance: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`public_key` is the router's as it was seen first; None: this is the first time.

        `register` gets what the router says of itself and returns what to show there, with a fresh card.
        """
        self._address = address.rstrip("/")
        self._http = http
        self._register = register
        self._answerer = answerer
        self._answered = answered
        self._invite = invite
        self._public_key = public_key
        self._chance = chance
        self._sleep = sleep
        self._wall = wall
        self._monotonic = monotonic
        self._backoff = Backoff(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, chance)
        self._pause: Pause = ""
        self._session: WorkerSession | None = None
        self._answers = answers or RunningAnswers()
        """What runs, from one connection to the next."""
        self._info: RouterInfo | None = None
        self._state = ConnectionState()
        self._listeners: list[Callable[[ConnectionState], None]] = []
        self._wake = asyncio.Event()
        self._leaving = False
        self._way = Way.WEBSOCKET
        self._fell_back_at = 0.0

    @property
    def state(self) -> ConnectionState:
        """How it stands."""
        return self._state

    @property
    def running(self) -> int:
        """How many questions it is at."""
        return self._session.running if self._session is not None else 0

    def subscribe(self, listener: Callable[[ConnectionState], None]) -> Callable[[], None]:
        """Call `listener` with every new state; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def pause(self, reason: Pause) -> None:
        """Take no more questions, or go on where `reason` is empty; see `WorkerSession.pause`."""
        self._pause = reason
        if self._session is not None:
            self._session.pause(reason)

    def stop_all(self) -> None:
        """Give back what runs: its owner needs the device."""
        if self._session is not None:
            self._session.stop_all()

    async def wake(self) -> None:
        """The device has slept, or its network is another: what was open is dead, waiting is in vain."""
        self._way = Way.WEBSOCKET
        self._backoff.succeeded()
        self._wake.set()
        if self._session is not None:
            await self._session.cut()

    async def renew(self) -> None:
        """Register anew, since what this worker offers has changed; answers that run are finished first."""
        session = self._session
        if session is None:
            self._wake.set()
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await session.drain()
        if self._session is session:
            self._wake.set()
            await session.leave("restart")

    async def leave(self, reason: Literal["sleep", "quit"] = "quit") -> None:
        """Say goodbye; `run` ends."""
        self._leaving = True
        self._wake.set()
        if self._session is not None:
            await self._session.leave(reason)

    async def run(self) -> None:
        """Until `leave` is called; nothing that a router or a network does ends it."""
        try:
            while not self._leaving:
                self._wake.clear()
                self._tell(ConnectionState(Phase.CONNECTING))
                try:
                    await self._connect()
                    error: Exception = LinkClosed()
                except Exception as problem:  # noqa: BLE001 - whatever it is: wait, and try again
                    error = problem
                if self._leaving or self._wake.is_set():
                    continue
                log.info("a connection to a router ended: %s", type(error).__name__)
                seconds = wait_after(error, self._backoff, self._chance())
                if self._answers.away and not isinstance(error, Goodbye):
                    seconds = min(seconds, RETURN_SECONDS)
                self._tell(ConnectionState(Phase.WAITING, None, error, seconds))
                await self._wait(seconds)
        finally:
            await self._answers.stop()
            self._tell(ConnectionState())

    async def _connect(self) -> None:
        """One connection, from finding out who the router is to its end."""
        info = await self._ask_who()
        registration = await self._register(info)
        card = decode_canonical(registration.card.statement, NodeCard)
        session = WorkerSession(
            registration.keys,
            registration.card,
            self._answerer,
            self._answered,
            slots=card.slots,
            origin=self._address,
            invite=self._invite,
            memberships=registration.memberships,
            public=registration.public,
            answers=self._answers,
            wall=self._wall,
        )
        session.pause(self._pause)
        self._session = session
        renewing = asyncio.create_task(self._renew_in_time(session, card.expires))
        telling = asyncio.create_task(self._tell_when_registered(session))
        try:
            await self._serve(session)
        finally:
            self._session = None
            for task in (renewing, telling):
                task.cancel()
            await asyncio.wait({renewing, telling})

    async def _ask_who(self) -> RouterInfo:
        """Who the router is; a worker that is expected back in a moment does not ask again."""
        if self._info is None or not self._answers.away:
            self._info = await RouterClient(self._address, self._http, self._invite).info()
        if self._public_key is not None and self._info.public != self._public_key:
            raise RouterChanged(httpx.URL(self._address).host)
        return self._info

    async def _serve(self, session: WorkerSession) -> None:
        if self._way is Way.EVENTS and self._monotonic() - self._fell_back_at >= FALLBACK_SECONDS:
            self._way = Way.WEBSOCKET
        if self._way is Way.WEBSOCKET:
            try:
                async with websocket_link(self._http, self._address) as link:
                    await session.run(link)
            except NoWebSocket:
                self._fall_back()
            except LinkClosed as error:
                if not session.registered and not isinstance(error, Goodbye):
                    self._fall_back()  # something on the way takes WebSockets, and lets nothing through
                raise
        async with event_link(self._http, self._address) as link:
            await session.run(link)

    def _fall_back(self) -> None:
        log.info("no WebSocket to this router")
        self._way, self._fell_back_at = Way.EVENTS, self._monotonic()

    async def _tell_when_registered(self, session: WorkerSession) -> None:
        await session.welcomed()
        self._backoff.succeeded()
        self._tell(ConnectionState(Phase.CONNECTED, self._way))

    async def _renew_in_time(self, session: WorkerSession, expires: int) -> None:
        early = RENEW_SECONDS * (1 + self._chance() / 2)
        await self._sleep(max(60.0, expires - self._wall() - early))
        await self.renew()

    async def _wait(self, seconds: float) -> None:
        """Until the time is over, or somebody has a reason to try now."""
        sleeping = asyncio.ensure_future(self._sleep(seconds))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({sleeping, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleeping, woken):
                task.cancel()
            await asyncio.wait({sleeping, woken})

    def _tell(self, state: ConnectionState) -> None:
        if state != self._state:
            self._state = state
            for listener in list(self._listeners):
                listener(state)
