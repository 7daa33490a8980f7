"""How much a text surprises a model: the mean of -ln p over its tokens, whose exponential is the perplexity.

A text is cut into windows, and every token counts but the first few of each window, which have too little
before them to be foreseen. llama.cpp's program `llama-perplexity` lets only the second half of each window
count, which needs texts of a megabyte; here a text of some pages must do, on a phone, in a minute.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from engines.compression.jobs import JobFailed, Measure, Measured, Progress
from engines.errors import EngineError
from engines.llama_cpp import cores, loading, native
from engines.llama_cpp.vocabulary import Vocabulary
from engines.protocol import LoadOptions

_CONTEXT_TOKENS = 32
"""Tokens at the beginning of a window that do not count."""
_SCORED_AT_ONCE = 32
"""Tokens whose probabilities are kept at once: a row of a vocabulary of 262,144 takes 1 MiB."""


def measure(job: Measure, progress: Progress) -> Measured | JobFailed:
    """Load the model and let it foresee the texts."""
    library = native.load_library()
    try:
        header = loading.check_file(Path(os.fsdecode(job.model)))
        # All cores would be faster on an idle machine, and slower by a factor of 50 on a busy one.
        threads = cores.generation_threads(cores.physical_cores())
        # One way to round on all devices, so that their figures can be compared.
        options = LoadOptions(
            context_tokens=job.window, threads=threads, prompt_threads=threads, flash_attention=True
        )
        model = loading.load_model(library, header, options, lambda: None)
        try:
            context = loading.make_context(library, model, header, options)
        except EngineError:
            library.llama_model_free(model)
            raise
    except EngineError as error:
        return JobFailed(type(error).__name__, error.details)
    try:
        return _measure_all(_Reader(library, model, context), job, progress)
    finally:
        library.llama_free(context)
        library.llama_model_free(model)


class _Reader:
    """Reads windows of tokens and tells how probable each of the later ones was."""

    def __init__(self, library: ModuleType, model: Any, context: Any) -> None:
        self._library = library
        self._context = context
        self.vocabulary = Vocabulary(library, model)
        self.window: int = library.llama_n_ctx(context)

    def surprise(self, tokens: list[int], start: int) -> float:
        """The sum of -ln p of `tokens[start:]`, each given all before it."""
        library = self._library
        library.llama_memory_clear(library.llama_get_memory(self._context), True)  # noqa: FBT003
        self._decode(tokens[: start - 1], 0, scored=False)
        total = 0.0
        for begin in range(start - 1, len(tokens) - 1, _SCORED_AT_ONCE):
            batch = tokens[begin : min(begin + _SCORED_AT_ONCE, len(tokens) - 1)]
            self._decode(batch, begin, scored=True)
            for index in range(len(batch)):
                row = library.llama_get_logits_ith(self._context, index)
                logits = np.ctypeslib.as_array(row, (self.vocabulary.size,)).astype(np.float64)
                highest = logits.max()
                log_sum = highest + np.log(np.exp(logits - highest).sum())
                total += float(log_sum - logits[tokens[begin + index + 1]])
        return total

    def _decode(self, tokens: list[int], position: int, *, scored: bool) -> None:
        if not tokens:
            return
        library = self._library
        batch = library.llama_batch_init(len(tokens), 0, 1)
        try:
            batch.n_tokens = len(tokens)
            for index, token in enumerate(tokens):
                batch.token[index] = token
                batch.pos[index] = position + index
                batch.n_seq_id[index] = 1
                batch.seq_id[index][0] = 0
                batch.logits[index] = scored
            if result := library.llama_decode(self._context, batch):
                raise RuntimeError(f"llama_decode returned {result}")
        finally:
            library.llama_batch_free(batch)


def _measure_all(reader: _Reader, job: Measure, progress: Progress) -> Measured:
    vocabulary, window = reader.vocabulary, reader.window
    texts = [vocabulary.tokens(text, special=False) for text in job.texts]
    # The first place of every window belongs to the token that begins a text, where the model knows one.
    head = [vocabulary.bos] if vocabulary.adds_bos else []
    all_windows = [list(_windows(tokens, window - len(head))) for tokens in texts]
    steps, done = sum(map(len, all_windows)), 0
    counts, means = [], []
    for windows in all_windows:
        total, count = 0.0, 0
        for tokens, start in windows:
            total += reader.surprise(head + tokens, len(head) + start)
            count += len(tokens) - start
            done += 1
            progress(done / steps)
        counts.append(count)
        means.append(total / count if count else math.nan)
    return Measured(tuple(counts), tuple(means))


def _windows(tokens: list[int], window: int) -> Iterator[tuple[list[int], int]]:
    """Each window's tokens, and the first of them that counts. A very short text counts by half."""
    context = max(1, min(_CONTEXT_TOKENS, len(tokens) // 2, window // 2))
    for start in range(0, len(tokens), window):
        part = tokens[start : start + window]
        if len(part) > context:
            yield part, context
