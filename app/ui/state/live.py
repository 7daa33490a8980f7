"""Answers being written: they belong to the process, the sessions only watch them.

So an answer goes on when its window shows something else, is reloaded or closed, and two
windows on one conversation see the same words.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from enum import StrEnum

from app.core.answering import Answering
from app.core.events import (
    Asked,
    Event,
    Failed,
    Finished,
    Replaced,
    Retrieved,
    Started,
    Stopped,
    Thinking,
    Token,
)
from app.core.messages import ChatMessage
from app.core.models import Models
from app.core.provenance import Provenance

FLUSH_SECONDS = 0.05
"""Watchers hear of new words at most twenty times a second: more only costs frames."""


class Phase(StrEnum):
    """What happens before the first word."""

    SEARCHING = "searching"
    ASKING = "asking"
    """Other devices are."""
    WAITING = "waiting"
    LOADING = "loading"
    READING = "reading"
    WRITING = "writing"


class LiveAnswer:
    """One answer while it is written."""

    def __init__(self, started: Started, models: Models, *, asks_documents: bool) -> None:
        self.question = started.question
        self.answer = started.answer
        self.text = started.answer.text
        self.thinking = started.answer.thinking
        self.error: Exception | None = None
        self.finished = False
        self.provenance: Provenance | None = None
        self._models = models
        self._searching = asks_documents and not started.answer.text
        self._watchers: set[asyncio.Event] = set()

    @property
    def phase(self) -> Phase:
        """What happens now."""
        if self._searching:
            return Phase.SEARCHING
        if self.text or self.thinking:
            return Phase.WRITING
        if self.provenance is not None and not self.provenance.fallback:
            return Phase.ASKING
        if self._models.loading is not None:
            return Phase.LOADING
        return Phase.READING if self._models.loaded is not None else Phase.WAITING

    async def watch(self) -> AsyncIterator[None]:
        """Yield now, and whenever something changed; ends after the answer's last change."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            while True:
                finished = self.finished
                yield
                if finished:
                    return
                await changed.wait()
                changed.clear()
                await asyncio.sleep(0 if self.finished else FLUSH_SECONDS)
        finally:
            self._watchers.discard(changed)

    def apply(self, event: Event) -> None:
        """Take over what happened."""
        match event:
            case Started():
                pass
            case Retrieved():
                self._searching = False
            case Thinking(text):
                self.thinking += text
            case Token(text):
                self._searching = False
                self.text += text
            case Replaced(text):
                self.text = text
            case Asked(provenance):
                self._searching = False
                self.provenance = provenance
            case Finished(answer) | Stopped(answer):
                self._finish(answer)
            case Failed(answer, error):
                self.error = error
                self._finish(answer)
        self.touch()

    def touch(self) -> None:
        """Tell the watchers that something changed."""
        for changed in self._watchers:
            changed.set()

    def _finish(self, answer: ChatMessage) -> None:
        self.answer, self.text, self.thinking = answer, answer.text, answer.thinking
        self.provenance = answer.provenance
        self.finished = True


class LiveAnswers:
    """All answers being written in this process."""

    def __init__(self, answering: Answering, models: Models) -> None:
        self._answering = answering
        self._models = models
        self._live: dict[int, LiveAnswer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: list[Callable[[int], None]] = []
        models.subscribe(self._models_changed)

    def get(self, conversation_id: int) -> LiveAnswer | None:
        """The answer being written in this conversation."""
        return self._live.get(conversation_id)

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener` with a conversation's id when its answer begins and when it has ended."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def start(
        self, conversation_id: int, events: AsyncIterator[Event], *, asks_documents: bool
    ) -> None:
        """Let an answer begin; returns as soon as question and answer are stored.

        Raises:
            AppError: it was refused, see `Answering`.
        """
        started = await anext(aiter(events))
        if not isinstance(started, Started):
            raise TypeError("an answer begins with Started")
        live = LiveAnswer(started, self._models, asks_documents=asks_documents)
        self._live[conversation_id] = live
        task = asyncio.create_task(self._run(conversation_id, live, events))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._tell(conversation_id)

    def stop(self, conversation_id: int) -> None:
        """Stop the answer of this conversation; its text stays."""
        self._answering.stop(conversation_id)

    async def close(self) -> None:
        """Stop all answers and wait until they are stored."""
        for conversation_id in list(self._live):
            self.stop(conversation_id)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, conversation_id: int, live: LiveAnswer, events: AsyncIterator[Event]) -> None:
        try:
            async for event in events:
                live.apply(event)
        finally:
            live.finished = True
            live.touch()
            del self._live[conversation_id]
            self._tell(conversation_id)

    def _tell(self, conversation_id: int) -> None:
        for listener in list(self._listeners):
            listener(conversation_id)

    def _models_changed(self) -> None:
        for live in self._live.values():
            live.touch()
