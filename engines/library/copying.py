"""Copies a model's file into the models' folder: checked, cancellable, and whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from engines.errors import ModelFileDamaged, NotEnoughDiskSpace
from engines.library.unfinished import publish, unfinished_file

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in total. An exception that it raises ends the copying."""

_CHUNK_BYTES = 4 << 20
RESERVE_BYTES = 64 << 20
"""Left free on the disk, so that conversations can still be saved."""
_MAX_FILE_NAME_BYTES = 240


def copy_into(folder: Path, source: Path, size: int, progress: Progress | None) -> Path:
    """Copy a file of `size` bytes and return where the copy is.

    Raises:
        NotEnoughDiskSpace: there is no room for it.
        ModelFileDamaged: the source has changed meanwhile.
    """
    free = free_bytes(folder)
    if size + RESERVE_BYTES > free:
        raise NotEnoughDiskSpace(size, free)
    done = 0
    with source.open("rb") as original, unfinished_file(folder) as (unfinished, copy):
        while chunk := original.read(_CHUNK_BYTES):
            copy.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, size)
        if done != size:
            raise ModelFileDamaged(source, "the file changed while it was copied")
        return publish(unfinished, copy, free_path(folder, source.stem))


def same_content(one: Path, other: Path) -> bool:
    """Whether two files hold the same bytes."""
    if one.samefile(other):
        return True
    with one.open("rb") as first, other.open("rb") as second:
        while chunk := first.read(_CHUNK_BYTES):
            if chunk != second.read(_CHUNK_BYTES):
                return False
        return not second.read(1)


def free_bytes(folder: Path) -> int:
    """What the disk of a folder has left."""
    return shutil.disk_usage(folder).free


def free_path(folder: Path, stem: str) -> Path:
    """A path that no file has: "name.gguf", else "name (2).gguf" and so on."""
    encoded = stem.lstrip(".").encode("utf-8", "replace")[:_MAX_FILE_NAME_BYTES]
    stem = encoded.decode("utf-8", "ignore") or "model"
    path, number = folder / f"{stem}.gguf", 1
    while path.exists():
        number += 1
        path = folder / f"{stem} ({number}).gguf"
    return path
