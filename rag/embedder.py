"""What turns text into vectors.

To add an embedder:

1. write a class with the members of `Embedder` (nothing here is inherited from: whoever brings an embedder
   also brings the values it hands out, so that neither side imports the other);
2. give it an `identity` that changes whenever the same text would get another vector;
3. return unit vectors (L2 norm 1), as float32;
4. run `tests/engines/test_embedders.py` against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


class EmbedderIdentity(Protocol):
    """Vectors of two embedders are comparable only where all three values are equal."""

    @property
    def model(self) -> str:
        """Model and, where it changes the vectors, its quantisation."""
        ...

    @property
    def dimension(self) -> int:
        """Components of each vector."""
        ...

    @property
    def prefixes(self) -> str:
        """Name of the scheme put before queries and passages, such as "e5" or "none"."""
        ...


class RelevanceScale(Protocol):
    """Where this model's cosine similarities stop being meaningful; calibrated, per model."""

    @property
    def irrelevant_below(self) -> float:
        """A passage below this similarity does not answer the question."""
        ...

    @property
    def same_above(self) -> float:
        """From this similarity on, two passages say the same."""
        ...


class Embedder(Protocol):
    """Turns text into unit vectors. Its methods block: call them off the event loop."""

    @property
    def identity(self) -> EmbedderIdentity:
        """What the vectors are made with; stored beside every index."""
        ...

    @property
    def relevance(self) -> RelevanceScale:
        """How to read this model's similarities."""
        ...

    @property
    def max_tokens(self) -> int:
        """Longer passages are cut by the model without a word, so chunks stay below."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages, shape (len(texts), dimension)."""
        ...

    def embed_query(self, text: str) -> Vectors:
        """The vector of a question, shape (dimension,)."""
        ...
