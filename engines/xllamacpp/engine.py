"""The engine that the app sees: like llama.cpp's, but several answers run at once."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from engines.llama_cpp.engine import LlamaCppEngine
from engines.llama_cpp.inbox import Patience
from engines.llama_cpp.process_channel import ProcessChannel
from engines.protocol import LoadOptions
from engines.xllamacpp.server import ANSWERS_AT_ONCE
from engines.xllamacpp.turns import SeveralTurns

_PATIENCE = Patience()


class XllamacppEngine(LlamaCppEngine):
    """A model run by xllamacpp in a child process. Make one with `engines.opening.open_engine`.

    Up to four answers are worked on together and share the context window; further prompts wait. Priorities
    decide who waits, not who is paused.
    """

    def __init__(self, path: Path, options: LoadOptions, patience: Patience = _PATIENCE) -> None:
        super().__init__(path, options, partial(ProcessChannel, program="engines.xllamacpp.child"), patience)
        self._turns: SeveralTurns = SeveralTurns(ANSWERS_AT_ONCE)

    def cancel(self) -> None:
        """End all answers that run; to end one of several, close its stream."""
        for running in list(self._running.values()):
            if running.turn in self._turns.holders:
                self._end(running)
