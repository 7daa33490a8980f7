"""Measures of a ranking. Pure functions.

A ranking is the list of what each found thing is worth, the best rank first: 0 is wrong, more is better. The
definitions are those of trec_eval; nDCG with the linear gain of Järvelin and Kekäläinen (2002).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def hit(ranking: Sequence[int], k: int) -> float:
    """1.0 where one of the first `k` is right, else 0.0."""
    return float(any(worth > 0 for worth in ranking[:k]))


def reciprocal_rank(ranking: Sequence[int]) -> float:
    """One over the rank of the first right one; 0.0 where there is none."""
    return next((1 / rank for rank, worth in enumerate(ranking, 1) if worth > 0), 0.0)


def ndcg(ranking: Sequence[int], worths: Iterable[int], k: int) -> float:
    """Discounted cumulative gain of the first `k`, as a share of what the best ranking would have.

    Args:
        ranking: what was found.
        worths: of everything that is right, found or not.
        k: how many ranks count.
    """
    best = _gain(sorted(worths, reverse=True)[:k])
    return _gain(ranking[:k]) / best if best else 0.0


def _gain(worths: Sequence[int]) -> float:
    return sum(worth / math.log2(rank + 1) for rank, worth in enumerate(worths, 1))
