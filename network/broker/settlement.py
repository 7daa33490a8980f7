"""What follows when a worker finishes, fails, falls silent or does not come; used inside a transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from network.broker.job_file import JobFile
from network.broker.protocol import Change, Claim, JobState

MOST_ATTEMPTS = 5


class TaskState(IntEnum):
    """How one worker's part in a question stands; the numbers are in the file and in its indexes."""

    WAITING = 0
    LEASED = 1
    SPARE = 2
    DONE = 3
    FAILED = 4
    DROPPED = 5


@dataclass(slots=True)
class Effects:
    """What a change leads to outside the table."""

    wake: set[str] = field(default_factory=set)
    """Nodes that have something to fetch."""
    opened: set[str] = field(default_factory=set)
    ended: dict[str, JobState] = field(default_factory=dict)
    released: list[Claim] = field(default_factory=list)
    """Claims that do not hold any more, beside those of ended questions."""
    changes: list[Change] = field(default_factory=list)


class Settlement:
    """Changes of one transaction, at one time, and what they lead to."""

    def __init__(self, file: JobFile, now: float) -> None:
        self._file = file
        self._now = now
        self.effects = Effects()
        self.freed_jobs = 0
        self.freed_bytes = 0

    def held(self, claim: Claim) -> tuple[int, int] | None:
        """Number of the question and rank of the worker, if the claim holds."""
        found = self._file.rows(
            "SELECT number, rank FROM tasks JOIN jobs USING (number)"
            " WHERE job = ? AND node = ? AND attempt = ? AND tasks.state = 1",
            claim.job, claim.node, claim.attempt,
        )  # fmt: skip
        return found[0] if found else None

    def leave(self, claim: Claim, state: TaskState) -> JobState | None:
        """A worker has answered or will never; how the question stands, None if the claim does not hold."""
        held = self.held(claim)
        if held is None:
            return None
        number, rank = held
        self._move(number, rank, state)
        self.effects.released.append(claim)
        return self._settle(number, claim.job)

    def put_back(self, claim: Claim, wait_seconds: float = 0.0) -> JobState | None:
        """A spare takes over; where there is none, the same worker may try again."""
        held = self.held(claim)
        if held is None:
            return None
        number, rank = held
        again = claim.attempt < MOST_ATTEMPTS and not self._has_spare(number)
        self._move(number, rank, TaskState.WAITING if again else TaskState.FAILED, wait_seconds)
        self.effects.released.append(claim)
        if again:
            self.effects.wake.add(claim.node)
            self.effects.changes.append(Change(claim.job, "retrying", claim.node))
        return self._settle(number, claim.job)

    def replace_absent(self, number: int, rank: int, job: str) -> None:
        """A spare takes over from a worker that does not come, if one is left."""
        if self._has_spare(number):
            self._move(number, rank, TaskState.FAILED)
            self._settle(number, job)

    def end(self, number: int, job: str, state: JobState) -> None:
        """Nothing sealed is kept longer than needed."""
        [(size,)] = self._file.rows("SELECT length(body) FROM jobs WHERE number = ?", number)
        self._file.run("UPDATE jobs SET state = ?, body = x'', ticket = NULL WHERE number = ?", state, number)
        self._file.run(
            "UPDATE tasks SET permit = x'', state = CASE WHEN state < 3 THEN ? ELSE state END"
            " WHERE number = ?",
            TaskState.DROPPED, number,
        )  # fmt: skip
        self.effects.ended[job] = state
        self.freed_jobs += 1
        self.freed_bytes += size

    def _settle(self, number: int, job: str) -> JobState:
        """Call spares for those that failed, and end the question when nothing is left to wait for."""
        [(wanted, state)] = self._file.rows("SELECT workers, state FROM jobs WHERE number = ?", number)
        if state != JobState.OPEN:
            return JobState(state)
        states = [state for (state,) in self._file.rows("SELECT state FROM tasks WHERE number = ?", number)]
        done = states.count(TaskState.DONE)
        live = states.count(TaskState.WAITING) + states.count(TaskState.LEASED)
        spares = self._file.rows(
            "SELECT rank, node FROM tasks WHERE number = ? AND state = 2 ORDER BY rank LIMIT ?",
            number, max(0, wanted - done - live),
        )  # fmt: skip
        for rank, node in spares:
            self._move(number, rank, TaskState.WAITING)
            self.effects.wake.add(node)
            self.effects.changes.append(Change(job, "spare", node))
        if done < wanted and live + len(spares) > 0:
            return JobState.OPEN
        after = JobState.DONE if done else JobState.FAILED
        self.end(number, job, after)
        self.effects.changes.append(Change(job, "done" if done else "failed"))
        return after

    def _move(self, number: int, rank: int, state: TaskState, wait_seconds: float = 0.0) -> None:
        moment = self._now + wait_seconds
        self._file.run(
            "UPDATE tasks SET state = ?, moment = ?, waits_since = ? WHERE number = ? AND rank = ?",
            state, moment, moment, number, rank,
        )  # fmt: skip

    def _has_spare(self, number: int) -> bool:
        return bool(self._file.rows("SELECT 1 FROM tasks WHERE number = ? AND state = 2 LIMIT 1", number))
