"""The engine that the app sees: one queue before one runtime, which is started again when it has died."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

from engines.errors import EngineCrashed, EngineNotLoaded, EngineStuck
from engines.llama_cpp import failures
from engines.llama_cpp.channel import Channel, StartChannel
from engines.llama_cpp.file_stamp import FileStamp, any_overwritten, stamps_of
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
    Pause,
    Paused,
    Request,
    Resume,
    Text,
    Thought,
)
from engines.llama_cpp.sampling import check_sampling
from engines.llama_cpp.turns import Turn, Turns
from engines.protocol import (
    Delta,
    Done,
    Finish,
    Grammar,
    JsonSchema,
    LoadOptions,
    Message,
    ModelInfo,
    Prompt,
    TextDelta,
    ThinkingDelta,
    Usage,
)
from engines.split_files import parts_beside

log = logging.getLogger(__name__)

_SECONDS_TO_STOP = 2.0
_PATIENCE = Patience()


@dataclass(slots=True)
class _Running:
    """An answer that runs, waits for its turn, or is paused."""

    id: int
    turn: Turn
    loop: asyncio.AbstractEventLoop
    sent: bool = False
    """Whether the runtime has been told of it and has not yet ended it."""
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
        self._stamps: list[FileStamp] = []
        """Of the file, or its parts, as they were loaded."""
        self._inboxes: dict[int, Inbox] = {}
        self._ids = count(OPENING + 1)
        self._turns = Turns()
        self._running: dict[int, _Running] = {}
        self._starting = asyncio.Lock()
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
            if self._channel is not None:
                if self._channel.alive:
                    return
                await self._discard()  # whoever still waits for the dead one is told
            inbox = self._inboxes[OPENING] = Inbox(self._silence)
            try:
                self._starts += 1
                receive = partial(self._receive, self._starts)
                self._channel = await asyncio.to_thread(self._start, receive)
                if self._closed:
                    raise EngineNotLoaded
                self._stamps = await asyncio.to_thread(stamps_of, parts_beside(self._path))
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
        running = self._enter(prompt)
        try:
            await self._queued(running.turn, prompt)
            await running.turn.granted
            if not running.cancelled:
                await self._look_at_file()
                await self.open()
            if running.cancelled:
                yield Done(Finish.CANCELLED, Usage(0, 0, 0, 0.0, 0.0))
                return
            inbox = self._inboxes[running.id] = Inbox(self._silence)
            running.sent = True
            self._begin(Answer(running.id, _encodable(prompt)), inbox)
            if running.turn.giving_way:
                self._send(Pause(running.id))
            while not isinstance(event := await self._next(inbox), Answered):
                if isinstance(event, Text):
                    yield TextDelta(event.text)
                elif isinstance(event, Thought):
                    yield ThinkingDelta(event.text)
            yield Done(event.finish, event.usage, event.whole)
        finally:
            # Left early: the runtime is told, and the next prompt need not wait for its reply.
            if running.sent:
                self._send(Cancel(running.id))
            self._inboxes.pop(running.id, None)
            del self._running[running.id]
            self._turns.leave(running.turn)

    async def _look_at_file(self) -> None:
        """Let go of weights that were written over since they were loaded: they would end the process or,
        worse, answer nonsense. A file that was deleted or replaced lives on until it is let go."""
        if not self._options.use_mmap or self._channel is None:
            return
        if await asyncio.to_thread(any_overwritten, self._stamps):
            log.warning("the model's file was changed while it was in memory; it is loaded again")
            async with self._starting:
                await self._discard()

    def cancel(self) -> None:
        """See `engines.protocol.Engine.cancel`."""
        turn = self._turns.foremost()
        for running in list(self._running.values()):
            if running.turn is turn:
                self._end(running)

    def _enter(self, prompt: Prompt) -> _Running:
        """Queue up behind what is more urgent."""
        request_id = next(self._ids)

        def pause() -> None:
            if running.sent:
                self._send(Pause(request_id))

        def resume() -> None:
            if running.sent:
                self._silence.begin()
                self._send(Resume(request_id))
            else:  # its process died
                self._turns.leave(turn)

        turn = Turn(prompt.priority, prompt.group, pause, resume)
        running = self._running[request_id] = _Running(request_id, turn, asyncio.get_running_loop())
        self._turns.enter(turn)
        return running

    async def _queued(self, turn: Turn, prompt: Prompt) -> None:
        """A prompt waits for its turn; what the queue must know of it, it is told here."""

    def _end(self, running: _Running) -> None:
        running.cancelled = True
        if running.sent:
            self._send(Cancel(running.id))
        elif not running.turn.granted.done():
            running.turn.granted.set_result(None)
            self._turns.leave(running.turn)

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
        started = [
            running for running in self._running.values() if running.sent or running.turn.granted.done()
        ]
        for running in started:
            self._end(running)
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_STOP):
                for running in started:
                    if (inbox := self._inboxes.get(running.id)) is not None:
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
        self._begin(request, inbox)
        return await self._next(inbox)

    def _begin(self, request: Request, inbox: Inbox) -> None:
        self._silence.begin()
        self._send(request)
        if self._channel is None:  # it died after it was looked at, when nobody listened yet
            inbox.put(Ended())

    async def _next(self, inbox: Inbox) -> Event:
        """The next event of a request; raises what went wrong with it."""
        try:
            event = await inbox.get()
        except TimeoutError as error:
            log.warning("engine stuck: %s", error)
            await self._discard()
            raise EngineStuck(str(error)) from error
        if isinstance(event, Failed):
            failure = failures.restore(event, self._path)
            if isinstance(failure, EngineCrashed):  # it lives, but nobody knows in what state
                await self._discard()
            raise failure
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
            for running in list(self._running.values()):
                running.sent = False
            for inbox in list(self._inboxes.values()):
                inbox.put(event)
        elif isinstance(event, Opened):
            self._put(OPENING, event)
        elif isinstance(event, Paused):
            self._pass_on(event.id, self._turns.paused)
        elif isinstance(event, (Text, Thought, Answered, Counted, Failed)):
            self._put(event.id, event)
            if isinstance(event, (Answered, Failed)):
                self._pass_on(event.id, self._turns.leave)

    def _put(self, request_id: int, event: Event) -> None:
        if (inbox := self._inboxes.get(request_id)) is not None:
            inbox.put(event)

    def _pass_on(self, request_id: int, step: Callable[[Turn], None]) -> None:
        """Let the next answer begin, whether or not somebody reads this one."""
        if (running := self._running.get(request_id)) is None:
            return
        running.sent = step == self._turns.paused
        with suppress(RuntimeError):  # the event loop is closed
            running.loop.call_soon_threadsafe(step, running.turn)

    async def _discard(self) -> None:
        """End the runtime, whatever it does; the next request starts another."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await asyncio.shield(asyncio.to_thread(channel.close))
            for running in self._running.values():
                running.sent = False
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
        completion=None if prompt.completion is None else _encodable_text(prompt.completion),
        response=_encodable_form(prompt.response),
        group="",  # matters only on this side
    )


def _encodable_messages(messages: Sequence[Message]) -> tuple[Message, ...]:
    return tuple(replace(message, content=_encodable_text(message.content)) for message in messages)


def _encodable_form(form: JsonSchema | Grammar | None) -> JsonSchema | Grammar | None:
    match form:
        case JsonSchema():
            return JsonSchema(_encodable_text(form.schema))
        case Grammar():
            return Grammar(_encodable_text(form.text))
    return None


def _encodable_text(text: str) -> str:
    """Half a surrogate pair, as a broken paste leaves it, has no UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
