"""A lock between processes that a kill -9 cannot leave behind: the system frees it with its holder."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


@contextlib.contextmanager
def file_lock(path: Path) -> Iterator[bool]:
    """Try to hold the lock for the length of the block; tells whether it is held.

    Two holders in one process exclude each other, too. The file is gone afterwards.
    """
    descriptor = _take(path)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            if sys.platform == "win32":  # which deletes no open file
                os.close(descriptor)
                with contextlib.suppress(OSError):  # the next one holds it already
                    path.unlink()
            else:
                path.unlink(missing_ok=True)
                os.close(descriptor)


def _take(path: Path) -> int | None:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if sys.platform == "win32":
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                return descriptor
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(path, descriptor):
                return descriptor
        except OSError:
            os.close(descriptor)
            return None
        os.close(descriptor)  # its holder has just deleted it: this one is nobody's any more


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
