"""A router's copy of the open questions: whose turn it is, and since when each stands as it does.

Other routers' clocks say nothing here: how long a lease has lasted is measured from when this router saw the
last sign of life, by a clock that nobody can set. The record on the server decides; the copy may be a moment
old.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from network.broker.nats.records import JobRecord, TaskRecord
from network.broker.nats.settlement import has_spare
from network.broker.protocol import JobState
from network.broker.settlement import TaskState

KEPT_SECONDS = 60.0
"""After the end of a question, for an asker that comes back."""


@dataclass(slots=True)
class Held:
    """A record as this router knows it."""

    record: JobRecord
    revision: int
    seen: dict[str, float] = field(default_factory=dict)
    """Since when each worker's part stands as it does."""
    ended_at: float | None = None


class JobBoard:
    """Questions that are open, or have ended a moment ago."""

    def __init__(
        self, now: Callable[[], float], wake: Callable[[str], None], ended: Callable[[str], None]
    ) -> None:
        """`wake` is told of nodes that have something to fetch, `ended` of questions."""
        self._now = now
        self._wake = wake
        self._ended = ended
        self._held: dict[str, Held] = {}
        self._waiting: dict[str, dict[str, int]] = {}
        self.open = 0
        self.bytes = 0

    def get(self, job: str) -> Held | None:
        """What is known of a question."""
        return self._held.get(job)

    def __iter__(self) -> Iterator[tuple[str, Held]]:
        return iter(list(self._held.items()))

    def apply(self, job: str, record: JobRecord | None, revision: int) -> None:
        """A record as it was written by somebody; an older one than the known changes nothing."""
        before = self._held.get(job)
        if before is not None and before.revision >= revision:
            return
        now = self._now()
        self._forget(job)
        if record is None:
            if before is not None and before.ended_at is None:
                self._ended(job)
            return
        held = self._held[job] = Held(record, revision)
        if record.state is not JobState.OPEN:
            held.ended_at = now if before is None or before.ended_at is None else before.ended_at
            self._ended(job)
            return
        self.open += 1
        self.bytes += record.size
        known = {task.node: task for task in before.record.tasks} if before else {}
        for task in record.tasks:
            same = before is not None and known.get(task.node) == task
            held.seen[task.node] = before.seen[task.node] if before and same else now
            if task.state is TaskState.WAITING:
                self._waiting.setdefault(task.node, {})[job] = record.place
                if not same:
                    self._wake(task.node)

    def restart_clocks(self) -> None:
        """Signs of life may have been missed: nobody is late yet."""
        now = self._now()
        for held in self._held.values():
            held.seen = dict.fromkeys(held.seen, now)

    def clear(self) -> None:
        """Nothing is known any more."""
        for job in list(self._held):
            self._forget(job)

    def for_node(self, node: str) -> tuple[list[str], float | None]:
        """Questions that may be handed to this worker, the oldest first; and when the next one may be."""
        now = self._now()
        ready: list[tuple[int, str]] = []
        due: float | None = None
        for job, place in self._waiting.get(node, {}).items():
            held = self._held[job]
            task = next(task for task in held.record.tasks if task.node == node)
            moment = held.seen[node] + task.wait_seconds
            if task.wait_seconds == 0 or moment <= now:
                ready.append((place, job))
            else:
                due = moment if due is None else min(due, moment)
        return [job for _, job in sorted(ready)], due

    def waited(self, job: str, node: str) -> float:
        """How long a worker could have been given this, in seconds, as far as this router has seen."""
        held = self._held[job]
        pause = max((task.wait_seconds for task in held.record.tasks if task.node == node), default=0.0)
        return max(0.0, self._now() - held.seen.get(node, self._now()) - pause)

    def position(self, record: JobRecord) -> int:
        """How many questions the freest of its workers has before this one."""
        counts = [
            sum(1 for place in self._waiting.get(task.node, {}).values() if place < record.place)
            for task in record.tasks
            if task.state is TaskState.WAITING
        ]
        return min(counts, default=0)

    def count(self, state: TaskState) -> int:
        """How many parts in questions stand like this."""
        return sum(task.state is state for held in self._held.values() for task in held.record.tasks)

    def silent(self, lease_seconds: float) -> list[tuple[str, TaskRecord]]:
        """Workers that hold a question and give no sign of life."""
        return self._since(TaskState.LEASED, lambda task: task.wait_seconds or lease_seconds)

    def absent(self, patience_seconds: float) -> list[tuple[str, TaskRecord]]:
        """Workers that do not fetch a question for which somebody else could step in."""
        late = self._since(TaskState.WAITING, lambda task: task.wait_seconds + patience_seconds)
        return [(job, task) for job, task in late if has_spare(self._held[job].record)]

    def expired(self, wall: float) -> list[str]:
        """Open questions whose time is over."""
        return [
            job
            for job, held in self._held.items()
            if held.record.state is JobState.OPEN and held.record.expires <= wall
        ]

    def drop_ended(self) -> None:
        """Forget what ended a while ago; the server still knows it."""
        until = self._now() - KEPT_SECONDS
        for job, held in self:
            if held.ended_at is not None and held.ended_at <= until:
                self._forget(job)

    def _since(
        self, state: TaskState, seconds: Callable[[TaskRecord], float]
    ) -> list[tuple[str, TaskRecord]]:
        """Parts in questions that have stood like this for as long as is said of each."""
        now = self._now()
        return [
            (job, task)
            for job, held in self._held.items()
            for task in held.record.tasks
            if task.state is state and held.seen[task.node] + seconds(task) <= now
        ]

    def _forget(self, job: str) -> None:
        held = self._held.pop(job, None)
        if held is None or held.record.state is not JobState.OPEN:
            return
        self.open -= 1
        self.bytes -= held.record.size
        for task in held.record.tasks:
            if (waiting := self._waiting.get(task.node)) is not None:
                waiting.pop(job, None)
                if not waiting:
                    del self._waiting[task.node]
