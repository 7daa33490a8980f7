"""What all embedders have in common: clean text in, checked unit vectors out, one caller at a time."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engines.embedders.identity import EmbedderIdentity, RelevanceScale
from engines.embedders.known_models import CHECK_TEXTS, PREFIXES, KnownModel
from engines.errors import EmbedderFaulty

Vectors = npt.NDArray[np.float32]

_CHECK_TOLERANCE = 0.02
"""Eight-bit weights move a component by less than 0.01; a wrong tokenizer by far more."""
_SAME_TEXT = 0.9999


class LocalEmbedder(ABC):
    """An embedder on this device. A subclass gives the vectors; its constructor ends with `_check`."""

    def __init__(self, model: str, dimension: int, max_tokens: int, known: KnownModel) -> None:
        self._known = known
        self._identity = EmbedderIdentity(model, dimension, known.prefixes)
        self._max_tokens = max_tokens
        self._lock = threading.Lock()

    @property
    def identity(self) -> EmbedderIdentity:
        """What the vectors are made with."""
        return self._identity

    @property
    def relevance(self) -> RelevanceScale:
        """How to read this model's similarities."""
        return self._known.relevance

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that count; the model does not see what is beyond them."""
        return self._max_tokens

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages, shape (len(texts), dimension), of length 1."""
        return self._embed(texts, is_query=False)

    def embed_query(self, text: str) -> Vectors:
        """The vector of a question, shape (dimension,), of length 1."""
        vector: Vectors = self._embed([text], is_query=True)[0]
        return vector

    @abstractmethod
    def _vectors(self, texts: list[str], *, is_query: bool) -> Vectors:
        """Vectors of any length; the lock is held."""

    def _with_prefix(self, texts: list[str], *, is_query: bool) -> list[str]:
        query, passage = PREFIXES[self._known.prefixes]
        return [(query if is_query else passage) + text for text in texts]

    def _embed(self, texts: Sequence[str], *, is_query: bool) -> Vectors:
        if not texts:
            return np.empty((0, self._identity.dimension), np.float32)
        with self._lock:
            raw = self._vectors([_clean(text) for text in texts], is_query=is_query)
        vectors = np.asarray(raw, np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if (
            vectors.shape != (len(texts), self._identity.dimension)
            or not np.isfinite(lengths).all()
            or not lengths.all()
        ):
            raise EmbedderFaulty(self._identity.model, f"vectors of shape {vectors.shape}, or not finite")
        unit: Vectors = vectors / lengths
        return unit

    def _check(self) -> None:
        """Embed fixed texts and compare.

        A model file converted with wrong settings loads without complaint and finds nonsense ever after.
        """
        vectors = self.embed_passages(CHECK_TEXTS)
        similarities = vectors @ vectors.T
        if similarities[np.triu_indices(len(vectors), k=1)].max() > _SAME_TEXT:
            raise EmbedderFaulty(self._identity.model, "different texts get the same vector")
        for vector, expected in zip(vectors, self._known.check_vectors, strict=False):
            error = float(np.abs(vector[: len(expected)] - np.array(expected)).max())
            if error > _CHECK_TOLERANCE:
                raise EmbedderFaulty(self._identity.model, f"off by {error:.3f} from the stored vectors")


def _clean(text: str) -> str:
    """Text that every library takes: no halves of characters, and no NUL, which ends a text in C."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
