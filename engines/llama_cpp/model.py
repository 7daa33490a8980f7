"""A model in memory: evaluates tokens, remembers which ones it has read, and picks the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engines.errors import EngineError
from engines.gguf import GgufHeader
from engines.llama_cpp import loading, native
from engines.llama_cpp.native import AbortSwitch
from engines.llama_cpp.sampling import Sampler
from engines.llama_cpp.vocabulary import Vocabulary, common_prefix
from engines.protocol import LoadOptions, Sampling

_ABORTED = 2  # llama_decode: "aborted (processed ubatches will remain in the context's memory)"
_FULL = 1  # "could not find a KV slot for the batch"


class Aborted(Exception):
    """The abort switch was pressed."""


class ContextFull(Exception):
    """There is no room for another token."""


class LoadedModel:
    """One model with one conversation in its memory. One caller at a time: a second one ends the process."""

    def __init__(
        self,
        header: GgufHeader,
        options: LoadOptions,
        switch: AbortSwitch,
        progress: Callable[[], None] = lambda: None,
    ) -> None:
        """Load it; see `loading` for what may go wrong."""
        self._library = library = native.load_library()
        self._model: Any = loading.load_model(library, header, options, progress)
        try:
            self._context: Any = loading.make_context(library, self._model, header, options)
        except EngineError:
            library.llama_model_free(self._model)
            raise
        self._switch = switch
        switch.connect(library, self._context)
        self._memory = library.llama_get_memory(self._context)
        self.vocabulary = Vocabulary(library, self._model)
        self.context_tokens: int = library.llama_n_ctx(self._context)
        self._tokens: list[int] = []
        """What the context holds, in order."""
        # Reused for every generated token, so that a step costs two calls and nothing else.
        self._next = (library.llama_token * 1)()
        self._next_batch = library.llama_batch_get_one(self._next, 1)
        self._decode = library.llama_decode
        self._sample = library.llama_sampler_sample

    @property
    def full(self) -> bool:
        """Whether no further token fits into the context."""
        return len(self._tokens) >= self.context_tokens

    def rewind(self, prompt: Sequence[int]) -> int:
        """Keep what a prompt has in common with the last one; returns how many of its tokens that are.

        At least one token is left to be read, since the next one is chosen after reading.
        """
        return self._forget(min(common_prefix(self._tokens, prompt), len(prompt) - 1))

    def read(self, tokens: Sequence[int], progress: Callable[[], None]) -> None:
        """Evaluate tokens of a prompt; `progress` is called after each batch.

        Raises:
            Aborted: the switch was pressed; whole batches that were read stay.
            ContextFull: they do not fit.
        """
        for start in range(0, len(tokens), loading.BATCH_TOKENS):
            batch = list(tokens[start : start + loading.BATCH_TOKENS])
            buffer = (self._library.llama_token * len(batch))(*batch)
            result = self._decode(self._context, self._library.llama_batch_get_one(buffer, len(batch)))
            if result:
                self._fail(result)
            self._tokens += batch
            progress()

    def next_token(self, sampler: Sampler) -> int:
        """Choose the token that follows what was read last."""
        token: int = self._sample(sampler.chain, self._context, -1)
        return token

    def append(self, token: int) -> None:
        """Evaluate one more token.

        Raises:
            Aborted: the switch was pressed.
            ContextFull: there is no room.
        """
        self._next[0] = token
        result = self._decode(self._context, self._next_batch)
        if result:
            self._fail(result)
        self._tokens.append(token)

    def sampler(self, sampling: Sampling) -> Sampler:
        """A chain of samplers for this model."""
        return Sampler(self._library, self.vocabulary.size, sampling)

    def free(self) -> None:
        """Give all memory back. Nothing may be called afterwards."""
        self._library.llama_free(self._context)
        self._library.llama_model_free(self._model)

    def _fail(self, result: int) -> None:
        self._forget(len(self._tokens))
        if result == _ABORTED or self._switch.pressed:
            raise Aborted
        if result == _FULL:
            raise ContextFull
        raise RuntimeError(f"llama_decode returned {result}")

    def _forget(self, length: int) -> int:
        """Forget everything behind `length` tokens, or, where the model cannot, everything."""
        if not self._library.llama_memory_seq_rm(self._memory, 0, length, -1):
            # Recurrent models hold one state for the whole past.
            self._library.llama_memory_clear(self._memory, True)  # noqa: FBT003
            length = 0
        del self._tokens[length:]
        return length
