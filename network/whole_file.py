"""Small files that are written as a whole, and that only their owner may read."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Write a file; a kill or a power cut leaves the old one or the new one, never a part.

    Other processes and threads may write it at the same time. Nobody but its owner may read it, not even
    for a moment (as `tempfile` makes files).

    Raises:
        OSError: the device is full or refuses to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".new")
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    _keep_name(path.parent)


def _keep_name(folder: Path) -> None:
    """Make a rename in a folder outlive a power cut, where the system can."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):  # some file systems of phones cannot; the rename itself has happened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
