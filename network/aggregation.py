"""Several answers to one question become one, and how far they agree.

The first words come from the worker that is trusted most; when the others have ended, this decides what
stands in the end. Everything here is plain functions over texts and vectors: which embedder makes the
vectors, and whether a model writes one answer from all, is decided by whoever calls.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

K = TypeVar("K", bound=Hashable)

LONGEST_VOTE = 40
"""Characters of a normalised answer that can be counted instead of compared."""
RRF_CONSTANT = 60
"""Cormack, Clarke and Buettcher, Reciprocal rank fusion, 2009."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """Which answer stands, and who is of its opinion."""

    best: int
    """Its place in the list of answers."""
    agreeing: tuple[int, ...]
    """Places of all answers that say the same, the best one among them."""
    supported: frozenset[int]
    """Places of answers with which at least one other agrees."""

    def agreed(self, place: int) -> bool | None:
        """What `TrustBook.answer` wants to know about the answer at this place."""
        return place in self.supported if self.supported else None


def medoid(vectors: NDArray[np.float32], trust: Sequence[float], same: float) -> Opinion:
    """The answer that lies in the middle of all, weighed by trust.

    Args:
        vectors: one row for each answer, of any length but zero.
        trust: 0 to 1 for each.
        same: cosine from which two answers say the same. It belongs to the embedder, as its scale of
            relevance does.

    Raises:
        ValueError: no answer, or not one trust for each.
    """
    if len(vectors) == 0 or len(vectors) != len(trust):
        raise ValueError("one vector and one trust for each answer")
    matrix = np.asarray(vectors, dtype=np.float32)
    unit = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
    likeness = unit @ unit.T
    weights = np.square(np.clip(np.asarray(trust, dtype=np.float64), 0.01, 1.0))
    near = likeness >= same
    np.fill_diagonal(near, val=True)
    # How much trust stands behind each answer: first of those that say the same, then by nearness of all.
    support = near @ weights
    nearness = np.clip(likeness, 0.0, 1.0) @ weights / weights.sum()
    best = int(np.lexsort((-np.arange(len(weights)), nearness, support))[-1])
    return _opinion(best, near)


def vote(texts: Sequence[str], trust: Sequence[float]) -> Opinion | None:
    """The answer with most trust behind it, where all are short enough to be the same to the letter.

    None if one is longer: then they have to be compared by meaning.

    Raises:
        ValueError: no answer, or not one trust for each.
    """
    if not texts or len(texts) != len(trust):
        raise ValueError("one trust for each answer")
    plain = [normalised(text) for text in texts]
    if any(not text or len(text) > LONGEST_VOTE for text in plain):
        return None
    behind: dict[str, float] = {}
    for text, weight in zip(plain, trust, strict=True):
        behind[text] = behind.get(text, 0.0) + max(0.01, weight) ** 2
    winner = max(behind, key=lambda text: (behind[text], -plain.index(text)))
    places = [place for place, text in enumerate(plain) if text == winner]
    best = max(places, key=lambda place: (trust[place], -place))
    return _opinion(best, np.array([[one == other for other in plain] for one in plain]))


def merge_ranked(lists: Sequence[Sequence[K]], trust: Sequence[float] | None = None) -> list[K]:
    """One ranking from several, such as the passages that workers found: reciprocal rank fusion.

    The same key in several lists counts for all of them; within one list, for its best place.
    """
    weights = trust or [1.0] * len(lists)
    scores: dict[K, float] = {}
    for ranking, weight in zip(lists, weights, strict=True):
        for rank, key in enumerate(dict.fromkeys(ranking), 1):
            scores[key] = scores.get(key, 0.0) + weight / (RRF_CONSTANT + rank)
    return sorted(scores, key=scores.__getitem__, reverse=True)


_ENDS = re.compile(r"^\W+|\W+$")
_FOLDED = str.maketrans("يىك", "ییک")


def normalised(text: str) -> str:
    """What of a short answer counts: digits of any script, letters without case, no marks around it."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_FOLDED)
    digits = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in folded)
    visible = "".join(c for c in digits if unicodedata.category(c) not in ("Cf", "Mn"))
    return _ENDS.sub("", " ".join(visible.split()))


def _opinion(best: int, same: NDArray[np.bool_]) -> Opinion:
    agreeing = tuple(int(place) for place in np.flatnonzero(same[best]))
    supported = frozenset(int(place) for place in np.flatnonzero(same.sum(axis=1) > 1))
    return Opinion(best, agreeing, supported)
