"""An embedding model in a GGUF file, run by llama.cpp: no torch, and the way for phones."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engines.embedders.base import LocalEmbedder, Vectors
from engines.embedders.fingerprint import fingerprint
from engines.embedders.known_models import know
from engines.errors import EngineUnavailable, UnsupportedModel
from engines.gguf import FileKind, GgufHeader, read_header

PACKAGE = "llama_cpp"

_MOST_TOKENS = 512
_RANK_POOLING = 4


def model_name(header: GgufHeader) -> str:
    """What the embedder of this file calls its model; reads samples of the file, but does not load it."""
    return f"{header.declared_name or header.architecture}/{header.quantisation}/{fingerprint(header)}"


class LlamaCppEmbedder(LocalEmbedder):
    """The file says how its tokens become one vector (pooling).

    Raises:
        EngineUnavailable: llama-cpp-python is not installed.
        ModelFileMissing, NotAModel, ModelFileDamaged: see `engines.gguf.read_header`.
        UnsupportedModel: the file is no embedding model, or llama.cpp does not run it.
        EmbedderFaulty: it gives wrong vectors.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        header = read_header(path)
        if header.kind is not FileKind.EMBEDDING_MODEL or header.pooling in (0, _RANK_POOLING):
            raise UnsupportedModel(path, f"pooling {header.pooling}")
        try:
            from llama_cpp import Llama
        except (ImportError, OSError, RuntimeError) as error:
            raise EngineUnavailable(PACKAGE, str(error)) from error
        tokens = min(header.trained_context or _MOST_TOKENS, _MOST_TOKENS)
        try:
            self._model = Llama(
                str(path),
                embedding=True,
                n_ctx=tokens,
                n_batch=tokens,  # a text must fit into one batch, else it is cut
                n_ubatch=tokens,
                n_threads=threads,
                n_threads_batch=threads,
                verbose=False,
            )
        except ValueError as error:
            raise UnsupportedModel(path, str(error)) from error
        known = know(f"{header.declared_name} {path.stem}")
        super().__init__(model_name(header), self._model.n_embd(), tokens, known)
        self._check()

    def _vectors(self, texts: list[str], *, is_query: bool) -> Vectors:
        # One by one: texts that share a batch also share one attention matrix, which halves the speed.
        prepared = self._with_prefix(texts, is_query=is_query)
        return np.array([self._model.embed(self._cut(text)) for text in prepared], np.float32)

    def _cut(self, text: str) -> str:
        """The beginning that the model can read, so that the closing token is not cut off."""
        while (count := len(self._model.tokenize(text.encode()))) > self._max_tokens:
            text = text[: int(len(text) * self._max_tokens / count * 0.98)]
        return text
