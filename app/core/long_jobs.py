"""Speed tests and compression for a screen: one at a time, and they go on whoever watches.

The work belongs to the process, so it goes on when its screen shows something else or is closed, and is seen
again on return. A terminal needs none of this: there the command waits for `Benchmarking`, `Compression` or
`TradeOffs` itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from app.core.answering import Answering
from app.core.benchmarking import Benchmarking
from app.core.compression import Compression
from app.core.errors import AlreadyBenchmarking, AlreadyCompressing
from app.core.job import Disturbance, Job, JobEnd, JobKind, speed_share, times_as_long
from app.core.models import Models
from app.core.owner_activity import OwnerActivity
from app.core.trade_offs import TradeOffProgress, TradeOffs
from engines.benchmark import BenchmarkPlan, BenchmarkProgress, BenchmarkStage
from engines.compression import CompressionProgress, CompressionStage
from engines.library import InstalledModel

_TELL_SECONDS = 0.2
_LEAST_SHARE = 0.03
"""Less than this is too little to tell how long the rest will take."""

Listener = Callable[[], None]

log = logging.getLogger(__name__)


class LongJobs:
    """At most one of them runs: two would measure each other."""

    def __init__(
        self,
        models: Models,
        answering: Answering,
        benchmarking: Benchmarking,
        compression: Compression,
        trade_offs: TradeOffs,
        activity: OwnerActivity | None = None,
    ) -> None:
        self._models = models
        self._answering = answering
        self._benchmarking = benchmarking
        self._compression = compression
        self._trade_offs = trade_offs
        self._activity = activity or OwnerActivity()
        self._task: asyncio.Task[InstalledModel | None] | None = None
        self._began = self._told = 0.0
        self._listeners: list[Listener] = []
        self.current: Job | None = None
        self.last: JobEnd | None = None

    def disturbs(self) -> Disturbance | None:
        """What a measurement that began now would put an end to; ask the user first."""
        if self._answering.busy:
            return Disturbance.ANSWER
        return Disturbance.LOADED if isinstance(self._models.loaded, InstalledModel) else None

    def measure_speed(self, model: InstalledModel, plan: BenchmarkPlan) -> None:
        """Measure a model and keep the result; answers that are being written are stopped first.

        Raises:
            AlreadyBenchmarking, AlreadyCompressing: something else is being done.
        """

        def progress(now: BenchmarkProgress) -> None:
            share, left = speed_share(now, plan), None
            if plan.minutes and now.stage is BenchmarkStage.SUSTAINED:
                left = (1 - now.share) * plan.minutes * 60
            elif plan.minutes:
                left = plan.minutes * 60 + (self._left(share * times_as_long(plan)) or 0)
            self._tell(now.stage, share, rate=now.tokens_per_second, left=left)

        async def work() -> None:
            await self._answering.stop_all()
            await self._benchmarking.run(model.id, plan, progress)

        self._start(Job(JobKind.SPEED, model), work)

    def compress(self, model: InstalledModel, target: str) -> None:
        """Make a smaller copy of a model.

        Raises:
            AlreadyBenchmarking, AlreadyCompressing: something else is being done.
        """

        def progress(now: CompressionProgress) -> None:
            checking = now.stage is CompressionStage.CHECKING
            self._tell(now.stage, 0.9 + 0.1 * now.share if checking else 0.9 * now.share)

        async def work() -> InstalledModel:
            return await self._compression.compress(model.id, target, progress)

        self._start(Job(JobKind.COMPRESSION, model, target), work)

    def measure_trade_offs(self, model: InstalledModel, formats: Sequence[str] = ()) -> None:
        """Measure what formats cost and give, and keep the table; stops answers as `measure_speed` does.

        Raises:
            AlreadyBenchmarking, AlreadyCompressing: something else is being done.
        """

        def progress(now: TradeOffProgress) -> None:
            self._tell(now.stage, now.overall, target=now.format)

        async def work() -> None:
            await self._answering.stop_all()
            await self._trade_offs.measure(model.id, formats, progress=progress)

        self._start(Job(JobKind.TRADE_OFFS, model), work)

    def cancel(self) -> None:
        """End what is being done; nothing of it stays. Does nothing when idle."""
        if self._task is not None and self.current is not None and not self.current.cancelled:
            self.current = replace(self.current, cancelled=True)
            self._changed()
            self._task.cancel()

    def check_idle(self) -> None:
        """See that nothing is being done.

        Raises:
            AlreadyBenchmarking, AlreadyCompressing: something is.
        """
        if self.current is not None:
            raise AlreadyCompressing if self.current.kind is JobKind.COMPRESSION else AlreadyBenchmarking

    def forget_last(self) -> None:
        """The user has seen what became of the last one."""
        self.last = None
        self._changed()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after every change of `current` and `last`; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def close(self) -> None:
        """End what is being done, and wait for that."""
        task = self._task
        self.cancel()
        if task is not None:
            await asyncio.wait({task})

    def _start(self, job: Job, work: Callable[[], Awaitable[InstalledModel | None]]) -> None:
        self.check_idle()

        async def run() -> InstalledModel | None:
            with self._activity.at_work():
                return await work()

        self.current, self.last = job, None
        self._began = self._told = time.monotonic()
        self._task = asyncio.create_task(run())
        # A task that is cancelled before its first step runs none of its own code.
        self._task.add_done_callback(lambda task: self._ended(job, task))
        self._changed()

    def _ended(self, job: Job, task: asyncio.Task[InstalledModel | None]) -> None:
        if task.cancelled():
            log.info("a long job was cancelled")
            end = None
        elif (error := task.exception()) is None:
            end = JobEnd(job.kind, job.model, made=task.result())
        elif isinstance(error, Exception):
            log.warning("a long job failed: %s", type(error).__name__)
            end = JobEnd(job.kind, job.model, error=error)
        else:  # the process itself is being ended
            end = None
        self.current, self.last, self._task = None, end, None
        self._changed()

    def _tell(
        self,
        stage: str,
        share: float,
        *,
        target: str | None = None,
        rate: float | None = None,
        left: float | None = None,
    ) -> None:
        if self.current is None:
            return
        before, now = self.current, time.monotonic()
        self.current = replace(
            before,
            stage=str(stage),
            share=share,
            target=before.target if target is None else target,
            tokens_per_second=rate,
            seconds_left=self._left(share) if left is None else left,
        )
        if before.stage != stage or now - self._told >= _TELL_SECONDS:
            self._told = now
            self._changed()

    def _left(self, share: float) -> float | None:
        if share < _LEAST_SHARE:
            return None
        return (time.monotonic() - self._began) * (1 - min(1.0, share)) / share

    def _changed(self) -> None:
        for listener in list(self._listeners):
            listener()
