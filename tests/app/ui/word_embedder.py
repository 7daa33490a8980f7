"""An embedder for tests of the screen: texts are as similar as the words they share."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engines.embedders.identity import EmbedderIdentity, RelevanceScale


class WordEmbedder:
    """Counts words into a fixed number of buckets; needs no model, so it works everywhere."""

    identity = EmbedderIdentity("words", 256, "none")
    relevance = RelevanceScale(irrelevant_below=0.25)
    max_tokens = 512

    def embed_passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.stack([self.embed_query(text) for text in texts])

    def meanings(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.float32], float]:
        """As `KnowledgeBase.meanings`."""
        return self.embed_passages(texts), 0.6

    def embed_query(self, text: str) -> npt.NDArray[np.float32]:
        counts = np.full(self.identity.dimension, 1e-3, dtype=np.float32)
        for word in re.findall(r"\w{4,}", text.casefold()):
            counts[zlib.crc32(word.encode()) % len(counts)] += 1
        return counts / np.linalg.norm(counts)
