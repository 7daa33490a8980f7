"""One connection of a worker to a router, from `hello` to `bye`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Literal, TypeVar

from network.answered import AnsweredQuestions
from network.errors import Goodbye, LinkClosed, MessageError, MessageInvalid, NetworkError
from network.keys import DeviceKeys
from network.link import Link
from network.protocol import frames
from network.protocol.answers import AnswerAcknowledged
from network.protocol.groups import Membership
from network.protocol.jobs import Cancel, Decline, DeclineReason, Lease
from network.protocol.message import Message, Signed, encode
from network.protocol.presence import Bye, Pause, Presence
from network.protocol.registration import Challenge, Hello, Welcome
from network.registration import prove
from network.worker.answerer import Answerer
from network.worker.answering import LeasedQuestion
from network.worker.running import RunningAnswer, RunningAnswers

log = logging.getLogger(__name__)

T = TypeVar("T")

ANSWER_SECONDS = 20.0
"""A router that does not answer for so long while a worker registers is given up."""
GOODBYE_SECONDS = 2.0
_SILENT_PINGS = 2.5
_MOST_UNSAID = 256
"""Of answers to leases that nobody asked for: a router that goes on does not listen."""


class WorkerSession:
    """A worker while it is connected. `pause` may be called at any time.

    It answers the members of its groups, and strangers where it is `public`; without both, nobody.
    """

    def __init__(
        self,
        keys: DeviceKeys,
        card: Signed,
        answerer: Answerer,
        answered: AnsweredQuestions,
        *,
        slots: int,
        origin: str,
        invite: str = "",
        memberships: tuple[Membership, ...] = (),
        public: bool = False,
        answers: RunningAnswers | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`answers` outlive this connection, for the next one; without, all of them end with it."""
        self._keys = keys
        self._answerer = answerer
        self._answered = answered
        self._slots = slots
        self._origin = origin
        self._outlive = answers is not None
        self._answers = answers or RunningAnswers()
        self._hello = Hello(
            card=card,
            invite=invite,
            memberships=memberships,
            public=public,
            session=self._answers.session,
            answers=self._answers.resumptions() if self._answers.session else (),
        )
        self._wall = wall
        self._pause: Pause = ""
        self._link: Link | None = None
        self._welcomed = asyncio.Event()
        self._draining = False
        self._said_goodbye = False
        self._to_say: list[Message] = []
        self._changed = asyncio.Event()

    @property
    def running(self) -> int:
        """How many questions it is at."""
        return self._answers.running

    @property
    def registered(self) -> bool:
        """Whether the router has welcomed it."""
        return self._welcomed.is_set()

    async def welcomed(self) -> None:
        """Wait until the router has welcomed it; for ever, if it never does."""
        await self._welcomed.wait()

    def pause(self, reason: Pause) -> None:
        """Take no more questions, or go on where `reason` is empty. What runs goes on: see `stop_all`."""
        self._pause = reason
        self._changed.set()

    async def drain(self) -> None:
        """Take no more questions on this connection, and wait until none runs."""
        self._draining = True
        self._changed.set()
        await self._answers.idle()

    def stop_all(self) -> None:
        """Stop what runs: its owner needs the device. The router gives the questions to others."""
        self._answers.give_back()

    async def leave(self, reason: Literal["sleep", "quit", "restart"]) -> None:
        """Say goodbye and end the connection; `run` ends with it. Others get what runs, at once."""
        if (link := self._link) is None:
            return
        self._said_goodbye = True
        with contextlib.suppress(LinkClosed, TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await link.send(encode(Bye(reason=reason)))
        await link.close()

    async def cut(self) -> None:
        """End the connection without a word: the next one goes on with what runs."""
        if self._link is not None:
            await self._link.close()

    async def run(self, link: Link) -> None:
        """Register and answer until the connection ends.

        Raises:
            LinkClosed: the connection has ended; Goodbye if the router said so.
            MessageError: the router does not speak this protocol, or a later version of it.
        """
        self._link = link
        welcome = await self._register(link)
        self._answers.on_end = self._ended
        self._answers.take_up(link, welcome)
        self._welcomed.set()
        log.info("registered with a router")
        end: NetworkError = LinkClosed()
        broken = False
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tell(link, welcome.ping_seconds / 2))
                tasks.create_task(self._listen(link, welcome))
        except* Goodbye as goodbyes:
            end = _first(goodbyes)
        except* LinkClosed:
            broken = not self._said_goodbye and not isinstance(end, Goodbye)
        except* MessageError:
            end = MessageInvalid("the router sent what this version does not understand")
        finally:
            self._to_say.clear()
            if broken and self._outlive and welcome.grace_seconds:
                self._answers.leave(welcome.grace_seconds)
            else:
                await self._answers.stop()
            self._answers.on_end = lambda _: None
            await link.close()
        raise end

    async def _register(self, link: Link) -> Welcome:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await link.send(encode(self._hello))
                challenge = _expect(await link.receive(), Challenge)
                await link.send(encode(prove(challenge, self._origin, self._keys, int(self._wall()))))
                return _expect(await link.receive(), Welcome)
        except TimeoutError:
            await link.close()
            raise LinkClosed("the router does not answer") from None

    async def _tell(self, link: Link, every_seconds: float) -> None:
        """A presence now, at every change, and often enough to count as there."""
        while True:
            self._changed.clear()
            while self._to_say:
                await link.send(encode(self._to_say.pop(0)))
            pause = self._no_more
            credit = 0 if pause else max(0, self._slots - self.running)
            await link.send(encode(Presence(credit=credit, running=self.running, pause=pause)))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every_seconds):  # in Python 3.11 wait_for can lose a cancellation
                    await self._changed.wait()

    async def _listen(self, link: Link, welcome: Welcome) -> None:
        silence = welcome.ping_seconds * _SILENT_PINGS
        while True:
            try:
                async with asyncio.timeout(silence):
                    data = await link.receive()
            except TimeoutError:
                raise LinkClosed("silent for too long") from None
            message = frames.to_worker(data)
            match message:
                case Lease():
                    self._take(message, link, welcome)
                case Cancel():
                    self._answers.cancel(message.job)
                case AnswerAcknowledged():
                    if grant := self._answers.confirmed(message.job, message.attempt):
                        self._answered.add(grant, int(self._wall()))
                case Bye():
                    raise Goodbye(message.reason, message.retry_seconds)
                case _:
                    continue

    @property
    def _no_more(self) -> Pause:
        return self._pause or ("busy" if self._draining else "")

    def _take(self, lease: Lease, link: Link, welcome: Welcome) -> None:
        """Begin with a question, or say at once that it cannot be."""
        busy = self.running >= self._slots and not self._answers.at(lease.job)
        if self._no_more or busy:
            if len(self._to_say) >= _MOST_UNSAID:
                raise LinkClosed("sends and does not listen")
            no: DeclineReason = "paused" if self._no_more else "busy"
            self._to_say.append(Decline(job=lease.job, attempt=lease.attempt, reason=no))
            self._changed.set()
            return

        async def work(answer: RunningAnswer) -> None:
            question = LeasedQuestion(
                lease,
                self._keys,
                self._answerer,
                self._answered,
                sent=partial(setattr, answer, "grant"),
                # Also in the time for coming back: an old connection that ends late may have begun it again.
                renew_seconds=min(welcome.lease_seconds / 3, (welcome.grace_seconds or 600) / 2),
                wall=self._wall,
            )
            await question.run(answer.send)

        self._answers.begin(lease, link, work)
        self._changed.set()

    def _ended(self, answer: RunningAnswer) -> None:
        lease, failed = answer.lease, not answer.task.cancelled() and answer.task.exception()
        if failed or (answer.given_back and answer.task.cancelled()):
            no: DeclineReason = "failed" if failed else "paused"
            self._to_say.append(Decline(job=lease.job, attempt=lease.attempt, reason=no))
        self._changed.set()


def _expect(data: bytes, kind: type[T]) -> T:
    message = frames.to_worker(data)
    if isinstance(message, Bye):
        raise Goodbye(message.reason, message.retry_seconds)
    if not isinstance(message, kind):
        raise MessageInvalid("not the message that was due")
    return message


def _first(errors: BaseExceptionGroup[NetworkError]) -> NetworkError:
    """One of the errors that ended the tasks of a connection; they say the same."""
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, NetworkError) else LinkClosed()
