"""The reranker that is chosen, loaded when it is needed first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from engines.errors import EngineError
from engines.rerankers.cross_encoder import CrossEncoderReranker

log = logging.getLogger(__name__)


class ChosenReranker:
    """Keeps the model of the chosen folder loaded; one that cannot be loaded is tried once."""

    def __init__(self, chosen: Callable[[], str | None]) -> None:
        """`chosen` tells the folder of the model; None: no reranker."""
        self._chosen = chosen
        self._folder: str | None = None
        self._model: CrossEncoderReranker | None = None
        self._lock = threading.Lock()

    def get(self) -> CrossEncoderReranker | None:
        """The model, or None where none is chosen or it cannot be used: the log says why."""
        with self._lock:
            folder = self._chosen()
            if folder != self._folder:
                self._folder, self._model = folder, None
                if folder is not None:
                    try:
                        self._model = CrossEncoderReranker(Path(folder))
                    except EngineError as error:
                        log.warning("the reranker cannot be used: %s", type(error).__name__)
            return self._model
