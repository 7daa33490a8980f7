"""Damaged files of the app get another name, so that nothing overwrites them, and the user hears of it."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.strings import Strings

log = logging.getLogger(__name__)

MARK = ".damaged-"
"""Between a file's own name and the day on which it was set aside."""
_DATABASE_RESTS = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that was damaged."""

    path: Path
    """Its name now."""
    restored: bool
    """Whether the last good copy is in its place; else a new one was begun."""

    def told(self, strings: Strings) -> str:
        """What the user has to know."""
        if self.restored:
            return strings("set_aside.restored", name=self.path.name)
        sentences = [strings("set_aside.anew", name=self.path.name)]
        if self.path.name.startswith("settings.json"):
            sentences.append(strings("set_aside.offline"))
        return " ".join(sentences)


_lock = threading.Lock()
_untold: list[SetAside] = []


def set_aside(path: Path) -> Path:
    """Rename a file, or whatever lies in its place; returns the new name.

    Raises:
        OSError: the system does not let us.
    """
    aside = free_name(path)
    path.rename(aside)
    return aside


def set_database_aside(path: Path) -> Path:
    """Rename a database together with the parts of it that SQLite keeps beside it. Raises OSError."""
    aside = free_name(path)
    for rest in _DATABASE_RESTS:  # first: they may hold the newest changes, and belong to no other file
        part = path.with_name(path.name + rest)
        if part.exists():
            part.rename(aside.with_name(aside.name + rest))
    path.rename(aside)
    remember(SetAside(aside, restored=False))
    return aside


def free_name(path: Path) -> Path:
    """The name that a damaged file gets today."""
    aside = wanted = path.with_name(f"{path.name}{MARK}{date.today().isoformat()}")
    number = 1
    while aside.exists() or aside.is_symlink():
        number += 1
        aside = wanted.with_name(f"{wanted.name}-{number}")
    return aside


def remember(found: SetAside) -> None:
    """Note it for the user, who is told once."""
    log.warning("%s: restored from a copy: %s", found.path.name, found.restored)
    with _lock:
        _untold.append(found)


def take_untold(folder: Path) -> tuple[SetAside, ...]:
    """What this process has set aside below a folder since the last call; whoever asks tells the user."""
    with _lock:
        found = tuple(one for one in _untold if one.path.is_relative_to(folder))
        _untold[:] = [one for one in _untold if one not in found]
    return found


def all_set_aside(folder: Path) -> list[Path]:
    """Every file that was ever set aside below a data folder, and is still there."""
    found = [*folder.glob(f"*{MARK}*"), *folder.glob(f"*/*{MARK}*")]
    return sorted(path for path in found if not path.name.endswith(_DATABASE_RESTS))
