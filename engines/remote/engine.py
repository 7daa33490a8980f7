"""The engine for a model on another computer: several answers at once, none of them on this device."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from engines.errors import (
    EngineNotLoaded,
    OptionRejected,
    RemoteBusy,
    RemoteError,
    RemoteRefused,
    RemoteUnreachable,
    RemoteUntrusted,
)
from engines.llama_cpp.sampling import check_sampling
from engines.protocol import Delta, Finish, Grammar, LoadOptions, Message, ModelInfo, Prompt
from engines.remote.address import ServerAddress
from engines.remote.answer import AnswerReader
from engines.remote.call import Call, Cancelled
from engines.remote.connection import NO_KEY, Connection, ServerAccess
from engines.remote.estimate import Estimate
from engines.remote.exchange import Exchange, Pause, Sizes
from engines.remote.models import RemoteModel, ask_for_models
from engines.remote.wire import Chunk

log = logging.getLogger(__name__)


_SECONDS_FOR_USAGE = 3.0


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
        self._exchange = Exchange(self._connection, model, pause)
        self._estimate = Estimate()
        self._calls: set[Call] = set()
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
        if isinstance(prompt.response, Grammar):
            raise OptionRejected("response", "servers take schemas, few of them grammars")
        if prompt.adapters:
            raise OptionRejected("adapters", "a server has its own")
        if self._closed:
            raise EngineNotLoaded
        call = Call()
        self._calls.add(call)
        sizes = Sizes(self._estimate.message_tokens(prompt.messages), self._info.context_tokens)
        answer = AnswerReader(self.server.host, prompt, sizes.prompt_tokens)
        try:
            async with (
                aclosing(self._exchange.chunks(prompt, sizes)) as chunks,
                aclosing(_patiently(chunks, call, answer)) as arriving,
            ):
                async for chunk in arriving:
                    for delta in answer.take(chunk):
                        yield delta
                    if answer.complete_here:
                        break  # the server need not go on
            for delta in answer.end(Finish.END_OF_TURN):
                yield delta
        except Cancelled:
            for delta in answer.end(Finish.CANCELLED):
                yield delta
        except RemoteError:
            for delta in answer.end(Finish.CANCELLED):
                yield delta
            raise
        finally:
            self._calls.discard(call)
            self._estimate.learn(prompt.messages, answer.counted_prompt)
        yield answer.done(self._info.context_tokens)

    def cancel(self) -> None:
        """See `engines.protocol.Engine.cancel`. The server notices that nobody listens any more."""
        for call in self._calls:
            call.cancel()

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        """Roughly the tokens of these messages. Nothing is sent for that."""
        self._check_open()
        return self._estimate.message_tokens(messages)

    async def count_texts(self, texts: Sequence[str]) -> list[int]:
        """Roughly the tokens of each text. Nothing is sent for that."""
        self._check_open()
        return [self._estimate.text_tokens(text) for text in texts]

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


async def _patiently(
    chunks: AsyncGenerator[Chunk, None], call: Call, answer: AnswerReader
) -> AsyncGenerator[Chunk, None]:
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
