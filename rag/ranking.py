"""Deciding which passages fit a question, from what both searches know of them. Pure functions.

Fusion is a convex sum of min-max normalised scores, the words weighing 0.2. Equal-weight
reciprocal rank fusion was measured to be worse than vectors alone: it ignores how far apart
scores are, so one shared common word gives a wrong passage a full vote.
"""

from __future__ import annotations

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


def gate(candidate: Candidate, words: int, scale: RelevanceScale | None, searched: int) -> Gate:
    """The no-answer gate: what lets a passage be shown to the model, if anything does.

    It is similar enough, or it has what tells the question from others: a rare number, which
    vector models are blind to, or half of the question's words and all of those rare. Where
    there are too few passages for a word to be rare, it must have all of the question's words.

    Args:
        candidate: the passage.
        words: how many content words the question has.
        scale: how to read similarities; None where there are none: then half of the words decide.
        searched: how many passages there are.
    """
    if scale is None:
        return Gate.WORDS if candidate.words and len(candidate.words) * 2 >= words else Gate.CLOSED
    if candidate.similarity >= scale.irrelevant_below:
        return Gate.MEANING
    if any(any(letter.isdigit() for letter in word) for word in candidate.rare_words):
        return Gate.NUMBER
    if candidate.rare_words and len(candidate.rare_words) * 2 >= words:
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
