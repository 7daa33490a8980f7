"""Questions on the server: kept, handed out, changed so that one of several routers is always the first."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Callable

from network.broker.job_table import KEPT_AFTER_EXPIRY_SECONDS, Limits
from network.broker.nats import settlement
from network.broker.nats.connection import NatsConnection, RevisionChanged
from network.broker.nats.job_board import JobBoard
from network.broker.nats.records import Contents, JobRecord, decode_contents, decode_job, encode_record
from network.broker.protocol import Claim, Handout, JobState, QueuedJob
from network.errors import BrokerUnavailable, QueueConflict, QueueFull

log = logging.getLogger(__name__)

Alteration = Callable[[JobRecord], settlement.Settled | None]


class QuestionStore:
    """Records and contents of questions. What has begun must be let to its end: nobody may cancel it."""

    def __init__(
        self, connection: NatsConnection, board: JobBoard, limits: Limits, wall: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._names = connection.names
        self._board = board
        self._limits = limits
        self._wall = wall
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._sending_jobs = 0
        self._sending_bytes = 0

    async def submit(self, job: QueuedJob) -> int:
        """As `Broker.submit`. Raises also BrokerUnavailable: then it may be kept or not."""
        digest, size = job.digest, len(job.body)
        if (held := self._board.get(job.job)) is not None:
            return self._known(job.job, held.record, digest)
        jobs, used = self._board.open + self._sending_jobs, self._board.bytes + self._sending_bytes
        if jobs >= self._limits.jobs or used + size > self._limits.bytes:
            raise QueueFull(jobs, wait_seconds=max(1, round(self._limits.lease_seconds)))
        self._sending_jobs += 1
        self._sending_bytes += size
        try:
            return await self._submit(job, digest)
        finally:
            self._sending_jobs -= 1
            self._sending_bytes -= size

    async def take(self, job: str, node: str) -> Handout | None:
        """Hand a question to a worker, if it still waits for it. Raises BrokerUnavailable."""
        held = self._board.get(job)
        if held is None or held.record.expires <= self._wall():
            return None
        waited = self._board.waited(job, node)
        found = await self._connection.get(self._names.questions, held.record.place)
        if found is None:
            return None

        def taken(record: JobRecord) -> settlement.Settled | None:
            after = settlement.take(record, node)
            return (after, []) if after else None

        altered = await self.alter(job, taken)
        if altered is None:
            return None
        record, contents = altered[0], decode_contents(found)
        task = next(task for task in record.tasks if task.node == node)
        claim = Claim(job, node, task.attempt)
        return Handout(
            claim,
            contents.body,
            dict(contents.grants)[node],
            contents.ticket,
            record.expires,
            waited,
        )

    async def alter(self, job: str, alteration: Alteration) -> settlement.Settled | None:
        """Change a record; None if there was nothing to do. Raises BrokerUnavailable.

        In this router one after the other; between routers the server decides who was first, and the others
        look again.
        """
        async with self._turns.setdefault(job, asyncio.Lock()):
            while True:
                if self._board.get(job) is None:
                    await self._read(job)
                held = self._board.get(job)
                altered = alteration(held.record) if held else None
                if held is None or altered is None:
                    return None
                try:
                    await self._write(job, altered[0], held.revision)
                except RevisionChanged:
                    await self._read(job)
                    continue
                return altered

    async def erase_contents(self, place: int) -> None:
        """Nothing sealed is kept longer than needed."""
        try:
            await self._connection.erase(self._names.questions, place)
        except BrokerUnavailable as error:
            log.warning("an ended question goes only when it expires: %s", error.details)

    async def stands(self, job: str) -> JobRecord | None:
        """The record of a question, also of one that this router does not know yet or any more.

        Raises:
            BrokerUnavailable: it is not known here, and the server does not answer.
        """
        if (held := self._board.get(job)) is not None:
            return held.record
        record = await self._read(job)
        if record is None or record.expires + KEPT_AFTER_EXPIRY_SECONDS <= self._wall():
            return None
        return record

    async def _submit(self, job: QueuedJob, digest: bytes) -> int:
        record = JobRecord(digest, job.workers, job.expires, JobState.EXPIRED)
        if job.expires > self._wall():
            contents = encode_record(Contents(job.body, job.grants, job.ticket))
            seconds = self._kept_seconds(job.expires)
            place = await self._connection.put(self._names.question(job.job), contents, seconds=seconds)
            tasks = settlement.new_tasks([node for node, _ in job.grants], job.workers)
            size = len(job.body)
            record = JobRecord(digest, job.workers, job.expires, JobState.OPEN, place, size, tasks)
        try:
            await self._write(job.job, record, revision=0)
        except RevisionChanged:
            # It was sent to another router, too, or long ago.
            if record.place:
                await self.erase_contents(record.place)
            known = await self._read(job.job)
            if known is None:
                raise QueueConflict(job.job) from None
            return self._known(job.job, known, digest)
        return self._board.position(record)

    def _known(self, job: str, record: JobRecord, digest: bytes) -> int:
        if record.digest != digest:
            raise QueueConflict(job)
        return self._board.position(record)

    async def _write(self, job: str, record: JobRecord, revision: int) -> None:
        after = await self._connection.put(
            self._names.job(job),
            encode_record(record),
            revision=revision,
            seconds=self._kept_seconds(record.expires),
        )
        self._board.apply(job, record, after)

    async def _read(self, job: str) -> JobRecord | None:
        """A record from the server; open ones are copied."""
        found = await self._connection.last(self._names.jobs, self._names.job(job))
        record = decode_job(found.data) if found and found.data else None
        if found and (self._board.get(job) or (record and record.state is JobState.OPEN)):
            self._board.apply(job, record, found.sequence)
        return record

    def _kept_seconds(self, expires: int) -> float:
        return expires - self._wall() + KEPT_AFTER_EXPIRY_SECONDS
