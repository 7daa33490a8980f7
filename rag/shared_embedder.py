"""The one embedder of a knowledge base, opened when it is needed first."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rag.embedder import Embedder


class SharedEmbedder:
    """Opens the embedder in the thread that needs it first; a failure is tried again next time.

    An embedder takes a hundred megabytes and a second or more: a start of the app must not.
    """

    def __init__(self, open_embedder: Callable[[], Embedder]) -> None:
        self._open = open_embedder
        self._opened: Embedder | None = None
        self._lock = threading.Lock()

    @property
    def opened(self) -> Embedder | None:
        """The embedder if somebody has needed it already."""
        return self._opened

    def get(self) -> Embedder:
        """The embedder; may block while it is loaded, and raise whatever prevents that."""
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened
