"""Files that are being written: hidden, swept away when their writer dies, renamed when they are whole.

The writer holds a lock on its file, which the system frees when the process dies, however it dies. So
whoever gets the lock of an unfinished file knows that nobody will ever finish it. Windows needs no lock:
there an open file cannot be deleted.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

UNFINISHED_SUFFIX = ".part"


@contextmanager
def unfinished_file(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A new hidden file in `folder`, open for writing; it is deleted at the end unless it was renamed."""
    path, file = _create(folder)
    try:
        with file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)


def publish(path: Path, file: BinaryIO, target: Path) -> Path:
    """Write everything down to the disk, then give the file its name; one that has it is replaced."""
    file.flush()
    os.fsync(file.fileno())
    if sys.platform == "win32":  # which renames no open file
        file.close()
    return path.replace(target)


def remove_abandoned(folder: Path) -> int:
    """Delete what processes that were killed have left in `folder`; returns the bytes freed."""
    freed = 0
    for path in folder.glob(f".*{UNFINISHED_SUFFIX}"):
        try:
            freed += _remove_unless_written(path)
        except OSError:  # a writer holds it, or has just finished it, or it is not ours to delete
            continue
    return freed


def _create(folder: Path) -> tuple[Path, BinaryIO]:
    while True:
        path = folder / f".{uuid.uuid4().hex}{UNFINISHED_SUFFIX}"
        file = path.open("xb")
        if sys.platform == "win32":
            return path, file
        with suppress(OSError):  # a file system without locks: then nothing on it ever counts as abandoned
            fcntl.flock(file, fcntl.LOCK_EX)
        if path.exists():
            return path, file
        file.close()  # taken for abandoned in the moment between the two calls


def _remove_unless_written(path: Path) -> int:
    if sys.platform == "win32":
        size = path.stat().st_size
        path.unlink()
        return size
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        size = os.fstat(file.fileno()).st_size
        path.unlink()
        return size
