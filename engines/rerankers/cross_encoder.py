"""Any cross-encoder of sentence-transformers that lies in a folder, on the processor. Never downloads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from engines.errors import EngineUnavailable, ModelFileDamaged, ModelFileMissing

PACKAGE = "sentence_transformers"
_MOST_TOKENS = 512
"""Of question and passage together; what is beyond is cut off."""


class CrossEncoderReranker:
    """`folder` is a saved model with one output.

    Raises:
        EngineUnavailable: sentence-transformers or torch is not installed.
        ModelFileMissing: there is no model in the folder.
        ModelFileDamaged: the model cannot be loaded, or has not one output.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "config.json").is_file():
            raise ModelFileMissing(folder, "no config.json")
        try:
            from sentence_transformers import CrossEncoder
        except ImportError as error:
            raise EngineUnavailable(PACKAGE, str(error)) from error
        try:
            self._model = CrossEncoder(
                str(folder), device="cpu", local_files_only=True, max_length=_MOST_TOKENS
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelFileDamaged(folder, str(error)) from error
        if self._model.num_labels != 1:
            raise ModelFileDamaged(folder, f"{self._model.num_labels} outputs")
        self._lock = threading.Lock()

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """How well each passage answers the question; larger is better, nothing else is promised."""
        if not passages:
            return []
        with self._lock:
            found = self._model.predict([(question, text) for text in passages], show_progress_bar=False)
        return [float(score) for score in found]
