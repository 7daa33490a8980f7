"""The questions of one router, and who is to answer them. Not thread-safe; every method is a transaction,
and inside `together` a part of one.

Two clocks, on purpose. Leases and patience run by `now`, a clock of this process that nobody can set (after a
restart every lease starts anew); expiry runs by `wall`, seconds since 1970, as it stands in the grants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from network.broker.job_file import JobFile
from network.broker.protocol import Change, Claim, Handout, JobState, QueuedJob, QueueLoad
from network.broker.settlement import Effects, Settlement, TaskState
from network.errors import QueueConflict, QueueFull
from network.protocol.message import Signed, decode, encode

KEPT_AFTER_EXPIRY_SECONDS = 300
"""A number cannot be used again before every copy of the question has expired on every clock."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a router keeps, and for how long it waits."""

    jobs: int = 10_000
    bytes: int = 256 * 1024 * 1024
    lease_seconds: float = 15.0
    patience_seconds: float = 10.0
    """A worker that does not fetch its question for so long is replaced by a spare."""


class JobTable:
    """Questions and who is to answer them."""

    def __init__(self, path: Path | None, limits: Limits, now: float) -> None:
        """Open the file, or an own memory for None. Raises QueueDamaged and OSError as `JobFile`."""
        self._limits = limits
        self._file = JobFile(path)
        self._rows, self._run, self._transaction = self._file.rows, self._file.run, self._file.transaction
        with self._transaction():
            self._start = self._run("INSERT INTO starts DEFAULT VALUES")
            self._run("UPDATE tasks SET moment = ? WHERE state = 1", now + limits.lease_seconds)
            self._run("UPDATE tasks SET moment = 0, waits_since = ? WHERE state = 0", now)
            self._count()

    @property
    def lease_seconds(self) -> float:
        """How long a question is a worker's without a sign of life."""
        return self._limits.lease_seconds

    @property
    def start_number(self) -> int:
        """How often the file has been opened."""
        return self._start

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @contextmanager
    def together(self) -> Iterator[Callable[[], bool]]:
        """One transaction for several calls, each of which still succeeds or fails for itself.

        What it gives tells whether the transaction lives: SQLite gives it up where the disk fails.
        """
        try:
            with self._transaction():
                yield lambda: self._file.in_transaction
        except BaseException:
            self._count()
            raise

    def submit(self, job: QueuedJob, now: float, wall: float) -> tuple[int, Effects]:
        """As `Broker.submit`."""
        digest = job.digest
        with self._transaction():
            for known, state, number in self._rows(
                "SELECT digest, state, number FROM jobs WHERE job = ?", job.job
            ):
                if known != digest:
                    raise QueueConflict(job.job)
                return (self._position(number) if state == JobState.OPEN else 0), Effects()
            if self._open >= self._limits.jobs or self._bytes + len(job.body) > self._limits.bytes:
                raise QueueFull(self._open, wait_seconds=max(1, round(self._limits.lease_seconds)))
            ticket = encode(job.ticket) if job.ticket else None
            state = JobState.OPEN if job.expires > wall else JobState.EXPIRED
            body = job.body if state is JobState.OPEN else b""
            number = self._run(
                "INSERT INTO jobs (job, asker, digest, body, ticket, workers, expires, state)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                job.job, job.asker, digest, body, ticket, job.workers, job.expires, state,
            )  # fmt: skip
            if state is not JobState.OPEN:
                return 0, Effects(ended={job.job: state})
            for rank, (node, grant) in enumerate(job.grants):
                task = TaskState.WAITING if rank < job.workers else TaskState.SPARE
                self._run(
                    "INSERT INTO tasks VALUES (?, ?, ?, ?, ?, 0, 0, ?)",
                    number, rank, node, encode(grant), task, now,
                )  # fmt: skip
            position = self._position(number)
        self._open += 1
        self._bytes += len(job.body)
        return position, Effects(wake={node for node, _ in job.grants[: job.workers]}, opened={job.job})

    def lease(self, node: str, credit: int, now: float, wall: float) -> tuple[list[Handout], float | None]:
        """Questions for this worker, and when to look again if there are none that may be handed out yet."""
        with self._transaction():
            found = self._rows(
                "SELECT number, rank, job, attempt + 1, body, permit, ticket, expires, waits_since"
                " FROM tasks JOIN jobs USING (number)"
                " WHERE node = ? AND tasks.state = 0 AND moment <= ? AND expires > ?"
                " ORDER BY number LIMIT ?",
                node, now, wall, max(0, credit),
            )  # fmt: skip
            until = now + self._limits.lease_seconds
            handouts = []
            for number, rank, job, attempt, body, permit, ticket, expires, since in found:
                self._run(
                    "UPDATE tasks SET state = 1, attempt = ?, moment = ? WHERE number = ? AND rank = ?",
                    attempt, until, number, rank,
                )  # fmt: skip
                read_ticket = decode(ticket, Signed) if ticket else None
                handouts.append(
                    Handout(
                        Claim(job, node, attempt),
                        body,
                        decode(permit, Signed),
                        read_ticket,
                        expires,
                        max(0.0, now - since),
                    )
                )
            next_due = None
            if not handouts and credit > 0:
                [(next_due,)] = self._rows(
                    "SELECT min(moment) FROM tasks WHERE node = ? AND state = 0 AND moment > ?", node, now
                )
        return handouts, next_due

    def renew(self, claim: Claim, now: float) -> bool:
        """As `Broker.renew`."""
        with self._transaction():
            held = Settlement(self._file, now).held(claim)
            if held is not None:
                until = now + self._limits.lease_seconds
                self._run("UPDATE tasks SET moment = ? WHERE number = ? AND rank = ?", until, *held)
        return held is not None

    def suspend(self, claim: Claim, until: float) -> None:
        """As `Broker.suspend`; a lease that ends before that is left as it is."""
        with self._transaction():
            held = Settlement(self._file, now=0.0).held(claim)
            if held is not None:
                self._run(
                    "UPDATE tasks SET moment = min(moment, ?) WHERE number = ? AND rank = ?", until, *held
                )

    def finish(self, claim: Claim, now: float) -> tuple[JobState | None, Effects]:
        """As `Broker.finish`."""
        with self._settling(now) as settlement:
            state = settlement.leave(claim, TaskState.DONE)
        return state, settlement.effects

    def give_back(
        self, claim: Claim, now: float, *, final: bool, wait_seconds: float
    ) -> tuple[JobState | None, Effects]:
        """As `Broker.give_back`."""
        with self._settling(now) as settlement:
            if final:
                state = settlement.leave(claim, TaskState.FAILED)
            else:
                state = settlement.put_back(claim, wait_seconds)
        return state, settlement.effects

    def cancel(self, job: str) -> tuple[list[str], Effects]:
        """As `Broker.cancel`."""
        with self._settling(now=0.0) as settlement:
            busy = []
            for (number,) in self._rows("SELECT number FROM jobs WHERE job = ? AND state = 0", job):
                busy = self._rows("SELECT node FROM tasks WHERE number = ? AND state = 1", number)
                settlement.end(number, job, JobState.CANCELLED)
        return [node for (node,) in busy], settlement.effects

    def state(self, job: str) -> JobState | None:
        """As `Broker.state`."""
        found = self._rows("SELECT state FROM jobs WHERE job = ?", job)
        return JobState(found[0][0]) if found else None

    def load(self) -> QueueLoad:
        """As `Broker.load`."""
        [(waiting, running)] = self._rows(
            "SELECT (SELECT count(*) FROM tasks WHERE state = 0),"
            " (SELECT count(*) FROM tasks WHERE state = 1)"
        )
        return QueueLoad(waiting, running)

    def sweep(self, now: float, wall: float) -> tuple[list[Change], Effects]:
        """As `Broker.sweep`; forgets questions that have ended long ago."""
        with self._settling(now) as settlement:
            expired = self._rows("SELECT number, job FROM jobs WHERE state = 0 AND expires <= ?", wall)
            for number, job in expired:
                settlement.end(number, job, JobState.EXPIRED)
                settlement.effects.changes.append(Change(job, "expired"))
            silent = self._rows(
                "SELECT job, node, attempt FROM tasks JOIN jobs USING (number)"
                " WHERE tasks.state = 1 AND moment <= ?",
                now,
            )
            for job, node, attempt in silent:
                settlement.put_back(Claim(job, node, attempt))
            absent = self._rows(
                "SELECT number, rank, job FROM tasks JOIN jobs USING (number)"
                " WHERE tasks.state = 0 AND waits_since <= ? AND EXISTS"
                " (SELECT 1 FROM tasks AS spare WHERE spare.number = jobs.number AND spare.state = 2)",
                now - self._limits.patience_seconds,
            )
            for number, rank, job in absent:
                settlement.replace_absent(number, rank, job)
            self._run("DELETE FROM jobs WHERE state <> 0 AND expires <= ?", wall - KEPT_AFTER_EXPIRY_SECONDS)
        return settlement.effects.changes, settlement.effects

    @contextmanager
    def _settling(self, now: float) -> Iterator[Settlement]:
        with self._transaction():
            settlement = Settlement(self._file, now)
            yield settlement
        self._open -= settlement.freed_jobs
        self._bytes -= settlement.freed_bytes

    def _count(self) -> None:
        [(self._open, self._bytes)] = self._rows(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM jobs WHERE state = 0"
        )

    def _position(self, number: int) -> int:
        """How many questions the freest of its workers has before this one."""
        counts = self._rows(
            "SELECT (SELECT count(*) FROM tasks AS other WHERE other.node = mine.node AND other.state = 0"
            " AND other.number < mine.number) FROM tasks AS mine WHERE number = ? AND state = 0",
            number,
        )
        return min((count for (count,) in counts), default=0)
