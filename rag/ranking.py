"""Deciding which passages fit a question, from what both searches know of them. Pure functions.

Fusion is a convex sum of min-max normalised scores, the words weighing 0.2. Equal-weight
reciprocal rank fusion was measured to be worse than vectors alone: it ignores how far apart
scores are, so one shared common word gives a wrong passage a full vote.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TypeVar

from rag.embedder import RelevanceScale
from rag.model import Gate

LEXICAL_WEIGHT = 0.2
RARE_SHARE = 0.02
RARE_COUNT = 3
LARGEST_RARE_SHARE = 0.1
REPEATED_SHARE = 0.9
"""A passage repeats another that has this share of its words."""
CHANCE_PASSAGES = 50
CHANCE_GROWTH = 0.15
"""Among ten times as many passages, the one that is nearest by chance comes nearer by about this share of the
way from "irrelevant" to "the same". Measured with two models, from 16 to 1,700 passages."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Candidate:
    """What both searches know of a passage."""

    passage_id: int
    similarity: float = 0.0
    """Cosine; 0 where nobody could compare vectors."""
    bm25: float = 0.0
    """Larger is better; 0 where no word matches."""
    words: frozenset[str] = field(default_factory=frozenset)
    """Which content words of the question it has."""
    rare_words: frozenset[str] = field(default_factory=frozenset)
    """Those of them that few passages have."""


def most_passages_of_a_rare_word(searched: int, *, number: bool = False) -> int:
    """In how many of `searched` passages a rare word stands at most; 0 where no word can be told to be rare.

    In a handful of passages every word is in few of them, common ones such as "cost" too, so there it says
    nothing that a word is. A number names one thing however few passages there are.
    """
    few = max(RARE_COUNT, int(searched * RARE_SHARE))
    return few if number else min(few, int(searched * LARGEST_RARE_SHARE))


def fuse(candidates: Sequence[Candidate]) -> dict[int, float]:
    """Fused scores, 0 to 1, by passage."""
    similarities = _normalised([candidate.similarity for candidate in candidates])
    words = _normalised([candidate.bm25 for candidate in candidates])
    return {
        candidate.passage_id: (1 - LEXICAL_WEIGHT) * similarity + LEXICAL_WEIGHT * word
        for candidate, similarity, word in zip(candidates, similarities, words, strict=True)
    }


def similarity_to_pass(nearest: float, scale: RelevanceScale, searched: int) -> float:
    """From which similarity on a passage passes the no-answer gate.

    The more passages there are, the nearer is the nearest of them to a question that none answers. So the
    best one must be nearer than chance brings it; then the others need only not be irrelevant.

    Args:
        nearest: the similarity of the best one.
        scale: how to read similarities.
        searched: how many passages there are.
    """
    tenfold = max(0.0, math.log10(max(searched, 1) / CHANCE_PASSAGES))
    by_chance = scale.irrelevant_below + CHANCE_GROWTH * (scale.same_above - scale.irrelevant_below) * tenfold
    return scale.irrelevant_below if nearest >= by_chance else by_chance


def gate(candidate: Candidate, words: int, threshold: float | None, searched: int) -> Gate:
    """The no-answer gate: what lets a passage be shown to the model, if anything does.

    It is similar enough, or it has what tells the question from others: a rare number, which
    vector models are blind to, or rare words that are half of the question's, and two of its words
    where it has two. Where there are too few passages for a word to be rare, it must have
    all of the question's words.

    Args:
        candidate: the passage.
        words: how many content words the question has.
        threshold: see `similarity_to_pass`; None where there are no similarities: then half of the words
            decide.
        searched: how many passages there are.
    """
    if threshold is None:
        return Gate.WORDS if candidate.words and len(candidate.words) * 2 >= words else Gate.CLOSED
    if candidate.similarity >= threshold:
        return Gate.MEANING
    if any(any(letter.isdigit() for letter in word) for word in candidate.rare_words):
        return Gate.NUMBER
    # One word of two is easily found somewhere: "price of gold" where something has its price.
    telling = candidate.rare_words and len(candidate.rare_words) * 2 >= words
    if telling and len(candidate.words) >= min(2, words):
        return Gate.RARE_WORDS
    if words and not most_passages_of_a_rare_word(searched) and len(candidate.words) == words:
        return Gate.WORDS
    return Gate.CLOSED


def distinct(passages: Iterable[tuple[T, AbstractSet[str]]]) -> Iterator[T]:
    """Those that do not only repeat what a better one before them says.

    Args:
        passages: each with its vocabulary, the best first.
    """
    kept: list[AbstractSet[str]] = []
    for passage, vocabulary in passages:
        if any(len(vocabulary & better) > REPEATED_SHARE * len(vocabulary) for better in kept):
            continue
        kept.append(vocabulary)
        yield passage


def _normalised(values: Sequence[float]) -> list[float]:
    low, high = min(values, default=0.0), max(values, default=0.0)
    if high <= low:
        return [1.0 if high > 0 else 0.0] * len(values)
    return [(value - low) / (high - low) for value in values]
