"""The engine for a model on another computer: several answers at once, none of them on this device."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engines.errors import (
    EngineNotLoaded,
    OptionRejected,
    RemoteAnswerBroken,
    RemoteBusy,
    RemoteError,
    RemoteIncompatible,
    RemoteRefused,
    RemoteUnreachable,
    RemoteUntrusted,
)
from engines.llama_cpp.sampling import check_sampling
from engines.protocol import Delta, Finish, LoadOptions, Message, ModelInfo, Prompt
from engines.remote import estimate, refusals
from engines.remote.address import ServerAddress
from engines.remote.answer import AnswerReader
from engines.remote.connection import NO_KEY, Connection, Reply, ServerAccess
from engines.remote.dialect import Dialect
from engines.remote.event_stream import EventStream, TooLong
from engines.remote.models import RemoteModel, ask_for_models
from engines.remote.wire import Chunk, Fault, decode_chunk

log = logging.getLogger(__name__)

T = TypeVar("T")
Pause = Callable[[float], Awaitable[object]]

_PATH = "/chat/completions"
_MOST_WORDINGS = 8
_MOST_ATTEMPTS = 3
_LONGEST_PAUSE = 10.0
_SECONDS_FOR_USAGE = 3.0
_END_MARK = b"[DONE]"


class _Cancelled(Exception):
    """`cancel` was called."""


@dataclass(eq=False, slots=True)
class _Call:
    """One answer under way."""

    step: asyncio.Future[Any] | None = None
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True
        if self.step is not None:
            self.step.cancel()

    async def wait_for(self, work: Awaitable[T]) -> T:
        """Await something; `cancel` ends that with `_Cancelled`."""
        step = asyncio.ensure_future(work)
        self.step = step
        try:
            if self.cancelled:
                step.cancel()
            return await step
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if self.cancelled and not (waiting and waiting.cancelling()):
                raise _Cancelled from None
            raise
        finally:
            self.step = None


class RemoteEngine:
    """A model of a server that speaks OpenAI's chat protocol. Make one with `engines.opening.open_engine`.

    `cancel` ends all answers that run; to end one of several, close its stream.
    """

    def __init__(
        self,
        server: ServerAddress,
        model: str,
        options: LoadOptions,
        access: ServerAccess = NO_KEY,
        *,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._model = model
        self._options = options
        self._connection = Connection(server, access)
        self._dialect = Dialect()
        self._pause = pause
        self._calls: set[_Call] = set()
        self._closed = False
        self._info = self._describe(None)

    @property
    def server(self) -> ServerAddress:
        """Where the prompts go."""
        return self._connection.server

    @property
    def info(self) -> ModelInfo:
        """The model, as far as its server tells."""
        return self._info

    async def open(self) -> None:
        """See whether the server is there and takes the key; sends nothing else.

        Raises:
            RemoteUnreachable, RemoteUntrusted, RemoteRefused, RemoteBusy: see `engines.errors`.
        """
        try:
            models = await ask_for_models(self._connection)
        except (RemoteUnreachable, RemoteUntrusted, RemoteRefused, RemoteBusy):
            raise
        except RemoteError as error:
            # Not every server has a list, and some keep it incomplete; the first answer will tell.
            log.info("no list of models: %s", type(error).__name__)
            models = []
        self._info = self._describe(next((model for model in models if model.id == self._model), None))

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """See `engines.protocol.Engine.stream`.

        Raises:
            RemoteError: the leaf says what is wrong with the server or the way to it.
            PromptTooLong, TemplateFailed, OptionRejected: as for models on this device.
            EngineNotLoaded: the engine has been closed.
        """
        check_sampling(prompt.sampling)
        if prompt.completion is not None:
            raise OptionRejected("completion", "servers are asked for chats")
        if self._closed:
            raise EngineNotLoaded
        call = _Call()
        self._calls.add(call)
        answer = AnswerReader(self.server.host, prompt)
        try:
            async with aclosing(self._chunks(prompt)) as chunks:
                async for chunk in _patiently(chunks, call, answer):
                    for delta in answer.take(chunk):
                        yield delta
                    if answer.complete_here:
                        break  # the server need not go on
            for delta in answer.end(Finish.END_OF_TURN):
                yield delta
        except _Cancelled:
            for delta in answer.end(Finish.CANCELLED):
                yield delta
        except RemoteError:
            for delta in answer.end(Finish.CANCELLED):
                yield delta
            raise
        finally:
            self._calls.discard(call)
        yield answer.done(self._info.context_tokens)

    def cancel(self) -> None:
        """See `engines.protocol.Engine.cancel`. The server notices that nobody listens any more."""
        for call in self._calls:
            call.cancel()

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        """Roughly the tokens of these messages. Nothing is sent for that."""
        self._check_open()
        return estimate.message_tokens(messages)

    async def count_texts(self, texts: Sequence[str]) -> list[int]:
        """Roughly the tokens of each text. Nothing is sent for that."""
        self._check_open()
        return [estimate.text_tokens(text) for text in texts]

    async def close(self) -> None:
        """See `engines.protocol.Engine.close`. Running answers end as if cancelled."""
        if not self._closed:
            self._closed = True
            self.cancel()
            await self._connection.close()

    def _check_open(self) -> None:
        if self._closed:
            raise EngineNotLoaded

    def _describe(self, listed: RemoteModel | None) -> ModelInfo:
        trained = (listed.context_tokens if listed else None) or self._options.context_tokens
        return ModelInfo(
            path=Path(),
            name=self._model,
            architecture="",
            family="remote",
            context_tokens=min(trained, self._options.context_tokens),
            trained_context_tokens=trained,
            can_think=False,
            has_chat_template=True,
            host=None if self.server.local else self.server.host,
        )

    async def _chunks(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """Ask, in other words or again where that helps, and read the answer's chunks."""
        pauses = 0
        for _ in range(_MOST_WORDINGS):
            body = self._dialect.body(self._model, prompt)
            async with self._connection.post(_PATH, body) as reply:
                if reply.ok:
                    async with aclosing(self._read(reply, prompt)) as chunks:
                        async for chunk in chunks:
                            yield chunk
                    return
                status, retry_after = reply.status, reply.retry_after
                fault = refusals.read_fault(await reply.beginning())
            if not refusals.is_too_long(fault):
                if self._dialect.learn(status, fault, body):
                    continue
                if refusals.can_pass(status, fault) and pauses < _MOST_ATTEMPTS - 1:
                    pauses += 1
                    if (seconds := _pause_seconds(retry_after, pauses)) is not None:
                        await self._pause(seconds)
                        continue
            raise self._refusal(status, fault, prompt)
        raise RemoteIncompatible(self.server.host, "refuses every wording")

    async def _read(self, reply: Reply, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        host = self.server.host
        if reply.content_type == "application/json":  # it does not stream
            yield self._decode(await reply.whole(), prompt)
            return
        if reply.content_type != "text/event-stream":
            raise RemoteIncompatible(host, "neither an event stream nor JSON")
        events = EventStream()
        finished = False
        async with aclosing(_data(reply, events)) as data:
            try:
                async for content in data:
                    if content.strip() == _END_MARK:
                        return
                    chunk = self._decode(content, prompt)
                    finished = finished or any(choice.finish_reason for choice in chunk.choices or ())
                    yield chunk
            except TooLong:
                raise RemoteAnswerBroken(host, "an event without end") from None
            except RemoteAnswerBroken:
                if not finished:
                    raise
        if not finished:
            raise RemoteAnswerBroken(host, "the stream broke off")

    def _decode(self, content: bytes, prompt: Prompt) -> Chunk:
        try:
            chunk = decode_chunk(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise RemoteAnswerBroken(self.server.host, "no chunk of an answer") from None
        if chunk.error:
            fault = chunk.error if isinstance(chunk.error, Fault) else Fault(message=chunk.error)
            if (status := _status(fault)) or refusals.is_too_long(fault):
                raise self._refusal(status, fault, prompt)
            raise RemoteAnswerBroken(self.server.host, "an error within the answer")
        return chunk

    def _refusal(self, status: int, fault: Fault, prompt: Prompt) -> Exception:
        return refusals.refusal(
            self.server.host,
            self._model,
            status,
            fault,
            prompt_tokens=estimate.message_tokens(prompt.messages),
            context_tokens=self._info.context_tokens,
        )


async def _patiently(
    chunks: AsyncGenerator[Chunk, None], call: _Call, answer: AnswerReader
) -> AsyncIterator[Chunk]:
    """The chunks until they end, or for a moment longer once the answer is complete: usage comes last."""
    loop = asyncio.get_running_loop()
    deadline: float | None = None
    while True:
        if answer.finish is not None and deadline is None:
            deadline = loop.time() + _SECONDS_FOR_USAGE
        try:
            async with asyncio.timeout_at(deadline):
                chunk = await call.wait_for(anext(chunks, None))
        except TimeoutError:
            return
        if chunk is None:
            return
        yield chunk


async def _data(reply: Reply, events: EventStream) -> AsyncGenerator[bytes, None]:
    async with aclosing(reply.pieces()) as pieces:
        async for piece in pieces:
            for content in events.feed(piece):
                yield content
    if (last := events.rest()) is not None:
        yield last


def _pause_seconds(retry_after: str, attempt: int) -> float | None:
    """How long to wait before asking again; `None` where that is too long for somebody who waits."""
    if re.fullmatch(r"\d{1,6}(\.\d{1,3})?", retry_after.strip()):
        seconds = float(retry_after)
        return seconds if seconds <= _LONGEST_PAUSE else None
    return None if retry_after else 0.5 * 2**attempt


def _status(fault: Fault) -> int:
    """The status that an error within a stream would have had; 0 where it does not tell."""
    code = str(fault.code or "")
    return int(code) if re.fullmatch(r"[45]\d\d", code) else 0
