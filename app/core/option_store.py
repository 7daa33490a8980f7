"""The options of each model, in one JSON file of the data folder."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from app.core.json_file import read_object, usable, write_whole
from app.core.model_options import ModelOptions

Change = Callable[[ModelOptions], ModelOptions]


class OptionStore:
    """Options by the id of their model; those of a model that is missing at the moment are kept.

    Another process may write the file, such as a terminal beside the window: it is read again whenever it
    has changed. Thread-safe. Without a path nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._stored: dict[str, Any] = {}
        self._stamp: tuple[int, int] | None = None

    def get(self, model_id: str) -> ModelOptions:
        """The options of a model, empty where it has none."""
        with self._lock:
            self._read()
            return usable(self._stored.get(model_id), ModelOptions)

    def all(self) -> dict[str, ModelOptions]:
        """The options of all models that have any."""
        with self._lock:
            self._read()
            return {model_id: usable(stored, ModelOptions) for model_id, stored in self._stored.items()}

    def change(self, model_id: str, change: Change) -> ModelOptions:
        """Replace a model's options by what `change` makes of them; where it raises, nothing changes.

        Raises:
            OSError: the device is full or refuses to write.
        """
        with self._lock:
            self._read()
            options = change(usable(self._stored.get(model_id), ModelOptions))
            stored = {known: options for known, options in self._stored.items() if known != model_id}
            if encoded := msgspec.to_builtins(options):
                stored[model_id] = encoded
            if self._path is not None:
                write_whole(self._path, stored)
            self._stored, self._stamp = stored, self._stamp_now()
        for listener in list(self._listeners):
            listener()
        return options

    def forget(self, model_id: str) -> None:
        """The user has removed the model."""
        self.change(model_id, lambda _: ModelOptions())

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every change made here; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _read(self) -> None:
        stamp = self._stamp_now()
        if self._path is not None and stamp != self._stamp:
            self._stored, self._stamp = read_object(self._path), stamp

    def _stamp_now(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat() if self._path is not None else None
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_ino) if status is not None else None
