"""Copies a model's files into the models' folder: checked, cancellable, and whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from engines.errors import ModelFileDamaged, NotEnoughDiskSpace
from engines.library.unfinished import publish, unfinished_file
from engines.split_files import part_names

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in total. An exception that it raises ends the copying."""

_CHUNK_BYTES = 4 << 20
RESERVE_BYTES = 64 << 20
"""Left free on the disk, so that conversations can still be saved."""
_MAX_FILE_NAME_BYTES = 225


def copy_into(folder: Path, source: Path, size: int, progress: Progress | None) -> Path:
    """Copy a file of `size` bytes and return where the copy is.

    Raises:
        NotEnoughDiskSpace: there is no room for it.
        ModelFileDamaged: the source has changed meanwhile.
    """
    return copy_parts_into(folder, [source], source.stem, size, progress)


def copy_parts_into(
    folder: Path, sources: Sequence[Path], stem: str, size: int, progress: Progress | None
) -> Path:
    """Copy all files of a model, of `size` bytes together; returns where the first one's copy is.

    Args:
        folder: where to.
        sources: the whole file, or all parts in their order.
        stem: what to call the copy; a free name like it is taken.
        size: what is expected.
        progress: told of all files as one.

    Raises:
        NotEnoughDiskSpace: there is no room.
        ModelFileDamaged: a source has changed meanwhile.
    """
    free = free_bytes(folder)
    if size + RESERVE_BYTES > free:
        raise NotEnoughDiskSpace(size, free)
    done = 0
    with ExitStack() as unfinished_files:
        copies: list[tuple[Path, BinaryIO]] = []
        for source in sources:
            unfinished, copy = unfinished_files.enter_context(unfinished_file(folder))
            copies.append((unfinished, copy))
            with source.open("rb") as original:
                while chunk := original.read(_CHUNK_BYTES):
                    copy.write(chunk)
                    done += len(chunk)
                    if progress is not None:
                        progress(done, size)
        if done != size:
            raise ModelFileDamaged(sources[0], "the file changed while it was copied")
        targets = free_paths(folder, stem, len(sources))
        # The first part last: without it the others are no model yet.
        for (unfinished, copy), target in reversed(list(zip(copies, targets, strict=True))):
            publish(unfinished, copy, target)
        return targets[0]


def move_parts(sources: Sequence[Path], targets: Sequence[Path]) -> None:
    """Move all files of a model, on one disk; the first part comes last, as without it there is no model.

    Several are linked before any is taken away: a kill in between leaves all of them where they were, and the
    same call goes on.
    """
    if len(sources) == 1:
        sources[0].replace(targets[0])
        return
    for source, target in reversed(list(zip(sources, targets, strict=True))):
        try:
            os.link(source, target)
        except FileExistsError:  # before the kill
            continue
        except OSError:  # a disk without links, as on phones
            source.replace(target)
    for source in sources:
        source.unlink(missing_ok=True)


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
    return free_paths(folder, stem, 1)[0]


def free_paths(
    folder: Path,
    stem: str,
    count: int,
    is_free: Callable[[int, Path], bool] = lambda number, path: not path.exists(),
) -> list[Path]:
    """Paths for a file, or for so many parts, that no other has; `is_free` is asked by number, from 0."""
    encoded = stem.lstrip(".").encode("utf-8", "replace")[:_MAX_FILE_NAME_BYTES]
    stem = encoded.decode("utf-8", "ignore") or "model"
    attempt, tried = stem, 1
    while True:
        paths = [folder / name for name in part_names(attempt, count)]
        if all(is_free(number, path) for number, path in enumerate(paths)):
            return paths
        tried += 1
        attempt = f"{stem} ({tried})"
