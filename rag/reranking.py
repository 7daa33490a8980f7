"""The slot for a model that reads question and passage together; empty unless somebody fills it.

It orders what the no-answer gate has let through, and lets nothing through itself: such models give a score
to every passage, also where none answers.

To add a reranker: write a class with `scores`, and run `tests/engines/test_rerankers.py` against it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

log = logging.getLogger(__name__)

RERANKED = 20
"""So many of the best are read; each takes as long as embedding a passage."""


class Reranker(Protocol):
    """Tells how well passages answer a question. Blocks: call it off the event loop."""

    def scores(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """One for each passage; larger is better, nothing else is promised."""
        ...


GetReranker = Callable[[], Reranker | None]


def reranked(
    reranker: Reranker, question: str, passages: Mapping[int, str], scores: Mapping[int, float]
) -> dict[int, float]:
    """New scores, 0 to 1: the given passages in the reranker's order, above all others.

    Where the reranker fails, the scores stay as they were.

    Args:
        reranker: the model.
        question: what is asked.
        passages: texts of the best, by number.
        scores: what the search gave to all, 0 to 1.
    """
    try:
        found = reranker.scores(question, list(passages.values()))
    except Exception:  # a model of others must not take the answer away
        log.exception("the reranker failed")
        return dict(scores)
    order = sorted(zip(found, passages, strict=True), key=lambda each: (-each[0], each[1]))
    places = {number: 1 - place / (2 * len(order)) for place, (_, number) in enumerate(order)}
    return {number: score / 2 for number, score in scores.items()} | places
