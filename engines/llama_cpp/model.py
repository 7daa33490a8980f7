"""A model in memory: evaluates tokens, remembers which ones it has read, and picks the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engines.errors import EngineError
from engines.gguf import GgufHeader
from engines.llama_cpp import loading, native
from engines.llama_cpp.adapters import Adapters
from engines.llama_cpp.constraint import ConstrainedSampler
from engines.llama_cpp.native import AbortSwitch
from engines.llama_cpp.prefix_cache import LEAST_TOKENS, PrefixCache, SavedState
from engines.llama_cpp.sampling import Sampler
from engines.llama_cpp.state_buffer import state_buffer
from engines.llama_cpp.vocabulary import Vocabulary, common_prefix
from engines.memory import available_memory
from engines.protocol import LoadOptions, LoraAdapter, Sampling

_ABORTED = 2  # llama_decode: "aborted (processed ubatches will remain in the context's memory)"
_FULL = 1  # "could not find a KV slot for the batch"
_LEAST_FREE_BYTES = 256 << 20
"""With less free memory on the device, saved conversations are given up."""


class Aborted(Exception):
    """The abort switch was pressed."""


class ContextFull(Exception):
    """There is no room for another token."""


class LoadedModel:
    """One model with one conversation in its memory, and others put aside.

    One caller at a time: a second one ends the process.
    """

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
            self._adapters = Adapters(library, self._model, header.architecture)
            self._adapters.load(options.adapters)
            self._context: Any = loading.make_context(library, self._model, header, options)
        except EngineError:
            library.llama_model_free(self._model)
            raise
        self._default_adapters = options.adapters
        self._batch_tokens = options.batch_tokens
        self._switch = switch
        switch.connect(library, self._context)
        self._memory = library.llama_get_memory(self._context)
        self.vocabulary = Vocabulary(library, self._model)
        self.context_tokens: int = library.llama_n_ctx(self._context)
        self._tokens: list[int] = []
        """What the context holds, in order."""
        self._variant: tuple[LoraAdapter, ...] = ()
        """The adapters that it was read with."""
        self.prefix_cache = PrefixCache(options.prefix_cache_bytes)
        # Recurrent models hold one state for the whole past, of which no part can be forgotten.
        self._forgets = not (
            library.llama_model_is_recurrent(self._model) or library.llama_model_is_hybrid(self._model)
        )
        # A saved state has only the last window of the layers with sliding windows: going back in it would
        # silently read a hole.
        self._slides = library.llama_model_n_swa(self._model) > 0
        self._least = 0
        """How far back the context can go."""
        available_memory()  # the first call is the slow one
        # Reused for every generated token, so that a step costs two calls and nothing else.
        self._next = (library.llama_token * 1)()
        self._next_batch = library.llama_batch_get_one(self._next, 1)
        self._decode = library.llama_decode
        self.use(options.adapters)

    @property
    def full(self) -> bool:
        """Whether no further token fits into the context."""
        return len(self._tokens) >= self.context_tokens

    def use(self, adapters: tuple[LoraAdapter, ...] | None) -> None:
        """Read and write with these adapters from now on; `None` means those of the load options.

        Raises:
            AdapterUnusable: a file is missing, or is no adapter for this model.
        """
        wanted = self._default_adapters if adapters is None else adapters
        if wanted == self._variant:
            return
        self._adapters.load(wanted)
        if len(self._tokens) >= LEAST_TOKENS:
            self._put_aside()
        self._forget(0)
        self._adapters.apply(self._context, wanted)
        self._variant = wanted

    def rewind(self, prompt: list[int]) -> int:
        """Keep, or bring back, what is known of a prompt; returns how many of its tokens that are.

        What the context held of another conversation is put aside. At least one token is left to be read,
        since the next one is chosen after reading.
        """
        wanted = prompt[: len(prompt) - 1]
        kept = common_prefix(self._tokens, wanted)
        if kept < self._least or (kept < len(self._tokens) and not self._forgets):
            kept = 0
        self.spare_memory()
        found = self.prefix_cache.take(
            wanted,
            self._variant,
            longer_than=kept + LEAST_TOKENS,
            whole=self._slides or not self._forgets,
        )
        if len(self._tokens) - kept >= LEAST_TOKENS:
            self._put_aside()
            kept = min(kept, len(self._tokens))
        if found is not None:
            state, length = found
            kept = length if self._bring_back(state) else 0
        return self._forget(kept)

    def read(self, tokens: Sequence[int], progress: Callable[[], None]) -> None:
        """Evaluate tokens of a prompt; `progress` is called after each batch.

        Raises:
            Aborted: the switch was pressed; whole batches that were read stay.
            ContextFull: they do not fit.
        """
        for start in range(0, len(tokens), self._batch_tokens):
            batch = list(tokens[start : start + self._batch_tokens])
            buffer = (self._library.llama_token * len(batch))(*batch)
            result = self._decode(self._context, self._library.llama_batch_get_one(buffer, len(batch)))
            if result:
                self._fail(result)
            self._tokens += batch
            progress()

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
        return Sampler(self._library, self._context, self.vocabulary, sampling)

    def constrained_sampler(self, sampling: Sampling, grammar: str) -> ConstrainedSampler:
        """The same, held to a grammar; raises `OptionRejected` where it is none."""
        sampler = self.sampler(sampling)
        return ConstrainedSampler(self._library, self._context, self.vocabulary, sampler, grammar)

    def spare_memory(self) -> None:
        """Give saved conversations up where the device runs short of memory."""
        if available_memory() < _LEAST_FREE_BYTES:
            self.prefix_cache.clear()

    def free(self) -> None:
        """Give all memory back. Nothing may be called afterwards."""
        self.prefix_cache.clear()
        self._library.llama_free(self._context)
        self._library.llama_model_free(self._model)

    def _fail(self, result: int) -> None:
        self._forget(len(self._tokens))
        if result == _ABORTED or self._switch.pressed:
            raise Aborted
        if result == _FULL:
            raise ContextFull
        raise RuntimeError(f"llama_decode returned {result}")

    def _put_aside(self) -> None:
        """Save what the context holds, or as much of its beginning as the cache can take."""
        library, cache = self._library, self.prefix_cache
        if self._slides:
            # The same prompt again needs its last token to be read, but cannot go back by one.
            self._forget(len(self._tokens) - 1)
        if cache.holds(self._tokens, self._variant):
            return
        size = library.llama_state_seq_get_size(self._context, 0)
        if size > cache.most_bytes:
            length = len(self._tokens) * cache.most_bytes // size
            if not self._forgets or length < LEAST_TOKENS:
                return
            self._forget(length)
            size = library.llama_state_seq_get_size(self._context, 0)
        if available_memory() - size < _LEAST_FREE_BYTES:
            cache.clear()
            return
        content = state_buffer(size)
        if library.llama_state_seq_get_data(self._context, content, size, 0) == size:
            cache.add(SavedState(list(self._tokens), self._variant, content, size))

    def _bring_back(self, state: SavedState) -> bool:
        """Put a saved state into the context; if that fails, the context is empty."""
        done = self._library.llama_state_seq_set_data(self._context, state.content, state.size, 0)
        self._tokens = list(state.tokens)
        self._least = len(self._tokens) if self._slides else 0
        if done != state.size:
            self._forget(0)
        return bool(done == state.size)

    def _forget(self, length: int) -> int:
        """Forget everything behind `length` tokens, or, where the model cannot, everything."""
        if length < self._least or not self._library.llama_memory_seq_rm(self._memory, 0, length, -1):
            self._library.llama_memory_clear(self._memory, True)  # noqa: FBT003
            length = self._least = 0
        del self._tokens[length:]
        return length
