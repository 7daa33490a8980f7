"""A complete engine from another package: it answers every question with the words of a text file.

To make your own: copy this folder, rename it, let `open` load your model, let `stream` run it, and install it
with `pip install ./your-folder` beside DAI. `dai doctor` then names it, and `open_engine(file)` finds it by
itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from time import perf_counter

from engines.errors import EngineNotLoaded, ModelFileMissing, NotAModel, PromptTooLong
from engines.protocol import (
    Delta,
    Done,
    Engine,
    Finish,
    LoadOptions,
    Message,
    ModelInfo,
    Prompt,
    TextDelta,
    Usage,
)
from engines.registry import Source
from engines.remote.connection import ServerAccess

_SUFFIX = ".recitation"
_TOKEN = re.compile(r"\s*\S+|\s+$")


class Recitation:
    """The kind of engine: what DAI finds in this package's metadata."""

    name = "recitation"

    def can_open(self, source: Source) -> bool:
        """Whether it is a text to recite."""
        return isinstance(source, Path) and source.suffix == _SUFFIX

    async def open(self, source: Source, options: LoadOptions, access: ServerAccess) -> Engine:
        """Read the file; raises only errors of `engines.errors`."""
        path = Path(source)
        try:
            text = await asyncio.to_thread(path.read_text, "utf-8")
        except FileNotFoundError:
            raise ModelFileMissing(path) from None
        except (OSError, UnicodeDecodeError) as error:
            raise NotAModel(path, type(error).__name__) from None
        return RecitingEngine(path, text, options)


RECITATION = Recitation()


class RecitingEngine:
    """The engine: has the methods of `engines.protocol.Engine`, and inherits from nothing."""

    def __init__(self, path: Path, text: str, options: LoadOptions) -> None:
        self._tokens = _TOKEN.findall(text)
        self._turn = asyncio.Lock()
        self._cancelled = False
        self._closed = False
        self._info = ModelInfo(
            path=path,
            name=path.stem,
            architecture="text",
            family="recitation",
            context_tokens=options.context_tokens,
            trained_context_tokens=options.context_tokens,
            can_think=False,
            has_chat_template=True,
        )

    @property
    def info(self) -> ModelInfo:
        return self._info

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        async with self._turn:  # one prompt at a time; the others wait here
            prompt_tokens = await self.count_tokens(prompt.messages)
            if prompt_tokens > self._info.context_tokens:
                raise PromptTooLong(prompt_tokens, self._info.context_tokens)
            began, self._cancelled, said = perf_counter(), False, 0
            finish = Finish.END_OF_TURN
            for token in self._tokens[len(_TOKEN.findall(prompt.answer_start)) :]:
                if prompt.sampling.max_tokens is not None and said >= prompt.sampling.max_tokens:
                    finish = Finish.MAX_TOKENS
                    break
                yield TextDelta(token)
                said += 1
                await asyncio.sleep(0)  # others may run, and call cancel
                if self._cancelled:
                    finish = Finish.CANCELLED
                    break
            yield Done(finish, Usage(prompt_tokens, 0, said, 0.0, perf_counter() - began))

    def cancel(self) -> None:
        self._cancelled = True

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        return sum(await self.count_texts([message.content for message in messages]))

    async def count_texts(self, texts: Sequence[str]) -> list[int]:
        if self._closed:
            raise EngineNotLoaded
        return [len(_TOKEN.findall(text)) for text in texts]

    async def close(self) -> None:
        self._closed = self._cancelled = True
