"""Long work on this device, as this session sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import flet as ft

from app.core.benchmarking import PLANS
from app.core.job import Disturbance, Job, JobEnd
from app.services import Services
from app.ui.state.mailbox import Mailbox
from app.ui.state.reporting import reported
from engines.library import InstalledModel

Begin = Callable[[], Awaitable[None]]


@ft.observable
@dataclass
class JobsState:
    """What is being done, and what became of the last one."""

    current: Job | None = None
    last: JobEnd | None = None


class JobsOnScreen:
    """Begins and ends long work. It belongs to the process: closing this session does not end it."""

    def __init__(
        self,
        services: Services,
        mailbox: Mailbox,
        report: Callable[[Exception], None],
        ask: Callable[[Disturbance, Begin], None],
        ended: Callable[[InstalledModel], object],
    ) -> None:
        """`ask` asks whether to end what a measurement would end; `ended` is told the
        model when a job has ended."""
        self.state = JobsState(services.jobs.current, services.jobs.last)
        self.report = report
        self._jobs = services.jobs
        self._ask = ask
        self._told_end = ended
        self._end = self._jobs.subscribe(lambda: mailbox.post(self._show))

    def close(self) -> None:
        """The session ends; what is being done goes on."""
        self._end()

    @reported
    async def measure_speed(self, model: InstalledModel, plan: str) -> None:
        """Measure a model by one of `PLANS`, after a question where that disturbs something."""
        await self._measure(lambda: self._jobs.measure_speed(model, PLANS[plan]))

    @reported
    async def measure_trade_offs(self, model: InstalledModel) -> None:
        """Measure what every smaller format costs, after a question where that disturbs something."""
        await self._measure(lambda: self._jobs.measure_trade_offs(model))

    @reported
    async def compress(self, model: InstalledModel, target: str) -> None:
        """Make a smaller copy."""
        self._jobs.compress(model, target)

    def cancel(self) -> None:
        """End what is being done."""
        self._jobs.cancel()

    def forget_last(self) -> None:
        """Take away the note of what became of the last one."""
        self._jobs.forget_last()

    async def _measure(self, begin: Callable[[], None]) -> None:
        async def work() -> None:
            begin()

        disturbance = self._jobs.disturbs()
        if disturbance is None:
            begin()
        else:
            self._ask(disturbance, work)

    def _show(self) -> None:
        before = self.state.current
        self.state.current, self.state.last = self._jobs.current, self._jobs.last
        if before is not None and self.state.current is None:
            self._told_end(before.model)
