"""The broker inside the router's own process: SQLite for what must not be lost, memory for the rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TypeVar

from network.broker.file_thread import FileThread
from network.broker.frames import FrameRelay
from network.broker.job_table import JobTable, Limits
from network.broker.presence import PresenceBoard
from network.broker.progress import progress
from network.broker.protocol import (
    Change,
    Claim,
    Frame,
    Handout,
    JobState,
    NodeState,
    Passed,
    QueuedJob,
    QueueLoad,
)
from network.broker.settlement import Effects
from network.broker.waiting import WaitingWorkers

T = TypeVar("T")


RENEWALS_A_LEASE = 5
"""A sign of life is written so often at most."""


class EmbeddedBroker:
    """A `Broker` for one router. Open it with `open_embedded_broker`, use it in that event loop only."""

    def __init__(
        self,
        table: JobTable,
        thread: ThreadPoolExecutor,
        now: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._table = table
        self._file = FileThread(table, thread)
        self._now = now
        self._wall = wall
        self._relay = FrameRelay(table.start_number)
        self._board = PresenceBoard()
        self._workers = WaitingWorkers(now)
        self._renewed: dict[str, dict[Claim, float]] = {}
        """When the signs of life that are in the file were given, by question."""
        self._open: set[str] = set()
        """Questions that are open for sure; others may be, from before the start."""
        self._ended: dict[str, JobState] = {}
        """How questions have ended, for as long as somebody may want to hear it."""
        self._empty: set[str] = set()
        """Nodes for which nothing waits, as the last look has shown and nothing has changed since."""

    async def announce(self, state: NodeState, seconds: float) -> None:
        """As the Protocol says."""
        self._board.announce(state, self._now() + seconds)

    async def withdraw(self, node: str) -> None:
        """As the Protocol says."""
        self._empty.discard(node)
        self._board.withdraw(node)

    async def nodes(self) -> list[NodeState]:
        """As the Protocol says."""
        return self._board.nodes(self._now())

    async def submit(self, job: QueuedJob) -> int:
        """As the Protocol says."""
        return await self._change(self._table.submit, job, self._now(), self._wall())

    async def lease(self, node: str, credit: int, wait_seconds: float = 0.0) -> list[Handout]:
        """As the Protocol says."""
        return await self._workers.lease(node, wait_seconds, partial(self._look, node, credit))

    async def renew(self, claim: Claim) -> bool:
        """As the Protocol says. Most signs of life need no writing: parts of an answer come fast."""
        now = self._now()
        written = self._renewed.get(claim.job, {}).get(claim)
        if written is not None and now - written < self._table.lease_seconds / RENEWALS_A_LEASE:
            return True
        return await self._file.do(
            self._table.renew, claim, now, then=partial(self._note_renewal, claim, now)
        )

    async def suspend(self, claim: Claim, seconds: float) -> None:
        """As the Protocol says."""
        self._renewed.get(claim.job, {}).pop(claim, None)
        await self._in_thread(self._table.suspend, claim, self._now() + seconds)

    async def resume(self, claim: Claim) -> Passed | None:
        """As the Protocol says. A kill forgets what was passed on: then all of the answer is said again."""
        self._renewed.get(claim.job, {}).pop(claim, None)
        if not await self.renew(claim):
            return None
        passed = Passed()
        for frame in self._relay.kept(claim.job):
            passed = progress(passed, frame.data, claim)
        return passed

    async def finish(self, claim: Claim) -> JobState | None:
        """As the Protocol says."""
        return await self._change(self._table.finish, claim, self._now())

    async def give_back(self, claim: Claim, *, final: bool, wait_seconds: float = 0.0) -> JobState | None:
        """As the Protocol says."""
        work = partial(self._table.give_back, claim, self._now(), final=final, wait_seconds=wait_seconds)
        return await self._change(work)

    async def cancel(self, job: str) -> list[str]:
        """As the Protocol says."""
        return await self._change(self._table.cancel, job)

    async def state(self, job: str) -> JobState | None:
        """As the Protocol says."""
        if job in self._open:
            return JobState.OPEN
        return self._ended.get(job) or await self._in_thread(self._table.state, job)

    async def load(self) -> QueueLoad:
        """As the Protocol says."""
        return await self._in_thread(self._table.load)

    async def sweep(self) -> list[Change]:
        """As the Protocol says."""
        changes = await self._change(self._table.sweep, self._now(), self._wall())
        for job in self._relay.sweep(self._now()):
            self._ended.pop(job, None)
        return changes

    async def emit(self, job: str, data: bytes) -> bool:
        """As the Protocol says."""
        if not self._relay.known(job) and await self.state(job) is not JobState.OPEN:
            return False
        return self._relay.emit(job, data)

    async def frames(self, job: str, after: int = 0) -> AsyncGenerator[Frame, None]:
        """As the Protocol says."""
        if not self._relay.known(job) and await self.state(job) is not JobState.OPEN:
            return
        async with aclosing(self._relay.listen(job, after)) as frames:
            async for frame in frames:
                yield frame

    async def close(self) -> None:
        """As the Protocol says."""
        await self._file.close()

    async def _look(self, node: str, credit: int) -> tuple[list[Handout], float | None]:
        if node in self._empty:
            return [], None
        now = self._now()
        work = partial(self._table.lease, node, credit, now, self._wall())
        taking = self._file.do(work, then=partial(self._note_lease, node, credit, now))
        try:
            return await taking
        except asyncio.CancelledError:
            if not taking.cancelled() and taking.exception() is None:
                self._give_back_unseen(taking.result()[0], now)  # they came in the moment of leaving
            raise

    def _note_lease(
        self, node: str, credit: int, now: float, taken: tuple[list[Handout], float | None], heard: bool
    ) -> tuple[list[Handout], float | None]:
        handouts, due = taken
        if not handouts and due is None and credit > 0:
            self._empty.add(node)
        for handout in handouts:
            self._renewed.setdefault(handout.claim.job, {})[handout.claim] = now
        if not heard:
            self._give_back_unseen(handouts, now)
        return handouts, due

    def _give_back_unseen(self, handouts: list[Handout], now: float) -> None:
        """Whoever asked has gone while they were being taken: they go back, for somebody else."""
        for handout in handouts:
            work = partial(self._table.give_back, handout.claim, now, final=False, wait_seconds=0.0)
            self._file.do(work, then=self._note_change)

    def _note_renewal(self, claim: Claim, now: float, holds: bool, heard: bool) -> bool:
        if holds:
            self._renewed.setdefault(claim.job, {})[claim] = now
        return holds

    def _note_change(self, done: tuple[T, Effects], heard: bool) -> T:
        result, effects = done
        self._apply(effects)
        return result

    async def _change(self, work: Callable[..., tuple[T, Effects]], *arguments: object) -> T:
        """Do it, and what follows from it, even if the caller does not wait for the end."""
        return await self._file.do(work, *arguments, then=self._note_change)

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await self._file.do(work, *arguments, then=lambda found, _: found)

    def _apply(self, effects: Effects) -> None:
        self._empty -= effects.wake
        self._open |= effects.opened
        self._open -= effects.ended.keys()
        self._ended |= effects.ended
        for node in effects.wake:
            self._workers.wake(node)
        for claim in effects.released:
            self._renewed.get(claim.job, {}).pop(claim, None)
        for job in effects.ended:
            self._renewed.pop(job, None)
            self._relay.end(job, self._now())


async def open_embedded_broker(
    path: Path | None,
    limits: Limits | None = None,
    *,
    now: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
) -> EmbeddedBroker:
    """A broker with this file, or without one: then a restart forgets everything.

    Raises:
        QueueDamaged: the file is none of ours, or a later version has written it.
        OSError: it cannot be opened.
    """
    thread = ThreadPoolExecutor(1, thread_name_prefix="dai-broker")
    loop = asyncio.get_running_loop()
    try:
        table = await loop.run_in_executor(thread, JobTable, path, limits or Limits(), now())
    except BaseException:
        thread.shutdown(wait=False)
        raise
    return EmbeddedBroker(table, thread, now, wall)
