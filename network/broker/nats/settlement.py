"""What a change makes of a question's record. Pure functions; None means that there is nothing to change."""

from __future__ import annotations

from msgspec.structs import replace

from network.broker.nats.records import JobRecord, TaskRecord
from network.broker.protocol import Change, Claim, JobState
from network.broker.settlement import MOST_ATTEMPTS, TaskState

Settled = tuple[JobRecord, list[Change]]


def new_tasks(nodes: list[str], workers: int) -> tuple[TaskRecord, ...]:
    """The first ones are handed out; the others wait for one of them to fail."""
    return tuple(
        TaskRecord(node, TaskState.WAITING if rank < workers else TaskState.SPARE)
        for rank, node in enumerate(nodes)
    )


def held(record: JobRecord, claim: Claim) -> TaskRecord | None:
    """The worker's part, if the claim holds."""
    for task in record.tasks:
        if (task.node, task.attempt, task.state) == (claim.node, claim.attempt, TaskState.LEASED):
            return task
    return None


def take(record: JobRecord, node: str) -> JobRecord | None:
    """Handed to this worker, if it waits for it."""
    for task in record.tasks:
        if (task.node, task.state) == (node, TaskState.WAITING):
            taken = TaskRecord(node, TaskState.LEASED, task.attempt + 1, task.beat + 1)
            return _with(record, taken)
    return None


def renew(record: JobRecord, claim: Claim) -> JobRecord | None:
    """A sign of life."""
    task = held(record, claim)
    return _with(record, replace(task, beat=task.beat + 1, wait_seconds=0.0)) if task else None


def suspend(record: JobRecord, claim: Claim, seconds: float) -> JobRecord | None:
    """Its worker counts as silent after so long, unless there is a sign of life."""
    task = held(record, claim)
    return _with(record, replace(task, beat=task.beat + 1, wait_seconds=seconds)) if task else None


def leave(record: JobRecord, claim: Claim, state: TaskState) -> Settled | None:
    """A worker has answered or will never."""
    task = held(record, claim)
    return _settle(_with(record, replace(task, state=state)), claim.job, []) if task else None


def put_back(record: JobRecord, claim: Claim, wait_seconds: float = 0.0) -> Settled | None:
    """A spare takes over; where there is none, the same worker may try again."""
    task = held(record, claim)
    if task is None:
        return None
    if task.attempt >= MOST_ATTEMPTS or has_spare(record):
        return leave(record, claim, TaskState.FAILED)
    again = replace(task, state=TaskState.WAITING, wait_seconds=wait_seconds)
    return _settle(_with(record, again), claim.job, [Change(claim.job, "retrying", claim.node)])


def replace_absent(record: JobRecord, job: str, absent: TaskRecord) -> Settled | None:
    """A spare takes over from a worker that still does not come, if one is left."""
    if absent not in record.tasks or not has_spare(record):
        return None
    return _settle(_with(record, replace(absent, state=TaskState.FAILED)), job, [])


def end(record: JobRecord, state: JobState) -> JobRecord | None:
    """Nothing is kept of it but that it was there."""
    if record.state is not JobState.OPEN:
        return None
    return JobRecord(record.digest, record.workers, record.expires, state, record.place, record.size)


def has_spare(record: JobRecord) -> bool:
    """Whether somebody could still step in."""
    return any(task.state is TaskState.SPARE for task in record.tasks)


def _settle(record: JobRecord, job: str, changes: list[Change]) -> Settled | None:
    """Call spares for those that failed, and end the question when nothing is left to wait for."""
    states = [task.state for task in record.tasks]
    done = states.count(TaskState.DONE)
    live = states.count(TaskState.WAITING) + states.count(TaskState.LEASED)
    spares = [task for task in record.tasks if task.state is TaskState.SPARE]
    for spare in spares[: max(0, record.workers - done - live)]:
        record = _with(record, replace(spare, state=TaskState.WAITING, beat=spare.beat + 1))
        changes.append(Change(job, "spare", spare.node))
        live += 1
    if done < record.workers and live:
        return record, changes
    ended = end(record, JobState.DONE if done else JobState.FAILED)
    changes.append(Change(job, "done" if done else "failed"))
    return (ended, changes) if ended else None


def _with(record: JobRecord, changed: TaskRecord) -> JobRecord:
    return replace(
        record, tasks=tuple(changed if task.node == changed.node else task for task in record.tasks)
    )
