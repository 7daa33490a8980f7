"""How much memory a model takes, and whether this device has it: asked before a model is loaded.

The estimate stands on measurements of llama.cpp on a processor: resident memory of the engine's process, with
two models and contexts of 512 to 8192 tokens. They are the table in `tests/engines/test_memory.py`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engines.flash_attention import BATCH_WITHOUT, uses_flash_attention
from engines.gguf import GgufHeader
from engines.protocol import LoadOptions

_MIB = 1 << 20
_CACHE_BYTES_PER_NUMBER = {"f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}
"""Of keys and values, by the type they are kept in: blocks of 32 numbers with a scale of two bytes."""
_PROCESS_BYTES = 41 * _MIB
"""Measured: Python with llama.cpp's libraries, before any model."""
_GRAPH_BYTES = 24 * _MIB
"""Measured: what one batch needs besides attention."""
_BYTES_PER_TOKEN_OF_VOCABULARY = 240
"""Measured: the tokenizer's tables, counted per entry."""

_BITS_WHERE_UNKNOWN = 5.0
_USUAL_VOCABULARY = 151_000
_TOKEN_BYTES = 40_000
_TOKEN_BYTES_PER_PARAMETER = 1 / 50_000
"""Of keys and values in 16 bits: 12 kB a token in Qwen 2.5 0.5B, 147 in Qwen3 4B, 131 in Llama 3 8B."""

_TIGHT_SHARE = 0.85
"""Above this share of the free memory other apps suffer, and a phone may end ours."""
_DEFAULT_OPTIONS = LoadOptions()
_GUESS_BYTES = 2 << 30
"""What a phone of recent years can give an app, where the system does not tell."""


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes that a loaded model takes."""

    weights: int
    kv_cache: int
    """Grows with the context window, and is taken at once when the model is loaded."""
    compute: int
    """Working buffers, the tokenizer, and the engine's own process."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.kv_cache + self.compute


class MemoryFit(StrEnum):
    """What loading a model would mean for the device."""

    FITS = "fits"
    TIGHT = "tight"
    TOO_LARGE = "too_large"


def estimate_memory(
    header: GgufHeader, options: LoadOptions = _DEFAULT_OPTIONS, *, used_tokens: int | None = None
) -> MemoryNeed:
    """Bytes that the model takes once it is loaded and its context window is full.

    `used_tokens` asks for a window that is filled only so far, which matters without flash attention. Models
    with sliding windows keep the whole window like all others: only so can a conversation be continued
    without reading it again.
    """
    context = options.context_tokens
    numbers_per_token = sum(header.kv_heads) * (header.key_length + header.value_length)
    compute = _PROCESS_BYTES + _GRAPH_BYTES + _BYTES_PER_TOKEN_OF_VOCABULARY * header.vocabulary
    if not uses_flash_attention(options):
        used = context if used_tokens is None else min(used_tokens, context)
        scores = min(options.batch_tokens, BATCH_WITHOUT, context) * used * header.head_count
        compute += 2 * scores * 4  # as 32-bit floats, before and after the softmax
    return MemoryNeed(
        weights=header.tensor_bytes,
        kv_cache=int(numbers_per_token * context * _CACHE_BYTES_PER_NUMBER[options.kv_cache_type]),
        compute=compute,
    )


def about_memory(file_bytes: int, parameters: int, context_tokens: int) -> int:
    """Roughly the bytes that a model takes of which only the file's size is known: it is not here yet.

    What a token takes in the window follows from layers and heads, which nobody tells beforehand; among the
    recommended models it grows with their size as assumed here, give or take a third.
    """
    known = parameters or file_bytes * 8 / _BITS_WHERE_UNKNOWN
    per_token = _TOKEN_BYTES + known * _TOKEN_BYTES_PER_PARAMETER
    vocabulary = _BYTES_PER_TOKEN_OF_VOCABULARY * _USUAL_VOCABULARY
    return int(file_bytes + per_token * context_tokens + _PROCESS_BYTES + _GRAPH_BYTES + vocabulary)


def memory_fit(need: MemoryNeed | int, available: int) -> MemoryFit:
    """Compare a need with the free memory, both in bytes."""
    total = need if isinstance(need, int) else need.total
    if total > available:
        return MemoryFit.TOO_LARGE
    if total > available * _TIGHT_SHARE:
        return MemoryFit.TIGHT
    return MemoryFit.FITS


def available_memory() -> int:
    """Bytes that can be taken now without pushing other programs out of memory.

    Asks psutil, else /proc/meminfo, else sysconf, and guesses two GiB where none of them answers. A limit
    on this process's control group counts too.
    """
    free = _free_by_psutil() or _free_by_meminfo() or _free_by_sysconf() or _GUESS_BYTES
    left = _left_in_control_group()
    return free if left is None else min(free, left)


def _free_by_psutil() -> int | None:
    try:
        import psutil
    except ImportError:
        return None
    try:
        return int(psutil.virtual_memory().available)
    except (OSError, RuntimeError, NotImplementedError, AttributeError):  # phones forbid parts of it
        return None


def _free_by_meminfo(path: Path = Path("/proc/meminfo")) -> int | None:
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            number = value.split()
            return int(number[0]) * 1024 if number and number[0].isdigit() else None
    return None


def _free_by_sysconf() -> int | None:
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    return free if free > 0 else None


def _left_in_control_group(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """What a container's limit leaves, or None without a limit.

    Pages of files that nobody uses can be dropped at any time, so they count as free.
    """
    for limit_file, usage_file, file_pages in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            limit = int((folder / limit_file).read_text(encoding="ascii"))
            used = int((folder / usage_file).read_text(encoding="ascii"))
            statistics = (folder / limit_file).with_name("memory.stat").read_text(encoding="ascii")
        except (OSError, ValueError):  # no such group, or "max"
            continue
        fields = dict(line.split(" ", 1) for line in statistics.splitlines() if " " in line)
        droppable = int(fields.get(file_pages, "0"))
        return max(0, limit - max(0, used - droppable))
    return None
