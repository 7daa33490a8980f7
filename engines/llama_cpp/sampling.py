"""Turns sampling values into llama.cpp's chain of samplers."""

from __future__ import annotations

import ctypes
import math
import secrets
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from engines.errors import OptionRejected
from engines.llama_cpp.vocabulary import Vocabulary
from engines.options import DRY_ALLOWED_LENGTH, DRY_BASE, PENALISED_TOKENS, SAMPLING_LIMITS
from engines.protocol import Sampling

_DRY_BREAKERS = (b"\n", b":", b'"', b"*")
"""At these a new sequence begins: what a form repeats is no repetition."""


def check_sampling(sampling: Sampling) -> None:
    """Refuse what llama.cpp would take silently, or die of.

    Raises:
        OptionRejected: names the first value out of its range.
    """
    for option, (least, most) in SAMPLING_LIMITS.items():
        value = getattr(sampling, option)
        if value is not None and not (math.isfinite(value) and least <= value <= most):
            raise OptionRejected(option, f"{value} is not within {least} and {most}")


class Sampler:
    """A chain of samplers, complete with values for everything but `seed`; free it after use."""

    def __init__(self, library: ModuleType, context: Any, vocabulary: Vocabulary, sampling: Sampling) -> None:
        self._library = library
        self.chain: Any = library.llama_sampler_chain_init(library.llama_sampler_chain_default_params())
        self.choose: Callable[[], int] = partial(library.llama_sampler_sample, self.chain, context, -1)
        """The token that follows what was read last."""
        for part in _parts(library, vocabulary, sampling, library.llama_n_ctx(context)):
            library.llama_sampler_chain_add(self.chain, part)

    def free(self) -> None:
        """Give the chain back to llama.cpp."""
        self._library.llama_sampler_free(self.chain)


def _parts(library: ModuleType, vocabulary: Vocabulary, sampling: Sampling, context_tokens: int) -> list[Any]:
    parts = _penalties(library, vocabulary, sampling, context_tokens)
    if not sampling.temperature:
        return [*parts, library.llama_sampler_init_greedy()]
    if sampling.top_k:
        parts.append(library.llama_sampler_init_top_k(sampling.top_k))
    if sampling.top_p is not None and sampling.top_p < 1:
        parts.append(library.llama_sampler_init_top_p(sampling.top_p, 1))
    if sampling.min_p:
        parts.append(library.llama_sampler_init_min_p(sampling.min_p, 1))
    seed = secrets.randbits(32) if sampling.seed is None else sampling.seed & 0xFFFF_FFFF
    parts.append(library.llama_sampler_init_temp(sampling.temperature))
    parts.append(library.llama_sampler_init_dist(seed))
    return parts


def _penalties(
    library: ModuleType, vocabulary: Vocabulary, sampling: Sampling, context_tokens: int
) -> list[Any]:
    parts = []
    back = PENALISED_TOKENS if sampling.repeat_last_n is None else sampling.repeat_last_n
    back = context_tokens if back < 0 else min(back, context_tokens)
    repeat = 1.0 if sampling.repeat_penalty is None else sampling.repeat_penalty
    values = (back, repeat, sampling.frequency_penalty or 0.0, sampling.presence_penalty or 0.0)
    if back and values[1:] != (1.0, 0.0, 0.0):
        penalties = library.llama_sampler_init_penalties
        # Newer versions want to know the vocabulary's size first.
        with_size = len(penalties.argtypes) > len(values)
        parts.append(penalties(vocabulary.size, *values) if with_size else penalties(*values))
    if sampling.dry_multiplier:
        dry = library.llama_sampler_init_dry
        breakers = (ctypes.c_char_p * len(_DRY_BREAKERS))(*_DRY_BREAKERS)
        base = DRY_BASE if sampling.dry_base is None else sampling.dry_base
        allowed = sampling.dry_allowed_length or DRY_ALLOWED_LENGTH
        strength = (sampling.dry_multiplier, base, allowed, context_tokens, breakers, len(_DRY_BREAKERS))
        # Older versions want the context the model was trained on behind the vocabulary.
        with_context = len(dry.argtypes) > len(strength) + 1
        parts.append(dry(vocabulary.handle, *((context_tokens,) if with_context else ()), *strength))
    return parts
