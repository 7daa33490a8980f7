"""Turns sampling values into llama.cpp's chain of samplers."""

from __future__ import annotations

import math
import secrets
from types import ModuleType
from typing import Any

from engines.errors import OptionRejected
from engines.protocol import Sampling

_PENALISED_TOKENS = 64
_LIMITS = {
    "temperature": (0.0, 100.0),
    "top_k": (0, 1 << 20),
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "repeat_penalty": (0.01, 100.0),
    "seed": (0, (1 << 63) - 1),
    "max_tokens": (1, 1 << 31),
}


def check_sampling(sampling: Sampling) -> None:
    """Refuse what llama.cpp would take silently, or die of.

    Raises:
        OptionRejected: names the first value out of its range.
    """
    for option, (least, most) in _LIMITS.items():
        value = getattr(sampling, option)
        if value is not None and not (math.isfinite(value) and least <= value <= most):
            raise OptionRejected(option, f"{value} is not within {least} and {most}")


class Sampler:
    """A chain of samplers, complete with values for everything but `seed`; free it after use."""

    def __init__(self, library: ModuleType, vocabulary_size: int, sampling: Sampling) -> None:
        self._library = library
        self.chain: Any = library.llama_sampler_chain_init(library.llama_sampler_chain_default_params())
        for part in _parts(library, vocabulary_size, sampling):
            library.llama_sampler_chain_add(self.chain, part)

    def free(self) -> None:
        """Give the chain back to llama.cpp."""
        self._library.llama_sampler_free(self.chain)


def _parts(library: ModuleType, vocabulary_size: int, sampling: Sampling) -> list[Any]:
    parts = []
    if sampling.repeat_penalty not in (None, 1.0):
        penalties = library.llama_sampler_init_penalties
        values = (_PENALISED_TOKENS, sampling.repeat_penalty, 0.0, 0.0)
        # Newer versions want to know the vocabulary's size first.
        with_size = len(penalties.argtypes) > len(values)
        parts.append(penalties(vocabulary_size, *values) if with_size else penalties(*values))
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
