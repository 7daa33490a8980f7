"""Answers on their way to their askers, at whatever router these listen.

All parts of all answers lie in one stream on the server, and a part's place in it is its number: who comes
back with the last number goes on there, at this router or at another, also after a restart of the server.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable

from network.broker.nats.connection import NatsConnection
from network.broker.nats.feed import Feed, News
from network.broker.nats.records import JobRecord
from network.broker.progress import progress
from network.broker.protocol import Claim, Frame, JobState, Passed


class AnswerStream:
    """Frames of all questions."""

    def __init__(
        self, connection: NatsConnection, stands: Callable[[str], Awaitable[JobRecord | None]]
    ) -> None:
        """`stands` tells how a question stands."""
        self._connection = connection
        self._stands = stands
        self._listening: dict[str, set[Feed]] = {}

    async def emit(self, job: str, data: bytes) -> None:
        """Keep and pass on. When this returns, a listener hears it before the end."""
        await self._connection.put(self._connection.names.answer(job), data)

    def end(self, job: str) -> None:
        """Nothing follows; listeners end when they have heard everything."""
        for feed in self._listening.get(job, ()):
            feed.nudge()

    async def listen(self, job: str, after: int) -> AsyncGenerator[Frame, None]:
        """Frames after this number, until the end."""
        names = self._connection.names
        feed = self._connection.follow(names.answers, names.answer(job), after)
        self._listening.setdefault(job, set()).add(feed)
        last: int | None = None
        try:
            feed.nudge()  # it may have ended already
            while last is None or (feed.position or 0) < last:
                news = await feed.next()
                if isinstance(news, News):
                    yield Frame(news.sequence, news.data)
                elif last is None:
                    last = await self._last_of_ended(job)
        finally:
            self._listening[job].discard(feed)
            if not self._listening[job]:
                del self._listening[job]
            await feed.close()

    async def passed(self, claim: Claim) -> Passed:
        """How far the answer of this attempt is."""
        names = self._connection.names
        feed = self._connection.follow(names.answers, names.answer(claim.job), after=0)
        passed = Passed()
        try:
            while isinstance(news := await feed.next(), News):
                passed = progress(passed, news.data, claim)
                if news.pending == 0:
                    break
        finally:
            await feed.close()
        return passed

    async def _last_of_ended(self, job: str) -> int | None:
        """The number of the last part, if the question has ended."""
        record = await self._stands(job)
        if record is not None and record.state is JobState.OPEN:
            return None
        found = await self._connection.last(
            self._connection.names.answers, self._connection.names.answer(job)
        )
        return found.sequence if found else 0
