"""Tells a model that is here already from a new one, wherever the two lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from engines.gguf import GgufHeader
from engines.library.installed import InstalledModel

_SAMPLES = 16
_SAMPLE_BYTES = 64 << 10


class Seen:
    """What is installed or was found already: by file, by hash, and by samples of the content."""

    def __init__(self, installed: Sequence[InstalledModel]) -> None:
        self._files: set[tuple[int, int]] = set()
        self._hashes = {model.source.sha256 for model in installed if model.source is not None}
        self._by_size: dict[int, list[Path]] = {}
        for model in installed:
            self._remember(model.path)

    def is_new(self, header: GgufHeader, sha256: str | None) -> bool:
        """Whether this is none of those; from now on it is one."""
        try:
            status = header.path.stat()
            twins = self._by_size.get(status.st_size, [])
            sample = _sample(header.path) if twins else b""
            if (
                (status.st_dev, status.st_ino) in self._files
                or (sha256 is not None and sha256 in self._hashes)
                or any(_sample(twin) == sample for twin in twins)
            ):
                return False
        except OSError:
            return False
        self._remember(header.path)
        if sha256 is not None:
            self._hashes.add(sha256)
        return True

    def _remember(self, path: Path) -> None:
        try:
            status = path.stat()
        except OSError:
            return
        self._files.add((status.st_dev, status.st_ino))
        self._by_size.setdefault(status.st_size, []).append(path)


def _sample(path: Path) -> bytes:
    """Enough of a file to tell it from others of its size, without reading all of it."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        pieces = []
        for number in range(_SAMPLES):
            file.seek((size - _SAMPLE_BYTES) * number // (_SAMPLES - 1) if size > _SAMPLE_BYTES else 0)
            pieces.append(file.read(_SAMPLE_BYTES))
    return b"".join(pieces)
