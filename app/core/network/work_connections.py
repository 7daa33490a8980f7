"""The connections to the routers that this device works for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from app.core.network.facade import Network
from app.core.network.ledger import Purpose
from app.core.network.routers import Router
from app.core.network.work_plan import WorkPlan
from app.core.network.work_policy import Obstacle
from app.core.network.work_status import RouterStatus
from network.answered import AnsweredQuestions
from network.protocol.routers import RouterInfo
from network.worker.answerer import Answerer
from network.worker.connection import Registration, RouterConnection

_GOODBYE_SECONDS = 5.0


@dataclass(eq=False, slots=True)
class _Open:
    """A router, and the connection to it."""

    router: Router
    connection: RouterConnection
    http: httpx.AsyncClient
    task: asyncio.Task[None]
    shown: tuple[object, ...]
    """What the router was shown."""


class WorkConnections:
    """Belongs to one event loop. `changed` is called whenever one of them changes.

    `answered`, called before the first of them, gives the questions that were answered already.
    """

    def __init__(
        self,
        network: Network,
        answerer: Answerer,
        answered: Callable[[], AnsweredQuestions],
        changed: Callable[[], None],
    ) -> None:
        self._network = network
        self._answerer = answerer
        self._read_answered = answered
        self._answered: AnsweredQuestions | None = None
        self._changed = changed
        self._open: dict[str, _Open] = {}
        self._renewing: set[asyncio.Task[None]] = set()
        self._plan: WorkPlan | None = None
        self._obstacle: Obstacle | None = None

    def status(self) -> tuple[RouterStatus, ...]:
        """How each of them stands."""
        return tuple(
            RouterStatus(each.router.id, each.router.name, each.router.host, each.connection.state)
            for each in self._open.values()
        )

    async def follow(self, plan: WorkPlan) -> None:
        """Be connected to exactly these routers, and let them see what is offered now."""
        self._plan = plan
        wanted = {router.id: router for router in plan.routers}
        await self._leave(
            [number for number, each in self._open.items() if wanted.get(number) != each.router]
        )
        for number, router in wanted.items():
            there = self._open.get(number)
            if there is None:
                self._open[number] = self._connected(router, plan)
            elif there.shown != plan.shown:
                there.shown = plan.shown
                renewing = asyncio.create_task(there.connection.renew())
                self._renewing.add(renewing)
                renewing.add_done_callback(self._renewing.discard)

    def hold(self, obstacle: Obstacle | None) -> None:
        """Tell all routers what stands in the way; what cannot wait for the end of an answer stops it."""
        self._obstacle = obstacle
        for each in self._open.values():
            each.connection.pause(obstacle.wire if obstacle is not None else "")
            if obstacle is not None and obstacle.urgent:
                each.connection.stop_all()

    async def wake(self) -> None:
        """The device has slept, or its network is another one."""
        await asyncio.gather(*(each.connection.wake() for each in self._open.values()))

    async def leave(self) -> None:
        """Say goodbye to all routers; what runs is given to others."""
        await self._leave(list(self._open))
        for task in list(self._renewing):
            task.cancel()

    def _connected(self, router: Router, plan: WorkPlan) -> _Open:
        if self._answered is None:
            self._answered = self._read_answered()
        http = self._network.open_client(Purpose.WORKING, router.address)
        connection = RouterConnection(
            router.address,
            http,
            self._registration,
            self._answerer,
            self._answered,
            invite=router.invite,
            public_key=router.public_key,
        )
        connection.pause(self._obstacle.wire if self._obstacle is not None else "")
        connection.subscribe(lambda _: self._changed())
        return _Open(router, connection, http, asyncio.create_task(connection.run()), plan.shown)

    async def _registration(self, info: RouterInfo) -> Registration:
        assert self._plan is not None  # noqa: S101 - there are connections only with a plan
        return await asyncio.to_thread(self._plan.registration, info, self._network)

    async def _leave(self, numbers: list[str]) -> None:
        await asyncio.gather(*(_left(self._open.pop(number)) for number in numbers))


async def _left(each: _Open) -> None:
    await each.connection.leave()
    await asyncio.wait({each.task}, timeout=_GOODBYE_SECONDS)
    each.task.cancel()
    await asyncio.wait({each.task})
    await each.http.aclose()
