"""One question while its answers come: what is shown, who is waited for, and for how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from app.core.errors import NobodyAnswered
from app.core.events import Asked, Replaced, Token
from app.core.network.panel import Panel, Seat
from app.core.provenance import Provenance, ReplyState
from app.core.redaction import Placeholder, restore
from network.asked import AskedQuestion, Refused, Said
from network.protocol import frames
from network.protocol.content import AnswerText
from network.protocol.jobs import JobProgress

SILENCE_SECONDS = 60.0
"""Without a new word of anybody: the answer does not come to its end any more."""
COMPARE_AT_LEAST_SECONDS = 8.0
COMPARE_SHARE = 0.5
"""The others are waited for half as long again as the leader has taken."""


_NO_WORDS = AnswerText(text="")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    first_words: float
    silence: float = SILENCE_SECONDS
    compare_at_least: float = COMPARE_AT_LEAST_SECONDS
    compare_share: float = COMPARE_SHARE


class Listening:
    """Hears the answers to one question and tells them as events."""

    def __init__(
        self,
        asked: AskedQuestion,
        panel: Panel,
        provenance: Provenance,
        placeholders: tuple[Placeholder, ...],
        patience: Patience,
        *,
        first_only: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`first_only`: the first whole answer will do, nobody is compared with it."""
        self.panel = panel
        self.provenance = provenance
        self.ended = False
        """Whether the router has said all there is."""
        self.first_words_seconds: float | None = None
        self._asked = asked
        self._placeholders = placeholders
        self._patience = patience
        self._first_only = first_only
        self._clock = clock
        self._began = self._heard = clock()
        self._said = ""
        self._told: tuple[object, ...] = ()
        self._leader_done: float | None = None

    async def events(
        self, messages: AsyncGenerator[bytes, None], stopped: asyncio.Event
    ) -> AsyncGenerator[Token | Replaced | Asked, None]:
        """Until enough have answered, nobody is waited for any more, or `stopped` is set.

        Raises:
            NobodyAnswered: no words came in time, or the last ones too long ago.
            NetworkError: what `messages` raises.
        """
        stop = asyncio.ensure_future(stopped.wait())
        waiting: asyncio.Future[bytes] | None = None
        try:
            while not (self._enough() or stopped.is_set()):
                waiting = waiting or asyncio.ensure_future(anext(messages))
                due: set[asyncio.Future[Any]] = {waiting, stop}
                await asyncio.wait(due, timeout=self._wait(), return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    heard, waiting = waiting, None
                    try:
                        self._hear(heard.result())
                    except StopAsyncIteration:
                        self.ended = True
                        return
                for event in self._news():
                    yield event
                self._check_patience()
        finally:
            stop.cancel()
            if waiting is not None:
                waiting.cancel()
                await asyncio.wait({waiting})

    def show(self, seat: Seat, text: str | None = None) -> list[Token | Replaced]:
        """What turns the words that are shown into those of this device, or into its words in this form."""
        whole = seat.state is ReplyState.WHOLE
        text = restore(seat.text if text is None else text, self._placeholders, unfinished=not whole)
        said, self._said = self._said, text
        if text == said:
            return []
        return [Token(text[len(said) :])] if text.startswith(said) else [Replaced(text)]

    @property
    def said(self) -> str:
        """The words that are shown."""
        return self._said

    def _hear(self, data: bytes) -> None:
        now = self._clock()
        message = frames.to_asker(data)
        if isinstance(message, JobProgress):
            self._progress(message)
            return
        news = self._asked.hear(data)
        if news is None:
            return
        self.panel.hear(news, now)
        if not (isinstance(news, Said) and news.part == _NO_WORDS):
            self._heard = now
        if isinstance(news, Said) and news.node in self._asked.receipts:
            self.panel.receipted(self._asked.receipts[news.node][1])
        if isinstance(news, Refused) and self._asked.complete(news.node):
            self.panel.declined(news.node)  # a whole answer whose receipt is wrong counts for nothing

    def _progress(self, progress: JobProgress) -> None:
        if progress.event in ("declined", "spare") and progress.node is not None:
            if progress.event == "declined":
                self.panel.declined(progress.node)
            elif (called := self.panel.seats.get(progress.node)) is not None:
                called.spare = False
        self.provenance = self._with(position=progress.position)

    def _news(self) -> list[Token | Replaced | Asked]:
        now = self._clock()
        leader = self.panel.leader(now)
        events: list[Token | Replaced | Asked] = []
        if leader is not None:
            events += self.show(leader)
            if self._said and self.first_words_seconds is None:
                self.first_words_seconds = now - self._began
            if leader.state is ReplyState.WHOLE and self._leader_done is None:
                self._leader_done = now
        elif self._said:
            self._said = ""
            events.append(Replaced(""))
            self._leader_done = None
        states = tuple(seat.state for seat in self.panel.seats.values())
        told = leader.node if leader else "", states, self.provenance.position
        if told != self._told:
            self._told = told
            self.provenance = self._with(
                shown=told[0],
                replies=tuple(seat.reply() for seat in self.panel.seats.values() if self._counts(seat)),
                comparing=self._leader_done is not None and not self._enough(),
            )
            events.append(Asked(self.provenance))
        return events

    def _enough(self) -> bool:
        if self.panel.done or (self._first_only and self.panel.whole):
            return True
        return self._leader_done is not None and self._clock() >= self._compare_until(self._leader_done)

    def _compare_until(self, leader_done: float) -> float:
        longest = (leader_done - self._began) * self._patience.compare_share
        return leader_done + max(self._patience.compare_at_least, longest)

    def _wait(self) -> float:
        """Seconds until something is due though nobody says anything."""
        now = self._clock()
        if self._leader_done is not None:
            return max(0.0, self._compare_until(self._leader_done) - now)
        due = self._began + self._patience.first_words
        if self._said:
            due = self._heard + self._patience.silence
        decides = self.panel.decides_at
        if decides is not None and not self._said and decides > now:
            due = min(due, decides)
        return max(0.0, due - now)

    def _check_patience(self) -> None:
        now = self._clock()
        if self._leader_done is not None:
            return
        if not self._said and now >= self._began + self._patience.first_words:
            raise NobodyAnswered
        if self._said and now >= self._heard + self._patience.silence:
            raise NobodyAnswered

    def _counts(self, seat: Seat) -> bool:
        """A spare that nobody has called was not really asked."""
        return not seat.spare or seat.state is not ReplyState.ASKED

    def _with(self, **changes: object) -> Provenance:
        return msgspec.structs.replace(self.provenance, **changes)
