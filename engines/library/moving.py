"""Moves the models' folder: everything is copied and checked first, and deleted in the old place last.

Killed anywhere in between, nothing is lost: until the app says that the new folder counts (between `bring`
and `delete_old`), the old one is whole; from then on the new one is. A note, kept by the caller, tells the
next start what to clean up. On the same disk nothing is copied: each file gets a second name (a hard link).
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from engines.errors import ModelFileDamaged, NotEnoughDiskSpace
from engines.library.copying import RESERVE_BYTES, Progress, free_bytes
from engines.library.unfinished import UNFINISHED_SUFFIX, publish, remove_abandoned, unfinished_file

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 4 << 20
_LOCK_SUFFIX = ".lock"
_MOST_FILES = 100_000


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is moved, from where to where."""

    source: str
    target: str
    files: tuple[str, ...]
    """Below the source, and then below the target."""
    made: bool
    """Whether the target is a new folder."""

    @property
    def old(self) -> Path:
        """The folder before."""
        return Path(self.source)

    @property
    def new(self) -> Path:
        """The folder afterwards."""
        return Path(self.target)


def plan_move(source: Path, target: Path) -> Move:
    """List what has to be moved."""
    files = tuple(str(path.relative_to(source)) for path in _files(source))
    return Move(str(source), str(target), files, made=not target.exists())


def folder_bytes(folder: Path) -> int:
    """What the files of a models' folder take; 0 where there is none."""
    total = 0
    for path in _files(folder):
        with suppress(OSError):  # removed in this moment
            total += path.stat().st_size
    return total


def bring(move: Move, progress: Progress | None = None) -> None:
    """Bring every file into the new folder, and check it there; the old folder stays as it is.

    Args:
        move: what `plan_move` has found.
        progress: called with bytes done, copied and checked, and all bytes. What it raises ends the moving;
            call `undo` then.

    Raises:
        NotEnoughDiskSpace: the disk of the new folder has no room.
        ModelFileDamaged: what was written there is not what was read here.
        OSError: a file cannot be read, or the folder cannot be written.
    """
    old, new = move.old, move.new
    new.mkdir(parents=True, exist_ok=True, mode=0o700)
    same_disk = old.stat().st_dev == new.stat().st_dev
    total = sum((old / name).lstat().st_size for name in move.files)
    if not same_disk and total + RESERVE_BYTES > (free := free_bytes(new)):
        raise NotEnoughDiskSpace(total, free)
    meter = _Meter(2 * total, progress)
    try:
        for name in move.files:
            source, target = old / name, new / name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (same_disk and _link(source, target)):
                _copy(source, target, meter)
            else:
                meter.add(2 * source.lstat().st_size)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise NotEnoughDiskSpace(total, free_bytes(new)) from error
    _sync_folders(move)


def undo(move: Move) -> None:
    """Take out of the new folder what `bring` has brought there. Only what the old folder still has."""
    for name in move.files:
        if os.path.lexists(move.old / name):
            _delete(move.new / name)
    _delete_unfinished(move.new)
    _delete_empty_folders(move.new, itself=move.made)


def delete_old(move: Move) -> int:
    """Delete in the old folder what the new one has; returns the bytes freed. May be called again."""
    freed = 0
    for name in move.files:
        source, target = move.old / name, move.new / name
        with suppress(OSError):
            size = source.lstat().st_size
            if target.lstat().st_size == size and _delete(source):
                freed += size
    _delete_unfinished(move.old)
    _delete_empty_folders(move.old, itself=True)
    return freed


class _Meter:
    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total = total
        self._progress = progress
        self._done = 0

    def add(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(self._done, self._total)


def _files(folder: Path) -> Iterator[Path]:
    """Regular files and links, but not what is only there for a moment."""
    left = _MOST_FILES
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            left -= 1
            if left < 0:
                raise OSError(errno.EFBIG, "too many files")
            path = Path(parent, name)
            if _is_unfinished(path) or path.suffix == _LOCK_SUFFIX:
                continue
            with suppress(FileNotFoundError):
                mode = path.lstat().st_mode
                if stat.S_ISREG(mode) or stat.S_ISLNK(mode):
                    yield path


def _link(source: Path, target: Path) -> bool:
    """Give a file a second name; False where this file system has no such thing."""
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        return target.exists() and target.samefile(source)
    return True


def _copy(source: Path, target: Path, meter: _Meter) -> None:
    if source.is_symlink():
        _delete(target)
        target.symlink_to(source.resolve())
        meter.add(2 * source.lstat().st_size)
        return
    digest = hashlib.sha256()
    with source.open("rb") as original, unfinished_file(target.parent) as (unfinished, copy):
        while chunk := original.read(_CHUNK_BYTES):
            copy.write(chunk)
            digest.update(chunk)
            meter.add(len(chunk))
        publish(unfinished, copy, target)
    shutil.copystat(source, target)
    check = hashlib.sha256()
    with target.open("rb") as written:
        while chunk := written.read(_CHUNK_BYTES):
            check.update(chunk)
            meter.add(len(chunk))
    if check.digest() != digest.digest():
        raise ModelFileDamaged(source, "the copy is not what was read")


def _delete(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:  # Windows deletes no file that is open: the next start tries again
        logger.info("a file stays where it was: %s", type(error).__name__)
        return False
    return True


def _is_unfinished(path: Path) -> bool:
    return path.name.startswith(".") and path.suffix == UNFINISHED_SUFFIX


def _delete_unfinished(folder: Path) -> None:
    """What copies that were killed have left."""
    for parent, _, _ in os.walk(folder):
        remove_abandoned(Path(parent))


def _delete_empty_folders(folder: Path, *, itself: bool) -> None:
    for parent, _, _ in os.walk(folder, topdown=False):
        if itself or Path(parent) != folder:
            with suppress(OSError):  # not empty: somebody has put something there
                Path(parent).rmdir()


def _sync_folders(move: Move) -> None:
    """Write the names down to the disk, too, before the old ones are deleted."""
    if os.name != "posix":
        return
    for folder in {move.new, *((move.new / name).parent for name in move.files)}:
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
