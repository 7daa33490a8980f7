"""What an embedder says of itself: the values that are stored beside the vectors it makes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmbedderIdentity:
    """Vectors of two embedders are comparable only where all three values are equal."""

    model: str
    """Model, its quantisation where that changes the vectors, and a fingerprint where files may differ."""
    dimension: int
    """Components of each vector."""
    prefixes: str
    """Name of the scheme put before queries and passages: "e5" or "none"."""


@dataclass(frozen=True, slots=True)
class RelevanceScale:
    """Where a model's cosine similarities stop being meaningful."""

    irrelevant_below: float
    """A passage below this similarity does not answer the question."""
    same_above: float = 0.9
    """From this similarity on, two passages say the same; a contradiction in one number can hide above it."""
