"""The engine that the app sees: one queue before one runtime, which is started again when it has died."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

from engines.errors import EngineCrashed, EngineNotLoaded, EngineStuck
from engines.llama_cpp import failures
from engines.llama_cpp.channel import Channel, StartChannel
from engines.llama_cpp.inbox import Inbox, Patience, Silence
from engines.llama_cpp.messages import (
    OPENING,
    Answer,
    Answered,
    Cancel,
    Counted,
    CountMessages,
    CountTexts,
    Ended,
    Event,
    Failed,
    Open,
    Opened,
    Request,
    Text,
    Thought,
)
from engines.llama_cpp.sampling import check_sampling
from engines.protocol import (
    Delta,
    Done,
    Finish,
    LoadOptions,
    Message,
    ModelInfo,
    Prompt,
    TextDelta,
    ThinkingDelta,
    Usage,
)

log = logging.getLogger(__name__)

_SECONDS_TO_STOP = 2.0
_PATIENCE = Patience()


@dataclass(slots=True)
class _Running:
    """The answer whose turn it is."""

    id: int
    sent: bool = False
    cancelled: bool = False


class LlamaCppEngine:
    """A model run by llama.cpp. Make one with `engines.opening.open_engine`."""

    def __init__(
        self, path: Path, options: LoadOptions, start: StartChannel, patience: Patience = _PATIENCE
    ) -> None:
        self._path = path
        self._options = options
        self._start = start
        self._silence = Silence(patience)
        self._channel: Channel | None = None
        self._info: ModelInfo | None = None
        self._inboxes: dict[int, Inbox] = {}
        self._ids = count(OPENING + 1)
        self._turn = asyncio.Lock()
        self._starting = asyncio.Lock()
        self._running: _Running | None = None
        self._starts = 0
        self._closed = False

    @property
    def info(self) -> ModelInfo:
        """The loaded model."""
        if self._info is None:
            raise EngineNotLoaded
        return self._info

    async def open(self) -> None:
        """Put the model into memory, unless it is there.

        Raises:
            EngineError: see `engines.opening.open_engine`.
        """
        async with self._starting:
            if self._closed:
                raise EngineNotLoaded
            if self._channel is not None and self._channel.alive:
                return
            inbox = self._inboxes[OPENING] = Inbox(self._silence)
            try:
                self._starts += 1
                receive = partial(self._receive, self._starts)
                self._channel = await asyncio.to_thread(self._start, receive)
                if self._closed:
                    raise EngineNotLoaded
                event = await self._ask(Open(os.fsencode(self._path), self._options), inbox)
            except BaseException as error:
                await self._discard()
                if isinstance(error, EngineCrashed):
                    raise failures.while_opening(error, self._path) from error
                raise
            finally:
                self._inboxes.pop(OPENING, None)
            if isinstance(event, Opened):
                self._info = _info(self._path, event)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """See `engines.protocol.Engine.stream`."""
        check_sampling(prompt.sampling)
        if self._closed:
            raise EngineNotLoaded
        async with self._turn:
            running = self._running = _Running(next(self._ids))
            try:
                await self.open()
                if running.cancelled:
                    yield Done(Finish.CANCELLED, Usage(0, 0, 0, 0.0, 0.0))
                    return
                inbox = self._inboxes[running.id] = Inbox(self._silence)
                running.sent = True
                event = await self._ask(Answer(running.id, _encodable(prompt)), inbox)
                while not isinstance(event, Answered):
                    if isinstance(event, Text):
                        yield TextDelta(event.text)
                    elif isinstance(event, Thought):
                        yield ThinkingDelta(event.text)
                    event = await self._next(inbox)
                running.sent = False
                yield Done(event.finish, event.usage)
            finally:
                # Left early: the runtime is told, and the next prompt need not wait for its reply.
                if running.sent:
                    self._send(Cancel(running.id))
                self._inboxes.pop(running.id, None)
                self._running = None

    def cancel(self) -> None:
        """See `engines.protocol.Engine.cancel`."""
        if self._running is not None:
            self._running.cancelled = True
            if self._running.sent:
                self._send(Cancel(self._running.id))

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        """See `engines.protocol.Engine.count_tokens`. Does not wait for a running answer."""
        [number] = await self._count(CountMessages(next(self._ids), _encodable_messages(messages)))
        return number

    async def count_texts(self, texts: Sequence[str]) -> list[int]:
        """See `engines.protocol.Engine.count_texts`. Does not wait for a running answer."""
        if not texts:
            return []
        return await self._count(CountTexts(next(self._ids), tuple(map(_encodable_text, texts))))

    async def close(self) -> None:
        """See `engines.protocol.Engine.close`. A running answer ends as if cancelled."""
        if self._closed:
            return
        self._closed = True
        self.cancel()
        if self._running is not None and (inbox := self._inboxes.get(self._running.id)) is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS_TO_STOP):
                    await inbox.complete.wait()
        await self._discard()

    async def _count(self, request: CountMessages | CountTexts) -> list[int]:
        await self.open()
        inbox = self._inboxes[request.id] = Inbox(self._silence)
        try:
            event = await self._ask(request, inbox)
            while not isinstance(event, Counted):
                event = await self._next(inbox)
            return list(event.counts)
        finally:
            self._inboxes.pop(request.id, None)

    async def _ask(self, request: Request, inbox: Inbox) -> Event:
        self._silence.begin()
        self._send(request)
        return await self._next(inbox)

    async def _next(self, inbox: Inbox) -> Event:
        """The next event of a request; raises what went wrong with it."""
        try:
            event = await inbox.get()
        except TimeoutError as error:
            log.warning("engine stuck: %s", error)
            await self._discard()
            raise EngineStuck(str(error)) from error
        if isinstance(event, Failed):
            raise failures.restore(event, self._path)
        if isinstance(event, Ended):
            if self._closed:
                raise EngineNotLoaded
            raise EngineCrashed(event.details, event.signal)
        return event

    def _send(self, request: Request) -> None:
        if self._channel is not None:
            self._channel.send(request)

    def _receive(self, start: int, event: Event) -> None:
        """Called from the channel's threads; a channel that was replaced meanwhile is not heard."""
        if start != self._starts:
            return
        self._silence.broken_by(event)
        if isinstance(event, Ended):
            log.warning("engine process ended, signal %s", event.signal)
            self._channel = None
            for inbox in list(self._inboxes.values()):
                inbox.put(event)
        elif isinstance(event, Opened):
            self._put(OPENING, event)
        elif isinstance(event, (Text, Thought, Answered, Counted, Failed)):
            self._put(event.id, event)

    def _put(self, request_id: int, event: Event) -> None:
        if (inbox := self._inboxes.get(request_id)) is not None:
            inbox.put(event)

    async def _discard(self) -> None:
        """End the runtime, whatever it does; the next request starts another."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await asyncio.shield(asyncio.to_thread(channel.close))
            for inbox in self._inboxes.values():
                inbox.put(Ended())


def _info(path: Path, opened: Opened) -> ModelInfo:
    return ModelInfo(
        path=path,
        name=opened.name,
        architecture=opened.architecture,
        family=opened.family,
        context_tokens=opened.context_tokens,
        trained_context_tokens=opened.trained_context_tokens,
        can_think=opened.can_think,
        has_chat_template=opened.has_chat_template,
    )


def _encodable(prompt: Prompt) -> Prompt:
    return replace(
        prompt,
        messages=_encodable_messages(prompt.messages),
        stop=tuple(map(_encodable_text, prompt.stop)),
        answer_start=_encodable_text(prompt.answer_start),
    )


def _encodable_messages(messages: Sequence[Message]) -> tuple[Message, ...]:
    return tuple(replace(message, content=_encodable_text(message.content)) for message in messages)


def _encodable_text(text: str) -> str:
    """Half a surrogate pair, as a broken paste leaves it, has no UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
