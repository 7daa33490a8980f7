"""What a folder holds, and what that means for its documents. Nothing is opened: `stat` tells enough.

Polling, not the system's own messages: those differ on every system, are lost when too many come, do not
exist on network drives, and need one more package. A look at 10,000 files takes a tenth of a second.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SETTLED_SECONDS = 2.0
"""A file that was written to so lately may still be growing: the next look takes it."""
MOST_FILES = 100_000
_DEEPEST = 64


class Signature(NamedTuple):
    """Equal signatures mean an equal file; a renamed file keeps its own."""

    bytes: int
    changed: int
    """Nanoseconds since 1970."""
    number: int
    """Of the file on its disk; 0 where the system has none."""

    def __str__(self) -> str:
        return f"{self.bytes}.{self.changed}.{self.number}"


@dataclass(slots=True)
class Seen:
    """What one look has found."""

    files: dict[str, str] = field(default_factory=dict)
    """Signatures by path."""
    growing: set[str] = field(default_factory=set)
    """Paths of files that are being written."""
    unreadable: list[str] = field(default_factory=list)
    """Folders that could not be looked into: nobody knows what is in them now."""
    complete: bool = True
    """False where there are more than `MOST_FILES`."""


class Changes(NamedTuple):
    """What is to be done, by path."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    """From, to."""
    gone: tuple[str, ...]


def look(folder: Path, suffixes: AbstractSet[str], now: float) -> Seen:
    """Look through a folder and those in it; not at hidden ones, and not through links, which may be circles.

    Raises:
        OSError: the folder itself cannot be looked into.
    """
    seen = Seen()
    with os.scandir(folder) as entries:
        first = list(entries)
    for entry in _files(first, seen, 0):
        if Path(entry.name).suffix.lower() not in suffixes:
            continue
        if len(seen.files) + len(seen.growing) >= MOST_FILES:
            seen.complete = False
            break
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:  # deleted since it was listed
            continue
        if abs(now - status.st_mtime) < SETTLED_SECONDS:
            seen.growing.add(entry.path)
        else:
            # Windows tells no file's number in a listing.
            seen.files[entry.path] = str(Signature(status.st_size, status.st_mtime_ns, status.st_ino))
    return seen


def _files(entries: Iterable[os.DirEntry[str]], seen: Seen, depth: int) -> Iterator[os.DirEntry[str]]:
    for entry in sorted(entries, key=lambda it: it.name):
        if entry.name.startswith("."):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                if depth < _DEEPEST:
                    with os.scandir(entry.path) as inner:
                        below = list(inner)
                    yield from _files(below, seen, depth + 1)
            elif entry.is_file(follow_symlinks=False):
                yield entry
        except OSError:
            seen.unreadable.append(entry.path)


def compare(known: Mapping[str, str], seen: Seen) -> Changes:
    """What has happened since the last look.

    Args:
        known: Signatures by path, as they were then.
        seen: What is there now.
    """
    added = [path for path in seen.files if path not in known]
    gone = [path for path in known if path not in seen.files and not _unknown(path, seen)]
    left = {known[path]: path for path in gone if not known[path].endswith(".0")}
    renamed: list[tuple[str, str]] = []
    for path in added:
        before = left.pop(seen.files[path], None)
        if before is not None:
            renamed.append((before, path))
    moved_from, moved_to = {before for before, _ in renamed}, {after for _, after in renamed}
    return Changes(
        tuple(path for path in added if path not in moved_to),
        tuple(path for path, signature in seen.files.items() if known.get(path, signature) != signature),
        tuple(renamed),
        tuple(path for path in gone if path not in moved_from),
    )


def _unknown(path: str, seen: Seen) -> bool:
    """Whether this look could not tell if the file is still there."""
    if not seen.complete or path in seen.growing:
        return True
    return any(path.startswith(folder + os.sep) for folder in seen.unreadable)
