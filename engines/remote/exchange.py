"""Asks a server for an answer, in other words or again where that helps, and reads what it sends."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from engines.errors import EngineError, OptionRejected, RemoteAnswerBroken, RemoteIncompatible
from engines.protocol import Prompt
from engines.remote import refusals
from engines.remote.connection import Connection, Reply
from engines.remote.dialect import Dialect
from engines.remote.event_stream import EventStream, TooLong
from engines.remote.wire import Chunk, Fault, decode_chunk

Pause = Callable[[float], Awaitable[object]]

_PATH = "/chat/completions"
_MOST_WORDINGS = 8
_MOST_ATTEMPTS = 3
_LONGEST_PAUSE = 10.0
_END_MARK = b"[DONE]"


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is known of a prompt before it is sent."""

    prompt_tokens: int
    """An estimate."""
    context_tokens: int
    """The model's window."""


class Exchange:
    """Questions to one model of one server.

    Args:
        connection: the way to the server.
        model: the model's name there.
        pause: waits before a busy server is asked again.
    """

    def __init__(self, connection: Connection, model: str, pause: Pause) -> None:
        self._connection = connection
        self._host = connection.server.host
        self._model = model
        self._pause = pause
        self._dialect = Dialect()

    async def chunks(self, prompt: Prompt, sizes: Sizes) -> AsyncGenerator[Chunk, None]:
        """The pieces of an answer.

        Args:
            prompt: what to ask.
            sizes: for the error of a prompt that is too long, where the server does not tell.

        Raises:
            RemoteError, PromptTooLong, TemplateFailed: see `engines.remote.engine.RemoteEngine.stream`.
            OptionRejected: the server does not take the form that the answer shall have.
        """
        pauses = 0
        for _ in range(_MOST_WORDINGS):
            body = self._dialect.body(self._model, prompt)
            async with self._connection.post(_PATH, body) as reply:
                if reply.ok:
                    async with aclosing(self._read(reply, prompt, sizes)) as chunks:
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
            raise self._refusal(status, fault, prompt, sizes)
        raise RemoteIncompatible(self._host, "refuses every wording")

    async def _read(self, reply: Reply, prompt: Prompt, sizes: Sizes) -> AsyncGenerator[Chunk, None]:
        if reply.content_type == "application/json":  # it does not stream
            yield self._decode(await reply.whole(), prompt, sizes)
            return
        if reply.content_type != "text/event-stream":
            raise RemoteIncompatible(self._host, "neither an event stream nor JSON")
        events = EventStream()
        finished = False
        async with aclosing(_data(reply, events)) as data:
            try:
                async for content in data:
                    if content.strip() == _END_MARK:
                        return
                    chunk = self._decode(content, prompt, sizes)
                    finished = finished or any(choice.finish_reason for choice in chunk.choices or ())
                    yield chunk
            except TooLong:
                raise RemoteAnswerBroken(self._host, "an event without end") from None
            except RemoteAnswerBroken:
                if not finished:
                    raise
        if not finished:
            raise RemoteAnswerBroken(self._host, "the stream broke off")

    def _decode(self, content: bytes, prompt: Prompt, sizes: Sizes) -> Chunk:
        try:
            chunk = decode_chunk(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise RemoteAnswerBroken(self._host, "no chunk of an answer") from None
        if chunk.error:
            fault = chunk.error if isinstance(chunk.error, Fault) else Fault(message=chunk.error)
            if (status := _status(fault)) or refusals.is_too_long(fault):
                raise self._refusal(status, fault, prompt, sizes)
            raise RemoteAnswerBroken(self._host, "an error within the answer")
        return chunk

    def _refusal(self, status: int, fault: Fault, prompt: Prompt, sizes: Sizes) -> EngineError:
        if prompt.response is not None and status in (400, 422) and not refusals.is_too_long(fault):
            return OptionRejected("response", f"HTTP {status}")
        return refusals.refusal(
            self._host,
            self._model,
            status,
            fault,
            prompt_tokens=sizes.prompt_tokens,
            context_tokens=sizes.context_tokens,
        )


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
