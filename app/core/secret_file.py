"""Files that only their owner may read."""

from __future__ import annotations

import os
from pathlib import Path


def write_secret(file: Path, data: bytes) -> None:
    """Write a new file as a whole; nobody else may read it, not even for a moment."""
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise
