"""A list of values in a JSON file of its own, which other processes may change, too."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from app.core.json_file import set_aside, write_whole

log = logging.getLogger(__name__)

T = TypeVar("T", bound=msgspec.Struct)


class StoredList(Generic[T]):
    """Read when it is needed and has changed, written as a whole. Thread-safe.

    A file that cannot be understood is renamed, and stays for whoever can repair it; `damaged` tells its new
    name. The list is empty then.
    """

    def __init__(self, path: Path, kind: type[T]) -> None:
        self._path = path
        self._kind = kind
        self._lock = threading.RLock()
        self._read: tuple[int, int] | None = None
        self._items: tuple[T, ...] = ()
        self._listeners: list[Callable[[], None]] = []
        self.damaged: Path | None = None

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
                write_whole(self._path, items)
                self._items, self._read = items, self._state()
        if items != before:
            for listener in list(self._listeners):
                listener()
        return items

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every change made here; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _refresh(self) -> None:
        state = self._state()
        if state == self._read:
            return
        self._items = self._load() if state is not None else ()
        self._read = self._state()

    def _load(self) -> tuple[T, ...]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=tuple[self._kind, ...])  # type: ignore[name-defined]
        except FileNotFoundError:
            return ()
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            log.warning("%s is damaged and set aside: %s", self._path.name, type(error).__name__)
            self.damaged = set_aside(self._path)
            return ()

    def _state(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size
