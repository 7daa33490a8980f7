"""One question in the hands of a worker: opened, answered in sealed parts at fixed moments, and receipted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from network.answered import AnsweredQuestions
from network.chunks import AnswerSealer
from network.envelope import OpenedQuestion, open_question
from network.errors import MessageError, QuestionError, QuestionExpired, QuestionRepeated
from network.keys import DeviceKeys
from network.pacing import AnswerPacer
from network.protocol.content import AnswerCitation, AnswerEnd, AnswerFailed, AnswerText
from network.protocol.jobs import Decline, DeclineReason, Grant, Lease, Renew
from network.protocol.message import Message
from network.receipts import issue_receipt
from network.worker.answerer import Answerer, CannotAnswer, Written

log = logging.getLogger(__name__)

Send = Callable[[Message], Awaitable[None]]


class LeasedQuestion:
    """Works on one lease until the answer is sent, or says why not. Cancel `run` to stop."""

    def __init__(
        self,
        lease: Lease,
        keys: DeviceKeys,
        answerer: Answerer,
        answered: AnsweredQuestions,
        *,
        sent: Callable[[Grant], None],
        renew_seconds: float,
        wall: Callable[[], float],
    ) -> None:
        """`sent` is told when the whole answer is about to be; it counts when the router confirms it."""
        self._lease = lease
        self._keys = keys
        self._answerer = answerer
        self._answered = answered
        self._sent = sent
        self._renew_seconds = renew_seconds
        self._wall = wall

    async def run(self, send: Send) -> None:
        """Whatever happens is said to the router; `send` waits or keeps it while there is no connection."""
        now = int(self._wall())
        try:
            opened = open_question(self._lease.grant, self._lease.body, self._keys, now)
            self._answered.check(opened.grant)
        except (MessageError, QuestionError) as error:
            log.info("a question was not taken: %s", type(error).__name__)
            await send(self._decline(_reason(error)))
            return
        try:
            await self._answer(opened, send)
        except CannotAnswer as error:
            await send(self._decline("busy" if error.for_now else "unsuitable"))

    async def _answer(self, opened: OpenedQuestion, send: Send) -> None:
        """Words, sources and the end, in order; a part at every beat of the pacer, signs of life before."""
        sealer = AnswerSealer(opened.answer_secret, self._lease.job, self._keys.node, self._lease.attempt)
        pacer = AnswerPacer()
        written: Written | None = None
        started = time.monotonic()
        begun = False

        async def say(*parts: AnswerText | AnswerCitation | AnswerEnd | AnswerFailed) -> None:
            nonlocal begun
            if parts and not begun:
                await send(sealer.start)
                begun = True
            for part in parts:
                await send(sealer.seal(part))

        async with aclosing(self._answerer.answer(opened.question, opened.grant.identity)) as words:  # type: ignore[type-var]
            waiting: asyncio.Future[str | AnswerCitation | Written] | None = None
            try:
                while written is None:
                    waiting = waiting or asyncio.ensure_future(anext(words))
                    pause = (
                        self._renew_seconds if pacer.due is None else max(0.0, pacer.due - time.monotonic())
                    )
                    done, _ = await asyncio.wait({waiting}, timeout=pause)
                    if done:
                        said = waiting.result()
                        waiting = None
                        if isinstance(said, str):
                            pacer.add(said, time.monotonic())
                        elif isinstance(said, Written):
                            written = said
                        else:
                            await say(*pacer.rest(), said)
                    elif pacer.due is None:
                        await send(Renew(job=self._lease.job, attempt=self._lease.attempt))
                    await say(*pacer.take(time.monotonic()))
            except (CannotAnswer, asyncio.CancelledError):
                raise
            except Exception as error:  # noqa: BLE001 - engines fail in many ways; the asker must hear the end
                log.warning("an answer for another device failed: %s", type(error).__name__)
                await say(*pacer.rest(), AnswerFailed(reason="internal"))
                return
            finally:
                if waiting is not None:
                    waiting.cancel()
                    await asyncio.wait({waiting})
        await say(*pacer.rest())
        receipt = issue_receipt(
            opened.grant,
            self._keys.identity,
            attempt=self._lease.attempt,
            model=written.model,
            finish=written.finish,
            tokens=written.tokens,
            milliseconds=round((time.monotonic() - started) * 1000),
            transcript=sealer.transcript,
            now=int(self._wall()),
        )
        self._sent(opened.grant)
        await say(AnswerEnd(finish=written.finish, receipt=receipt))

    def _decline(self, reason: DeclineReason) -> Decline:
        return Decline(job=self._lease.job, attempt=self._lease.attempt, reason=reason)


def _reason(error: MessageError | QuestionError) -> DeclineReason:
    if isinstance(error, QuestionExpired):
        return "expired"
    return "repeated" if isinstance(error, QuestionRepeated) else "unreadable"
