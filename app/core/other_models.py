"""Models that other programs have brought to this device: offered where they lie, hidden on request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.core.settings import SettingsStore
from engines.library import ModelLibrary
from engines.library.found import FoundModel, ModelFinder
from engines.memory import MemoryFit, available_memory, memory_fit


@dataclass(frozen=True, slots=True)
class OtherModels:
    """What was found, and how much of it the user does not want to see."""

    offered: tuple[FoundModel, ...] = ()
    hidden: int = 0
    free_bytes: int = 0
    """Memory that a model could take now."""

    def fit(self, model: FoundModel) -> MemoryFit:
        """Whether a model fits into the memory that is free now."""
        return memory_fit(model.needed_bytes, self.free_bytes)


class OtherPrograms:
    """Looks for models of other programs. Their files are read and never changed. Thread-safe."""

    def __init__(
        self,
        library: ModelLibrary,
        settings: SettingsStore,
        free_memory: Callable[[], int] = available_memory,
        finder: ModelFinder | None = None,
    ) -> None:
        """`free_memory` tells what another model could take."""
        self._library = library
        self._settings = settings
        self._free_memory = free_memory
        self._finder = finder or ModelFinder()

    @property
    def possible(self) -> bool:
        """Whether there can be any: not on phones."""
        return self._finder.possible

    def look(self, stop: threading.Event | None = None) -> OtherModels:
        """Look for models that are not installed. May take seconds: call it in a thread."""
        installed = [*self._library.installed(), *self._library.embedding_models()]
        found = self._finder.find(installed, stop)
        hidden = frozenset(self._settings.current.hidden_models)
        offered = tuple(model for model in found if str(model.path) not in hidden)
        return OtherModels(offered, len(found) - len(offered), self._free_memory())

    def hide(self, path: Path) -> None:
        """Do not offer this file any more."""
        hidden = self._settings.current.hidden_models
        if str(path) not in hidden:
            self._settings.change(hidden_models=(*hidden, str(path)))

    def show_all(self) -> None:
        """Offer what was hidden again."""
        self._settings.change(hidden_models=())
