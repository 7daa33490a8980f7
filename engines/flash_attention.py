"""Whether flash attention pays: one of two ways in which llama.cpp computes the same attention.

It takes less memory, and on graphics cards it is faster. On the x86 processor where it was measured it is
not: late in a conversation a short question takes up to four times as long to read with it, and each
generated token up to twice as long (docs/decisions/0031-flash-attention-where-it-pays.md). Processors of
phones have other instructions for it, and were not measured.
"""

from __future__ import annotations

import platform

from engines.protocol import LoadOptions

BATCH_WITHOUT = 64
"""Tokens of a prompt that are evaluated at once without it: the memory for their scores grows with them."""
_SLOW_ON = frozenset({"x86_64", "amd64", "i386", "i686", "x86"})


def uses_flash_attention(options: LoadOptions, *, graphics_card: bool = False) -> bool:
    """What the user wants, else what is faster here. Smaller types of the cache need it."""
    if options.flash_attention is not None:
        return options.flash_attention
    needed = options.kv_cache_type != "f16"
    return needed or graphics_card or platform.machine().lower() not in _SLOW_ON
