"""The engine that the app sees: like llama.cpp's, but several answers run at once."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from engines.llama_cpp.engine import LlamaCppEngine
from engines.llama_cpp.inbox import Patience
from engines.llama_cpp.process_channel import ProcessChannel
from engines.llama_cpp.turns import Turn
from engines.protocol import LoadOptions, Prompt
from engines.xllamacpp.server import ANSWERS_AT_ONCE
from engines.xllamacpp.turns import SeveralTurns
from engines.xllamacpp.window import claim

_PATIENCE = Patience()


class XllamacppEngine(LlamaCppEngine):
    """A model run by xllamacpp in a child process. Make one with `engines.opening.open_engine`.

    Up to four answers are worked on together and share the context window: a prompt waits until there is room
    for it and for the longest answer that it allows; an answer without a limit ends when all is full.
    Priorities decide who waits, not who is paused.
    """

    def __init__(self, path: Path, options: LoadOptions, patience: Patience = _PATIENCE) -> None:
        super().__init__(path, options, partial(ProcessChannel, program="engines.xllamacpp.child"), patience)
        self._turns: SeveralTurns = SeveralTurns(ANSWERS_AT_ONCE)

    def cancel(self) -> None:
        """End the most urgent answers that run, or the one that waits and is more urgent than they are.

        To end one of several, close its stream.
        """
        turns = self._turns.to_end()
        for running in list(self._running.values()):
            if running.turn in turns:
                self._end(running)

    async def _queued(self, turn: Turn, prompt: Prompt) -> None:
        """The count is not exact for models that think; the runtime counts again and waits by itself."""
        if prompt.completion is None:
            tokens = await self.count_tokens(prompt.messages)
        else:
            tokens = sum(await self.count_texts([prompt.completion]))
        tokens += sum(await self.count_texts([prompt.answer_start] if prompt.answer_start else []))
        window = self.info.context_tokens
        hopeless = tokens >= window  # the runtime refuses it, and nobody is to wait for that
        size = 0 if hopeless else claim(tokens, prompt.sampling.max_tokens, window)
        self._turns.fits(turn, size, window)
