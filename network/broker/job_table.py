"""The questions of one router, and who is to answer them. Not thread-safe; every method is a transaction.

Two clocks, on purpose. Leases and patience run by `now`, a clock of this process that nobody can set (after a
restart every lease starts anew); expiry runs by `wall`, seconds since 1970, as it stands in the grants.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from network.broker.job_file import JobFile
from network.broker.protocol import Change, Claim, Handout, JobState, QueuedJob
from network.errors import QueueConflict, QueueFull
from network.protocol.message import Signed, decode, encode

MOST_ATTEMPTS = 5
KEPT_AFTER_EXPIRY_SECONDS = 300
"""A number cannot be used again before every copy of the question has expired on every clock."""

_WAITING, _LEASED, _SPARE, _DONE, _FAILED, _DROPPED = range(6)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a router keeps, and for how long it waits."""

    jobs: int = 10_000
    bytes: int = 256 * 1024 * 1024
    lease_seconds: float = 15.0
    patience_seconds: float = 10.0
    """A worker that does not fetch its question for so long is replaced by a spare."""


@dataclass(slots=True)
class Effects:
    """What a change leads to outside the table."""

    wake: set[str] = field(default_factory=set)
    """Nodes that have something to fetch."""
    ended: set[str] = field(default_factory=set)
    changes: list[Change] = field(default_factory=list)


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
            [(self._open, self._bytes)] = self._rows(
                "SELECT count(*), coalesce(sum(length(body)), 0) FROM jobs WHERE state = 0"
            )

    @property
    def start_number(self) -> int:
        """How often the file has been opened."""
        return self._start

    def close(self) -> None:
        """Close the file."""
        self._file.close()

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
                return 0, Effects(ended={job.job})
            for rank, (node, grant) in enumerate(job.grants):
                task = _WAITING if rank < job.workers else _SPARE
                self._run(
                    "INSERT INTO tasks VALUES (?, ?, ?, ?, ?, 0, 0, ?)",
                    number, rank, node, encode(grant), task, now,
                )  # fmt: skip
            position = self._position(number)
        self._open += 1
        self._bytes += len(job.body)
        return position, Effects(wake={node for node, _ in job.grants[: job.workers]})

    def lease(self, node: str, credit: int, now: float, wall: float) -> tuple[list[Handout], float | None]:
        """Questions for this worker, and when to look again if there are none that may be handed out yet."""
        with self._transaction():
            found = self._rows(
                "SELECT number, rank, job, attempt + 1, body, permit, ticket, expires"
                " FROM tasks JOIN jobs USING (number)"
                " WHERE node = ? AND tasks.state = 0 AND moment <= ? AND expires > ?"
                " ORDER BY number LIMIT ?",
                node, now, wall, max(0, credit),
            )  # fmt: skip
            until = now + self._limits.lease_seconds
            handouts = []
            for number, rank, job, attempt, body, permit, ticket, expires in found:
                self._run(
                    "UPDATE tasks SET state = 1, attempt = ?, moment = ? WHERE number = ? AND rank = ?",
                    attempt, until, number, rank,
                )  # fmt: skip
                read_ticket = decode(ticket, Signed) if ticket else None
                handouts.append(
                    Handout(Claim(job, node, attempt), body, decode(permit, Signed), read_ticket, expires)
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
            held = self._held(claim)
            if held is not None:
                until = now + self._limits.lease_seconds
                self._run("UPDATE tasks SET moment = ? WHERE number = ? AND rank = ?", until, *held)
        return held is not None

    def finish(self, claim: Claim, now: float) -> tuple[JobState | None, Effects]:
        """As `Broker.finish`."""
        return self._leave(claim, _DONE, now)

    def give_back(
        self, claim: Claim, now: float, *, final: bool, wait_seconds: float
    ) -> tuple[JobState | None, Effects]:
        """As `Broker.give_back`."""
        if final:
            return self._leave(claim, _FAILED, now)
        effects = Effects()
        freed: list[int] = []
        with self._transaction():
            if not self._put_back(claim, now, wait_seconds, effects, freed):
                return None, effects
            [(after,)] = self._rows("SELECT state FROM jobs WHERE job = ?", claim.job)
        self._freed(freed)
        return JobState(after), effects

    def cancel(self, job: str) -> tuple[list[str], Effects]:
        """As `Broker.cancel`."""
        effects = Effects()
        with self._transaction():
            number = self._number(job)
            if number is None:
                return [], effects
            busy = [
                node
                for (node,) in self._rows("SELECT node FROM tasks WHERE number = ? AND state = 1", number)
            ]
            freed = self._end(number, job, JobState.CANCELLED, effects)
        self._freed(freed)
        return busy, effects

    def state(self, job: str) -> JobState | None:
        """As `Broker.state`."""
        found = self._rows("SELECT state FROM jobs WHERE job = ?", job)
        return JobState(found[0][0]) if found else None

    def sweep(self, now: float, wall: float) -> tuple[list[Change], Effects]:
        """As `Broker.sweep`; forgets questions that have ended long ago."""
        effects = Effects()
        freed: list[int] = []
        with self._transaction():
            expired = self._rows("SELECT number, job FROM jobs WHERE state = 0 AND expires <= ?", wall)
            for number, job in expired:
                freed += self._end(number, job, JobState.EXPIRED, effects)
                effects.changes.append(Change(job, "expired"))
            silent = self._rows(
                "SELECT job, node, attempt FROM tasks JOIN jobs USING (number)"
                " WHERE tasks.state = 1 AND moment <= ?",
                now,
            )
            for job, node, attempt in silent:
                self._put_back(Claim(job, node, attempt), now, 0.0, effects, freed)
            absent = self._rows(
                "SELECT number, rank, job FROM tasks JOIN jobs USING (number)"
                " WHERE tasks.state = 0 AND waits_since <= ?",
                now - self._limits.patience_seconds,
            )
            for number, rank, job in absent:
                if self._has_spare(number):
                    self._move(number, rank, _FAILED, now)
                    self._settle(number, job, now, effects, freed)
            self._run("DELETE FROM jobs WHERE state <> 0 AND expires <= ?", wall - KEPT_AFTER_EXPIRY_SECONDS)
        self._freed(freed)
        return effects.changes, effects

    def _leave(self, claim: Claim, state: int, now: float) -> tuple[JobState | None, Effects]:
        effects = Effects()
        freed: list[int] = []
        with self._transaction():
            held = self._held(claim)
            if held is None:
                return None, effects
            number, rank = held
            self._move(number, rank, state, now)
            self._settle(number, claim.job, now, effects, freed)
            [(after,)] = self._rows("SELECT state FROM jobs WHERE number = ?", number)
        self._freed(freed)
        return JobState(after), effects

    # Inside a transaction:

    def _put_back(
        self, claim: Claim, now: float, wait_seconds: float, effects: Effects, freed: list[int]
    ) -> bool:
        """A spare takes over; where there is none, the same worker may try again."""
        held = self._held(claim)
        if held is None:
            return False
        number, rank = held
        again = claim.attempt < MOST_ATTEMPTS and not self._has_spare(number)
        self._move(number, rank, _WAITING if again else _FAILED, now, wait_seconds)
        if again:
            effects.wake.add(claim.node)
            effects.changes.append(Change(claim.job, "retrying", claim.node))
        self._settle(number, claim.job, now, effects, freed)
        return True

    def _has_spare(self, number: int) -> bool:
        return bool(self._rows("SELECT 1 FROM tasks WHERE number = ? AND state = 2 LIMIT 1", number))

    def _held(self, claim: Claim) -> tuple[int, int] | None:
        found = self._rows(
            "SELECT number, rank FROM tasks JOIN jobs USING (number)"
            " WHERE job = ? AND node = ? AND attempt = ? AND tasks.state = 1",
            claim.job, claim.node, claim.attempt,
        )  # fmt: skip
        return found[0] if found else None

    def _move(self, number: int, rank: int, state: int, now: float, wait_seconds: float = 0.0) -> None:
        self._run(
            "UPDATE tasks SET state = ?, moment = ?, waits_since = ? WHERE number = ? AND rank = ?",
            state, now + wait_seconds, now + wait_seconds, number, rank,
        )  # fmt: skip

    def _settle(self, number: int, job: str, now: float, effects: Effects, freed: list[int]) -> None:
        """Call spares for those that failed, and end the question when nothing is left to wait for."""
        states = [state for (state,) in self._rows("SELECT state FROM tasks WHERE number = ?", number)]
        [(wanted, state)] = self._rows("SELECT workers, state FROM jobs WHERE number = ?", number)
        if state != JobState.OPEN:
            return
        done, live = states.count(_DONE), states.count(_WAITING) + states.count(_LEASED)
        missing = max(0, wanted - done - live)
        for rank, node in self._rows(
            "SELECT rank, node FROM tasks WHERE number = ? AND state = 2 ORDER BY rank LIMIT ?",
            number, missing,
        ):  # fmt: skip
            self._move(number, rank, _WAITING, now)
            effects.wake.add(node)
            effects.changes.append(Change(job, "spare", node))
            live += 1
        if done >= wanted or not live:
            state = JobState.DONE if done else JobState.FAILED
            freed += self._end(number, job, state, effects)
            effects.changes.append(Change(job, "done" if done else "failed"))

    def _end(self, number: int, job: str, state: JobState, effects: Effects) -> list[int]:
        """Nothing sealed is kept longer than needed. Returns the bytes that are free now."""
        [(size,)] = self._rows("SELECT length(body) FROM jobs WHERE number = ?", number)
        self._run("UPDATE jobs SET state = ?, body = x'', ticket = NULL WHERE number = ?", state, number)
        self._run(
            "UPDATE tasks SET permit = x'', state = CASE WHEN state < 3 THEN ? ELSE state END"
            " WHERE number = ?",
            _DROPPED, number,
        )  # fmt: skip
        effects.ended.add(job)
        return [size]

    def _position(self, number: int) -> int:
        """How many questions the freest of its workers has before this one."""
        counts = self._rows(
            "SELECT (SELECT count(*) FROM tasks AS other WHERE other.node = mine.node AND other.state = 0"
            " AND other.number < mine.number) FROM tasks AS mine WHERE number = ? AND state = 0",
            number,
        )
        return min((count for (count,) in counts), default=0)

    def _number(self, job: str) -> int | None:
        found = self._rows("SELECT number FROM jobs WHERE job = ? AND state = 0", job)
        return found[0][0] if found else None

    def _freed(self, sizes: Iterable[int]) -> None:
        for size in sizes:
            self._open -= 1
            self._bytes -= size
