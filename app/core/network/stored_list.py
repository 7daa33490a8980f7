"""A list of values in a JSON file of its own, which other processes may change, too."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from app.core.json_file import encoded
from app.core.state_file import Stamp, StateFile

T = TypeVar("T", bound=msgspec.Struct)


class StoredList(Generic[T]):
    """Read when it is needed and has changed, written as a whole. Thread-safe.

    A file that cannot be understood is set aside, and its copy takes its place; see `StateFile`. Where both
    are damaged the list is empty, or, if it is guarded, every method raises `RecordsLost`.
    """

    def __init__(self, path: Path, kind: type[T], *, guarded: bool = False) -> None:
        decoder = msgspec.json.Decoder(tuple[kind, ...])  # type: ignore[valid-type]
        self._file: StateFile[tuple[T, ...]] = StateFile(path, decoder.decode, guarded=guarded)
        self._lock = threading.RLock()
        self._read: Stamp | None = None
        self._items: tuple[T, ...] = ()
        self._listeners: list[Callable[[], None]] = []

    def all(self) -> tuple[T, ...]:
        """The values as they are now. Raises OSError where the system does not let us read."""
        with self._lock:
            self._refresh()
            return self._items

    def change(self, change: Callable[[tuple[T, ...]], Sequence[T]]) -> tuple[T, ...]:
        """Replace the list by what `change` makes of it. Raises OSError, and then nothing has changed."""
        with self._lock:
            self._refresh()
            before, items = self._items, tuple(change(self._items))
            if items != before:
                self._file.write(encoded(items))
                self._items, self._read = items, self._file.stamp()
        if items != before:
            for listener in list(self._listeners):
                listener()
        return items

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every change made here; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def begin_anew(self) -> None:
        """Go on with an empty list where the stored one is lost. Raises OSError."""
        with self._lock:
            self._file.begin_anew()

    def _refresh(self) -> None:
        stamp = self._file.stamp()
        if stamp is not None and stamp == self._read:
            return
        self._items = self._file.read() or ()
        self._read = self._file.stamp()
