"""The options of each model, in one JSON file of the data folder."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from app.core.json_file import decoded_object, encoded, usable
from app.core.model_options import ModelOptions
from app.core.state_file import Stamp, StateFile

Change = Callable[[ModelOptions], ModelOptions]


class OptionStore:
    """Options by the id of their model; those of a model that is missing at the moment are kept.

    Another process may write the file, such as a terminal beside the window: it is read again whenever it
    has changed. Thread-safe. Without a path nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = StateFile(path, _decoded, mend=_mended, encode=encoded) if path is not None else None
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._stored: dict[str, Any] = {}
        self._stamp: Stamp | None = None

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
            if chosen := msgspec.to_builtins(options):
                stored[model_id] = chosen
            if self._file is not None:
                self._file.write(encoded(stored))
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
        if self._file is not None and (stamp is None or stamp != self._stamp):
            self._stored = self._file.read() or {}
            self._stamp = self._stamp_now()

    def _stamp_now(self) -> Stamp | None:
        return self._file.stamp() if self._file is not None else None


def _decoded(data: bytes) -> dict[str, Any]:
    stored = msgspec.json.decode(data, type=dict[str, Any])
    msgspec.convert(stored, dict[str, ModelOptions])
    return stored


def _mended(damaged: bytes, good: dict[str, Any] | None) -> dict[str, Any]:
    """Each model's options that can be used, else those of the copy."""
    kept: dict[str, Any] = dict(good or {})
    for model_id, stored in decoded_object(damaged).items():
        if options := msgspec.to_builtins(usable(stored, ModelOptions)):
            kept[model_id] = options
    return kept
