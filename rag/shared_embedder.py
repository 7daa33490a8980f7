"""The one embedder of a knowledge base, opened when it is needed first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from rag.embedder import Embedder
from rag.vectors.stored import identity_of, model_of

log = logging.getLogger(__name__)

OpenModel = Callable[[str], Embedder | None]
"""Opens the embedder whose identity names this model; None where it is not installed."""


class SharedEmbedder:
    """Opens the embedder in the thread that needs it first; a failure is tried again next time.

    An embedder takes a hundred megabytes and a second or more: a start of the app must not. When another
    one is chosen, the one before stays until all passages have vectors of the new one; where the app was
    restarted in between, it is opened again.
    """

    def __init__(self, open_embedder: Callable[[], Embedder], open_model: OpenModel) -> None:
        self._open = open_embedder
        self._open_model = open_model
        self._opened: Embedder | None = None
        self._previous: Embedder | None = None
        self._sought: str | None = None
        self._changed = False
        self._lock = threading.Lock()

    @property
    def opened(self) -> Embedder | None:
        """The embedder if somebody has needed it already."""
        return self._opened

    @property
    def changed(self) -> bool:
        """Whether another one was chosen whose vectors may be missing."""
        return self._changed

    def get(self) -> Embedder:
        """The embedder; may block while it is loaded, and raise whatever prevents that."""
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def serving(self, identity: str) -> Embedder:
        """The embedder that made vectors of this identity if it can be had, else what `get` returns."""
        previous = self._previous
        if previous is not None and identity_of(previous) == identity:
            return previous
        chosen = self.get()
        if identity_of(chosen) == identity:
            return chosen
        return self._opened_again(identity) or chosen

    def _opened_again(self, identity: str) -> Embedder | None:
        """The one whose vectors are stored, if it is still installed; looked for once."""
        with self._lock:
            if self._previous is None and self._sought != identity:
                self._sought = identity
                try:
                    found = self._open_model(model_of(identity))
                except Exception as error:  # noqa: BLE001 - words must do, whatever is wrong with it
                    log.warning("the embedder before cannot be opened: %s", type(error).__name__)
                    found = None
                if found is not None and identity_of(found) == identity:
                    self._previous = found
            return self._previous

    def change(self) -> None:
        """Another one was chosen: it is opened when it is needed next."""
        with self._lock:
            # Of several changes in a row, the stored vectors are those of the first.
            self._previous = self._previous or self._opened
            self._opened = None
            self._changed = True

    def settle(self, embedder: Embedder) -> None:
        """All stored vectors are of this one; the one before is not needed any more."""
        with self._lock:
            if embedder is self._opened:
                self._previous = None
                self._sought = None
                self._changed = False
