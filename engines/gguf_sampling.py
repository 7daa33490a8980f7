"""How to sample a model, as its file advises: `general.sampling.*`, which newer converters write."""

from __future__ import annotations

import math
from collections.abc import Mapping

from engines.gguf_format import Value
from engines.protocol import Sampling

_LARGEST_TOP_K = 1 << 20


def advised_sampling(metadata: Mapping[str, Value]) -> Sampling:
    """The values of a file's metadata; one that makes no sense counts as not told."""

    def number(key: str, least: float, most: float) -> float | None:
        value = metadata.get(f"general.sampling.{key}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        return value if least <= value <= most else None

    top_k = number("top_k", 0, _LARGEST_TOP_K)
    return Sampling(
        temperature=number("temp", 0.0, 5.0),
        top_k=None if top_k is None else int(top_k),
        top_p=number("top_p", 0.0, 1.0),
        min_p=number("min_p", 0.0, 1.0),
        repeat_penalty=number("penalty_repeat", 0.1, 5.0),
    )
