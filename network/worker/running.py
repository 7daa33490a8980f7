"""Answers from their lease until the router says that it has all of them, also over several connections.

Each part is sealed once and kept as it left: after a broken connection the very same parts are sent again
from where the router says, never sealed anew, so that no key ever meets two texts under one nonce.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress

from network.errors import LinkClosed
from network.link import Link
from network.protocol.answers import AnswerChunk, AnswerStart
from network.protocol.jobs import Grant, Lease
from network.protocol.message import Message, encode
from network.protocol.registration import Resumption, Welcome

log = logging.getLogger(__name__)

MOST_NAMED = 64
"""A worker that comes back names so many answers at most."""
_MOST_UNCONFIRMED = 16
"""Whole answers that are kept until the router confirms them; it forgets none unless it does not want to."""


class RunningAnswer:
    """One answer; what it says goes out in order, and waits while there is no connection."""

    def __init__(self, lease: Lease, link: Link) -> None:
        self.lease = lease
        self.grant: Grant | None = None
        """Of the question, once all of the answer is sealed."""
        self.given_back = False
        """Whether its owner has stopped it, so that the router has to be told."""
        self.task: asyncio.Task[None]
        self._said: list[AnswerStart | AnswerChunk] = []
        self._link: Link | None = link
        self._next = 0
        self._turn = asyncio.Lock()

    @property
    def parts(self) -> int:
        """How many parts are sealed."""
        return max(0, len(self._said) - 1)

    @property
    def whole(self) -> bool:
        """Whether the last part is among them."""
        last = self._said[-1] if self._said else None
        return isinstance(last, AnswerChunk) and last.last

    async def send(self, message: Message) -> None:
        """Say it, now or when the worker is back; signs of life are for now only."""
        if isinstance(message, AnswerStart | AnswerChunk):
            self._said.append(message)
            await self.flush()
        elif self._link is not None:
            with suppress(LinkClosed):
                await self._link.send(encode(message))

    async def flush(self) -> None:
        """Send what is due."""
        async with self._turn:
            while (link := self._link) is not None and self._next < len(self._said):
                try:
                    await link.send(encode(self._said[self._next]))
                except LinkClosed:
                    if self._link is link:
                        self._link = None
                    continue
                if self._link is link:
                    self._next += 1

    def attach(self, link: Link, next_index: int) -> None:
        """Go on at this part over this connection."""
        self._link, self._next = link, next_index + 1 if next_index else 0

    def detach(self) -> None:
        """The connection has gone."""
        self._link = None


class RunningAnswers:
    """All answers of a worker to one router's questions. Belongs to one event loop."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.session: str | None = None
        """What the router has called the last connection."""
        self.on_end: Callable[[RunningAnswer], None] = lambda _: None
        """Told of every answer that is no longer worked on."""
        self._sleep = sleep
        self._kept: dict[tuple[str, int], RunningAnswer] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._giving_up: asyncio.Task[None] | None = None
        self._flushing: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        """How many are worked on."""
        return sum(not answer.task.done() for answer in self._kept.values())

    @property
    def away(self) -> bool:
        """Whether some wait for the next connection."""
        return self._giving_up is not None and bool(self._kept)

    def at(self, job: str) -> bool:
        """Whether an answer to this question is worked on."""
        return bool(self._of(job))

    async def idle(self) -> None:
        """Wait until none is worked on."""
        await self._idle.wait()

    def begin(
        self, lease: Lease, link: Link, work: Callable[[RunningAnswer], Coroutine[None, None, None]]
    ) -> None:
        """Answer a question; a later attempt at one that runs takes its place."""
        self.cancel(lease.job)
        answer = self._kept[lease.job, lease.attempt] = RunningAnswer(lease, link)
        self._idle.clear()
        answer.task = asyncio.create_task(work(answer))
        answer.task.add_done_callback(lambda _: self._ended(answer))

    def cancel(self, job: str) -> None:
        """Nobody waits for it any more."""
        for answer in self._of(job):
            answer.task.cancel()

    def give_back(self) -> None:
        """Stop all: the owner needs the device."""
        for answer in self._kept.values():
            if not answer.task.done():
                answer.given_back = True
                answer.task.cancel()

    def confirmed(self, job: str, attempt: int) -> Grant | None:
        """The router has all of an answer; the question's grant, if it was one that counts."""
        answer = self._kept.get((job, attempt))
        if answer is None or not answer.whole:
            return None
        del self._kept[job, attempt]
        return answer.grant

    def resumptions(self) -> tuple[Resumption, ...]:
        """What to go on with after a broken connection."""
        return tuple(
            Resumption(job=job, attempt=attempt, next_index=answer.parts)
            for (job, attempt), answer in list(self._kept.items())[:MOST_NAMED]
        )

    def take_up(self, link: Link, welcome: Welcome) -> None:
        """Go on over this connection with what the router says, and forget the rest."""
        self._stop_giving_up()
        self.session = welcome.session
        named = {(one.job, one.attempt): one.next_index for one in welcome.next_index}
        for key, answer in list(self._kept.items()):
            if named.get(key, answer.parts + 1) > answer.parts:
                self._drop(key)
                continue
            answer.attach(link, named[key])
            flushing = asyncio.create_task(answer.flush())
            self._flushing.add(flushing)
            flushing.add_done_callback(self._flushing.discard)

    def leave(self, grace_seconds: float) -> None:
        """The connection is broken; after so long without another one, all is given up."""
        for answer in self._kept.values():
            answer.detach()
        self._stop_giving_up()
        if self._kept:
            self._giving_up = asyncio.create_task(self._give_up(grace_seconds))

    async def stop(self) -> None:
        """Give all up at once, and wait for the engines to stop."""
        self._stop_giving_up()
        self.session = None
        tasks = {answer.task for answer in self._kept.values()} | self._flushing
        for key in list(self._kept):
            self._drop(key)
        for flushing in self._flushing:
            flushing.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _give_up(self, seconds: float) -> None:
        await self._sleep(seconds)
        log.info("%d answers are given up: no connection to their router", len(self._kept))
        for key in list(self._kept):
            self._drop(key)
        self.session = self._giving_up = None

    def _stop_giving_up(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None

    def _drop(self, key: tuple[str, int]) -> None:
        answer = self._kept.pop(key)
        answer.detach()
        answer.task.cancel()

    def _of(self, job: str) -> list[RunningAnswer]:
        return [
            answer for answer in self._kept.values() if answer.lease.job == job and not answer.task.done()
        ]

    def _ended(self, answer: RunningAnswer) -> None:
        if not answer.task.cancelled() and (error := answer.task.exception()):
            log.error("an answer for another device ended: %s", type(error).__name__)
        key = answer.lease.job, answer.lease.attempt
        if self._kept.get(key) is answer and not answer.whole:
            del self._kept[key]
        whole = [key for key, kept in self._kept.items() if kept.whole]
        for late in whole[: max(0, len(whole) - _MOST_UNCONFIRMED)]:
            del self._kept[late]
        if not self.running:
            self._idle.set()
        self.on_end(answer)
