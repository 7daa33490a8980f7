"""Brings events from the channel's threads to the coroutine that waits for them, and notices silence."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from engines.llama_cpp.messages import Alive, Event, Text, Thought


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a runtime before it counts as stuck. In seconds."""

    life: float = 30.0
    """Without any sign of life: its process is frozen."""
    work: float = 600.0
    """Without progress in its work. A weak machine needs minutes for one batch of a prompt."""


class Silence:
    """Measures how long a runtime has been silent, in time during which this program itself was running."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.step = min(1.0, patience.life / 4, patience.work / 4)
        self._life = self._work = 0.0
        self._checked = monotonic()

    def broken_by(self, event: Event) -> None:
        """Something was heard."""
        self._life = 0.0
        if not isinstance(event, Alive):
            self._work = 0.0

    def begin(self) -> None:
        """New work begins."""
        self._life = self._work = 0.0
        self._checked = monotonic()

    def too_long(self) -> str:
        """Call every `step` seconds; says what is missing, once patience has ended.

        A laptop that was asleep, or an event loop that was blocked, adds two steps at most.
        """
        now = monotonic()
        passed = min(now - self._checked, 2 * self.step)
        self._checked = now
        self._life += passed
        self._work += passed
        if self._life > self._patience.life:
            return f"no sign of life for {self._life:.0f} s"
        if self._work > self._patience.work:
            return f"no progress for {self._work:.0f} s"
        return ""


class Inbox:
    """The events of one request. `put` may be called from any thread."""

    def __init__(self, silence: Silence) -> None:
        self.complete = asyncio.Event()
        """The last event of the request is here, read or not."""
        self._loop = asyncio.get_running_loop()
        self._silence = silence
        self._events: deque[Event] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._stuck = ""

    def put(self, event: Event) -> None:
        """Add an event."""
        self._events.append(event)
        with suppress(RuntimeError):  # the event loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._wake)
            if not isinstance(event, (Text, Thought)):
                self._loop.call_soon_threadsafe(self.complete.set)

    async def get(self) -> Event:
        """The next event; text that has piled up comes as one.

        Raises:
            TimeoutError: the runtime has been silent for too long; says in what way.
        """
        while not self._events:
            self._waiter = self._loop.create_future()
            timer = self._loop.call_later(self._silence.step, self._look)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
            if self._stuck:
                raise TimeoutError(self._stuck)
        event = self._events.popleft()
        if isinstance(event, (Text, Thought)):
            kind, texts = type(event), [event.text]
            while self._events and type(self._events[0]) is kind:
                following = self._events.popleft()
                texts.append(following.text)  # type: ignore[union-attr]
            return kind(event.id, "".join(texts))
        return event

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _look(self) -> None:
        self._stuck = self._silence.too_long()
        self._wake()
