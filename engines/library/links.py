"""Models that are used where they lie; a file beside the copied ones remembers where that is."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from engines.library.unfinished import publish, unfinished_file

logger = logging.getLogger(__name__)

_FILE = "linked.json"


class _Links(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    paths: tuple[str, ...] = ()


class LinkedFiles:
    """The paths in `linked.json` of a models' folder. One thread at a time may write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def paths(self) -> list[Path]:
        """All links, in the order in which they were made."""
        try:
            links = msgspec.json.decode((self._folder / _FILE).read_bytes(), type=_Links)
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError):  # edited by hand, or cut off: linking again mends it
            logger.warning("The list of linked models is damaged")
            return []
        return [Path(path) for path in links.paths]

    def add(self, path: Path) -> None:
        """Remember one more."""
        self._write([*self.paths(), path])

    def remove(self, path: Path) -> None:
        """Forget one."""
        self._write([link for link in self.paths() if link != path])

    def _write(self, paths: list[Path]) -> None:
        with unfinished_file(self._folder) as (unfinished, file):
            file.write(msgspec.json.encode(_Links(tuple(str(path) for path in paths))))
            publish(unfinished, file, self._folder / _FILE)
