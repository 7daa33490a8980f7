"""Answers on their way through a router: passed on in order, from whom they are due."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from network.broker.protocol import Claim, JobState
from network.protocol.answers import AnswerAcknowledged, AnswerChunk, AnswerStart
from network.protocol.jobs import Cancel, Decline, JobProgress
from network.protocol.message import encode
from network.router.connected import ConnectedWorker
from network.router.desk import RouterDesk

_FINAL = frozenset({"unreadable", "expired", "repeated", "unsuitable"})
"""Reasons for which the same worker would decline again."""


class AnswerDesk:
    """What workers say about the questions that they hold. Belongs to one event loop."""

    def __init__(self, desk: RouterDesk, settle: Callable[[], None]) -> None:
        """`settle` is called whenever a worker holds one question less."""
        self._desk = desk
        self._settle = settle

    async def part(self, worker: ConnectedWorker, part: AnswerStart | AnswerChunk, data: bytes) -> None:
        """Pass a part on, if it is the next of an answer that is this worker's to give."""
        key = (part.job, part.attempt)
        due = worker.held.get(key)
        found = -1 if isinstance(part, AnswerStart) else part.index
        if due is None or part.node != worker.card.node or found != due:
            return  # of an attempt that is over, or sent twice
        if not await self.renew(worker, *key):
            return
        await self._desk.broker.emit(part.job, data)
        self._desk.counts["parts passed on"] += 1
        worker.held[key] = due + 1
        self._time(worker, part)
        if isinstance(part, AnswerChunk) and part.last:
            del worker.held[key]
            self._settle()
            await self.finish(worker, worker.claim(*key), part.index + 1)

    def _time(self, worker: ConnectedWorker, part: AnswerStart | AnswerChunk) -> None:
        """Note how long a first or last part has taken."""
        key = part.job, part.attempt
        handed = worker.handed.get(key)
        if handed is None or isinstance(part, AnswerStart):
            return
        seconds = self._desk.monotonic() - handed
        if part.index == 0:
            self._desk.timings.first_part.observe(seconds)
        if part.last:
            self._desk.timings.answer.observe(seconds)
            del worker.handed[key]

    async def finish(self, worker: ConnectedWorker, claim: Claim, parts: int) -> None:
        """All of an answer has been passed on; the worker may forget it."""
        if await self._desk.broker.finish(claim) is not None:
            self._desk.counts["answers finished"] += 1
        await worker.send(AnswerAcknowledged(job=claim.job, attempt=claim.attempt, next_index=parts))

    async def tell(
        self, job: str, event: Literal["handed_out", "declined"], worker: ConnectedWorker, attempt: int
    ) -> None:
        """A word to the asker between the parts of answers."""
        progress = JobProgress(job=job, event=event, node=worker.card.node, attempt=attempt)
        await self._desk.broker.emit(job, encode(progress))

    async def renew(self, worker: ConnectedWorker, job: str, attempt: int) -> bool:
        """False if the question is not the worker's any more, and tells it so."""
        if (job, attempt) in worker.held and await self._desk.broker.renew(worker.claim(job, attempt)):
            return True
        worker.held.pop((job, attempt), None)
        worker.handed.pop((job, attempt), None)
        self._settle()
        if not any(held == job for held, _ in worker.held):
            is_open = await self._desk.broker.state(job) is JobState.OPEN
            await worker.send(Cancel(job=job, reason="reassigned" if is_open else "enough"))
        return False

    async def declined(self, worker: ConnectedWorker, decline: Decline) -> None:
        """A worker gives a question back, or does not take it."""
        key = decline.job, decline.attempt
        if key not in worker.held:
            return
        self._desk.counts["questions declined"] += 1
        await self.tell(decline.job, "declined", worker, decline.attempt)
        await self._desk.broker.give_back(
            worker.claim(*key),
            final=decline.reason in _FINAL,
            wait_seconds=float(decline.retry_seconds),
        )
        # Last: if the connection ends meanwhile, the question still counts as its own, and is given back.
        worker.held.pop(key, None)
        worker.handed.pop(key, None)
        self._settle()
