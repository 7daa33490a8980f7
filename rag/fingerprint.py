"""Recognising a file by its content."""

from __future__ import annotations

import hashlib
from pathlib import Path

_BLOCK = 1 << 20


def fingerprint(path: Path) -> tuple[str | None, int]:
    """SHA-256 and size in bytes; a file that cannot be read has no fingerprint, indexing tells why."""
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except OSError:
        return None, 0
    return digest.hexdigest(), size
