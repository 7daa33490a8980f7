"""What questions and shared documents are about, told by tags of the fixed list.

Both are told on the device that has them. A card names the tags of documents that anybody may ask about; the
tags of a question stay here, and serve to choose among the cards that a router has sent.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.core.network.joining import Meanings
from app.core.network.topic_list import TOPICS

log = logging.getLogger(__name__)

MOST_OF_A_QUESTION = 3
MOST_OF_DOCUMENTS = 6
"""Tags of one device: who covers everything says nothing."""
_LONGEST = 600
"""Characters of a text: what it is about is clear by then."""
_NEAR_BEST = 0.75
"""A question is also about what it is so near to, as a share of the nearest."""
_LEAST_SHARE = 0.08
"""So much of the documents is about something before the card says so: one letter does not make a doctor."""
_LEAST_PASSAGES = 3

_Vectors = npt.NDArray[np.float32]


class Topics:
    """Compares texts with the list. Its methods block; without an embedder nothing is about anything."""

    def __init__(self, meanings: Meanings) -> None:
        self._meanings = meanings
        self._lock = threading.Lock()
        self._known: tuple[int, _Vectors, _Vectors] | None = None
        """Length of a vector, the middle of the list's vectors, and each one's direction from there."""

    def of_question(self, text: str) -> frozenset[str]:
        """What a question is about, at most so much."""
        if not text.strip():
            return frozenset()
        scores = self._scores([text])
        if scores is None:
            return frozenset()
        best = np.argsort(-scores[0])[:MOST_OF_A_QUESTION]
        least = _NEAR_BEST * scores[0][best[0]]
        tags = list(TOPICS)
        return frozenset(tags[place] for place in best if scores[0][place] >= max(least, 1e-6))

    def of_documents(self, passages: Sequence[str]) -> tuple[str, ...]:
        """What passages are mostly about, the most frequent first; nothing where they are very few."""
        if len(passages) < _LEAST_PASSAGES:
            return ()
        scores = self._scores(passages)
        if scores is None:
            return ()
        tags = list(TOPICS)
        counted = Counter(tags[int(place)] for place in scores.argmax(axis=1))
        least = max(2, round(_LEAST_SHARE * len(passages)))
        ranked = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple(tag for tag, count in ranked if count >= least)[:MOST_OF_DOCUMENTS]

    def _scores(self, texts: Sequence[str]) -> _Vectors | None:
        """For each text how near it is to each entry of the list; None without an embedder."""
        try:
            vectors, _ = self._meanings([text[:_LONGEST] for text in texts])
            middle, directions = self._list(vectors.shape[1])
        except Exception as error:  # noqa: BLE001 - embedders fail in many ways, and everybody is asked then
            log.info("what a text is about was not told: %s", type(error).__name__)
            return None
        scores = (np.asarray(vectors) - middle) @ directions.T
        return scores.astype(np.float32)

    def _list(self, dimension: int) -> tuple[_Vectors, _Vectors]:
        with self._lock:
            if self._known is None or self._known[0] != dimension:
                found, _ = self._meanings(list(TOPICS.values()))
                vectors = np.asarray(found, dtype=np.float32)
                middle: _Vectors = vectors.mean(axis=0, dtype=np.float32)
                apart = vectors - middle
                lengths = np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-9)
                self._known = (dimension, middle, (apart / lengths).astype(np.float32))
            return self._known[1], self._known[2]
