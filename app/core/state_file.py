"""A small file with state of the app, of which a last good copy is kept beside it.

A file that cannot be understood is set aside under another name, the copy takes its place, and the user is
told. Where the copy is no good either, it depends on what is lost: settings begin anew, but nobody may be
trusted more because the list of blocked devices was damaged. Such a *guarded* file stays where it is, and
raises `RecordsLost` until the user says that it may begin anew.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from app.core.errors import RecordsLost
from app.core.json_file import LARGEST_FILE
from app.core.set_aside import SetAside, remember, set_aside
from network.whole_file import replace_file

log = logging.getLogger(__name__)

T = TypeVar("T")

Stamp = tuple[int, int, int]

_UNUSABLE = (ValueError, RecursionError, PermissionError, IsADirectoryError)
"""`decode` refuses it; or what lies there can neither be read nor be written."""


class StateFile(Generic[T]):
    """Bytes that `decode` understands. Thread-safe as far as the file system is."""

    def __init__(
        self,
        path: Path,
        decode: Callable[[bytes], T],
        *,
        mend: Callable[[bytes, T | None], T | None] | None = None,
        encode: Callable[[T], bytes] | None = None,
        guarded: bool = False,
    ) -> None:
        """
        Args:
            path: the file. Its copy has the same name with `.copy` at its end.
            decode: raises ValueError or RecursionError for what is not whole.
            mend: what can be used of a damaged file and its copy, None for nothing; it needs `encode`.
            encode: the bytes of a mended value.
            guarded: whether less would be safe without what it holds.
        """
        self.path = path
        self.copy = path.with_name(path.name + ".copy")
        self._decode = decode
        self._mend = mend
        self._encode = encode
        self._guarded = guarded

    def read(self) -> T | None:
        """What it holds; None where there is none, or where all of it was unusable.

        Raises:
            RecordsLost: it is guarded, damaged, and so is its copy.
            OSError: the device does not read; nothing is known of the file then, and it is left alone.
        """
        try:
            data = _bytes(self.path)
            value = self._decode(data)
        except FileNotFoundError:
            return self._after_loss()
        except _UNUSABLE as error:
            log.warning("%s is damaged: %s", self.path.name, type(error).__name__)
            return self._after_damage()
        self._keep_copy(data)
        return value

    def write(self, data: bytes) -> None:
        """Replace it and its copy, each as a whole.

        Raises:
            OSError: the device is full or refuses to write; the old file is there then.
        """
        replace_file(self.path, data)
        self._keep_copy(data)

    def begin_anew(self) -> None:
        """The user agrees to what `RecordsLost` has said: set the damaged file aside. Raises OSError."""
        try:
            self.read()
        except RecordsLost:
            damaged = [path for path in (self.path, self.copy) if path.exists()]
            for aside in [set_aside(path) for path in damaged]:
                remember(SetAside(aside, restored=False))

    def stamp(self) -> Stamp | None:
        """Changes whenever the file is replaced; None where there is none. Raises OSError."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _keep_copy(self, data: bytes) -> None:
        try:
            with contextlib.suppress(FileNotFoundError, ValueError):
                if _bytes(self.copy) == data:
                    return
            replace_file(self.copy, data)
        except OSError as error:  # the file itself is good
            log.warning("%s has no copy: %s", self.path.name, type(error).__name__)

    def _after_loss(self) -> T | None:
        good = self._good_copy()
        if good is not None:
            log.warning("%s is gone, its copy is used", self.path.name)
            self._restore(self.copy.read_bytes())
        elif self._guarded and self.copy.exists():
            raise RecordsLost(self.path.name)
        return good

    def _after_damage(self) -> T | None:
        damaged = b""
        with contextlib.suppress(OSError):
            damaged = _bytes(self.path)
        good = self._good_copy()
        if good is None and self._guarded:
            raise RecordsLost(self.path.name)
        value = self._mend(damaged, good) if self._mend else good
        try:
            aside = set_aside(self.path)
        except FileNotFoundError:  # another process has just done it
            return value
        except OSError as error:
            log.warning("%s cannot be set aside: %s", self.path.name, type(error).__name__)
            return value
        remember(SetAside(aside, restored=good is not None))
        if value is not None and self._encode:
            self._restore(self._encode(value))
        elif good is not None:
            self._restore(self.copy.read_bytes())
        return value

    def _good_copy(self) -> T | None:
        try:
            return self._decode(_bytes(self.copy))
        except FileNotFoundError:
            return None
        except _UNUSABLE as error:
            log.warning("%s is damaged: %s", self.copy.name, type(error).__name__)
            return None

    def _restore(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.write(data)


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise ValueError(path.name)
    return data
