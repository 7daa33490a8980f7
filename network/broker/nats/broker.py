"""The broker on a NATS server: any number of routers may come, go and be killed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from functools import partial
from typing import Any, TypeVar

from network.broker.job_table import Limits
from network.broker.nats import settlement
from network.broker.nats.answers import AnswerStream
from network.broker.nats.connection import NatsConnection, connect
from network.broker.nats.feed import Feed, News, StartedOver
from network.broker.nats.job_board import JobBoard
from network.broker.nats.node_board import NodeBoard
from network.broker.nats.questions import Alteration, QuestionStore
from network.broker.nats.records import JobRecord, TaskRecord, decode_job
from network.broker.nats.settings import NatsSettings
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
from network.broker.settlement import TaskState
from network.broker.waiting import WaitingWorkers
from network.errors import BrokerUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

_RENEWALS_A_LEASE = 5
"""A sign of life is written so often at most: parts of an answer come much faster."""


class NatsBroker:
    """A `Broker` shared by many routers. Open it with `open_nats_broker`, use it in that event loop only."""

    def __init__(
        self,
        connection: NatsConnection,
        limits: Limits,
        now: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._names = connection.names
        self._limits = limits
        self._now = now
        self._wall = wall
        self._workers = WaitingWorkers(now)
        self._jobs = JobBoard(now, self._workers.wake, self._end_listening)
        self._nodes = NodeBoard(connection, now)
        self._questions = QuestionStore(connection, self._jobs, limits, wall)
        self._answers = AnswerStream(connection, self._questions.stands)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._followers: list[asyncio.Task[None]] = []
        connection.on_reconnect = self._jobs.restart_clocks

    async def start(self) -> None:
        """Read what is there, and follow what others do."""
        for bucket, apply, clear in (
            (self._names.jobs, self._job_news, self._jobs.clear),
            (self._names.nodes, self._nodes.apply, self._nodes.clear),
        ):
            current = asyncio.Event()
            feed = self._connection.follow(bucket, f"$KV.{bucket.removeprefix('KV_')}.>", None)
            self._followers.append(asyncio.create_task(_follow(feed, apply, clear, current)))
            await current.wait()

    async def announce(self, state: NodeState, seconds: float) -> None:
        """As the Protocol says; a worker says so again soon if it does not get through."""
        try:
            await self._nodes.announce(state, seconds)
        except BrokerUnavailable as error:
            log.warning("a worker could not be announced: %s", error.details)

    async def withdraw(self, node: str) -> None:
        """As the Protocol says; where it does not get through, the entry expires by itself."""
        try:
            await self._nodes.withdraw(node)
        except BrokerUnavailable as error:
            log.warning("a worker could not be withdrawn: %s", error.details)

    async def nodes(self) -> list[NodeState]:
        """As the Protocol says."""
        return self._nodes.nodes()

    async def submit(self, job: QueuedJob) -> int:
        """As the Protocol says. Raises also BrokerUnavailable: then it may be kept or not."""
        return await asyncio.shield(self._kept(self._questions.submit(job)))

    async def lease(self, node: str, credit: int, wait_seconds: float = 0.0) -> list[Handout]:
        """As the Protocol says."""
        return await self._workers.lease(node, wait_seconds, partial(self._look, node, credit))

    async def renew(self, claim: Claim) -> bool:
        """As the Protocol says. What another router has done a moment ago may not be known here yet."""
        held = self._jobs.get(claim.job)
        task = settlement.held(held.record, claim) if held else None
        if held is None or task is None:
            return False
        fresh = self._now() - held.seen[claim.node] < self._limits.lease_seconds / _RENEWALS_A_LEASE
        if fresh and not task.wait_seconds:
            return True
        try:
            return (
                await self._alter(claim.job, lambda record: _only(settlement.renew(record, claim)))
                is not None
            )
        except BrokerUnavailable as error:
            log.warning("a sign of life could not be written: %s", error.details)
            return True

    async def suspend(self, claim: Claim, seconds: float) -> None:
        """As the Protocol says. Raises BrokerUnavailable."""
        held = self._jobs.get(claim.job)
        if held is None or claim.node not in held.seen:
            return
        left = held.seen[claim.node] + self._limits.lease_seconds - self._now()
        if left > 0:
            shorter = min(seconds, left)
            await self._alter(claim.job, lambda record: _only(settlement.suspend(record, claim, shorter)))

    async def resume(self, claim: Claim) -> Passed | None:
        """As the Protocol says. Raises BrokerUnavailable."""
        if await self._alter(claim.job, lambda record: _only(settlement.renew(record, claim))) is None:
            return None
        return await self._answers.passed(claim)

    async def finish(self, claim: Claim) -> JobState | None:
        """As the Protocol says. Raises BrokerUnavailable."""
        altered = await self._alter(claim.job, lambda record: settlement.leave(record, claim, TaskState.DONE))
        return altered and altered[0].state

    async def give_back(self, claim: Claim, *, final: bool, wait_seconds: float = 0.0) -> JobState | None:
        """As the Protocol says. Raises BrokerUnavailable."""
        altered = await self._alter(
            claim.job,
            lambda record: (
                settlement.leave(record, claim, TaskState.FAILED)
                if final
                else settlement.put_back(record, claim, wait_seconds)
            ),
        )
        return altered and altered[0].state

    async def cancel(self, job: str) -> list[str]:
        """As the Protocol says. Raises BrokerUnavailable."""
        busy: list[str] = []

        def cancelled(record: JobRecord) -> settlement.Settled | None:
            busy[:] = [task.node for task in record.tasks if task.state is TaskState.LEASED]
            return _only(settlement.end(record, JobState.CANCELLED))

        altered = await self._alter(job, cancelled)
        return busy if altered else []

    async def state(self, job: str) -> JobState | None:
        """As the Protocol says. Raises BrokerUnavailable."""
        record = await self._questions.stands(job)
        return record.state if record else None

    async def load(self) -> QueueLoad:
        """As the Protocol says; of all routers together."""
        return QueueLoad(self._jobs.count(TaskState.WAITING), self._jobs.count(TaskState.LEASED))

    async def sweep(self) -> list[Change]:
        """As the Protocol says; of several routers, one does each thing and tells of it.

        Raises:
            BrokerUnavailable: the server does not answer.
        """
        self._jobs.drop_ended()
        if not self._connection.connected:
            raise BrokerUnavailable("no connection")
        changes: list[Change] = []
        for job in self._jobs.expired(self._wall()):
            changes += await self._swept(job, _expire(job))
        for job, silent in self._jobs.silent(self._limits.lease_seconds):
            changes += await self._swept(job, _put_back(job, silent))
        for job, absent in self._jobs.absent(self._limits.patience_seconds):
            changes += await self._swept(job, _replace(job, absent))
        return changes

    async def emit(self, job: str, data: bytes) -> bool:
        """As the Protocol says. Raises BrokerUnavailable."""
        record = await self._questions.stands(job)
        if record is None or record.state is not JobState.OPEN:
            return False
        await self._answers.emit(job, data)
        return True

    async def frames(self, job: str, after: int = 0) -> AsyncGenerator[Frame, None]:
        """As the Protocol says."""
        if await self._questions.stands(job) is not None and self._jobs.get(job) is not None:
            async with aclosing(self._answers.listen(job, after)) as frames:
                async for frame in frames:
                    yield frame

    async def close(self) -> None:
        """As the Protocol says."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        for follower in self._followers:
            follower.cancel()
        await asyncio.gather(*self._followers, return_exceptions=True)
        await self._connection.close()

    async def _look(self, node: str, credit: int) -> tuple[list[Handout], float | None]:
        ready, due = self._jobs.for_node(node) if credit > 0 else ([], None)
        return (await self._take(ready[:credit], node) if ready else []), due

    async def _take(self, jobs: list[str], node: str) -> list[Handout]:
        taking = self._kept(self._take_now(jobs, node))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            # Whoever asked has gone while the questions were being taken: they go back, for somebody else.
            taking.add_done_callback(self._return_unseen)
            raise

    async def _take_now(self, jobs: list[str], node: str) -> list[Handout]:
        taking = (self._questions.take(job, node) for job in jobs)
        taken = []
        for handout in await asyncio.gather(*taking, return_exceptions=True):
            if isinstance(handout, BrokerUnavailable):
                log.warning("a question could not be handed out: %s", handout.details)
            elif isinstance(handout, BaseException):
                raise handout
            elif handout is not None:
                taken.append(handout)
        return taken

    def _return_unseen(self, taking: asyncio.Task[list[Handout]]) -> None:
        if not taking.cancelled() and taking.exception() is None:
            for handout in taking.result():
                self._kept(self.give_back(handout.claim, final=False))

    async def _alter(self, job: str, alteration: Alteration) -> settlement.Settled | None:
        """Change a record, even if the caller does not wait for the end; None if there was nothing to do."""
        altered = await asyncio.shield(self._kept(self._questions.alter(job, alteration)))
        if altered and altered[0].state is not JobState.OPEN:
            self._kept(self._questions.erase_contents(altered[0].place))
        return altered

    async def _swept(self, job: str, alteration: Alteration) -> list[Change]:
        altered = await self._alter(job, alteration)
        return altered[1] if altered else []

    def _job_news(self, job: str, data: bytes, revision: int) -> None:
        self._jobs.apply(job, decode_job(data) if data else None, revision)

    def _end_listening(self, job: str) -> None:
        self._answers.end(job)

    def _kept(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # the caller may not be there any more to hear of it


async def _follow(
    feed: Feed,
    apply: Callable[[str, bytes, int], None],
    clear: Callable[[], None],
    current: asyncio.Event,
) -> None:
    """Keep a copy of a bucket; `current` is set when it holds everything that was there."""
    try:
        while True:
            news = await feed.next()
            match news:
                case News():
                    apply(news.subject.rpartition(".")[2], news.data, news.sequence)
                case StartedOver():
                    log.warning("a stream on the NATS server begins anew")
                    clear()
                    continue
            if not isinstance(news, News) or news.pending == 0:
                current.set()
    finally:
        await feed.close()


def _only(record: JobRecord | None) -> settlement.Settled | None:
    return (record, []) if record else None


def _expire(job: str) -> Alteration:
    def expired(record: JobRecord) -> settlement.Settled | None:
        ended = settlement.end(record, JobState.EXPIRED)
        return (ended, [Change(job, "expired")]) if ended else None

    return expired


def _put_back(job: str, silent: TaskRecord) -> Alteration:
    """For a worker that has given no sign of life since it was seen like this."""
    claim = Claim(job, silent.node, silent.attempt)
    return lambda record: settlement.put_back(record, claim) if silent in record.tasks else None


def _replace(job: str, absent: TaskRecord) -> Alteration:
    return lambda record: settlement.replace_absent(record, job, absent)


async def open_nats_broker(
    settings: NatsSettings | None = None,
    limits: Limits | None = None,
    *,
    now: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
) -> NatsBroker:
    """A broker on this server.

    Raises:
        BrokerUnavailable: there is no server, or it does not let us in.
        OSError: a file of credentials or certificates cannot be read.
    """
    connection = await connect(settings or NatsSettings())
    broker = NatsBroker(connection, limits or Limits(), now, wall)
    try:
        await broker.start()
    except BaseException:
        await broker.close()
        raise
    return broker
