"""What options may be, and what they are where nobody says: the same for all engines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engines.protocol import Sampling

SAMPLING_LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "temperature": (0.0, 100.0),
    "top_k": (0, 1 << 20),
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "repeat_penalty": (0.01, 100.0),
    "seed": (0, (1 << 63) - 1),
    "max_tokens": (1, 1 << 31),
    "presence_penalty": (-2.0, 2.0),
    "frequency_penalty": (-2.0, 2.0),
    "repeat_last_n": (-1, 1 << 20),
    "dry_multiplier": (0.0, 100.0),
    "dry_base": (1.0, 100.0),
    "dry_allowed_length": (1, 1 << 20),
}
"""Least and most of every value of `Sampling`; beyond them llama.cpp goes on silently, or dies."""

LOAD_LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "context_tokens": (1, 1 << 24),
    "threads": (1, 512),
    "prompt_threads": (1, 512),
    "batch_tokens": (1, 8192),
    "gpu_layers": (0, 1 << 16),
    "prefix_cache_bytes": (0, 1 << 48),
}
"""Least and most of the numbers of `LoadOptions`."""

MOST_ADAPTER_SCALE: Final = 100.0
"""A stronger adapter, in either direction, makes noise of every answer."""

PENALISED_TOKENS: Final = 64
DRY_BASE: Final = 1.75
DRY_ALLOWED_LENGTH: Final = 2
PENALTIES: Final = Sampling(
    presence_penalty=0.0,
    frequency_penalty=0.0,
    repeat_last_n=PENALISED_TOKENS,
    dry_multiplier=0.0,
    dry_base=DRY_BASE,
    dry_allowed_length=DRY_ALLOWED_LENGTH,
)
"""What holds where neither the user nor the model's family says otherwise."""
