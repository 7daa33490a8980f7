"""Whether a file is still what it was, by what the system knows of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file at one time. Another file that takes over its name has another `place`."""

    path: Path
    place: tuple[int, int]
    state: tuple[int, int]
    """Bytes, and when they were last written."""

    @classmethod
    def of(cls, path: Path) -> FileStamp | None:
        """The stamp of a file; `None` where there is none."""
        try:
            status = path.stat()
        except (OSError, ValueError):
            return None
        return cls(path, (status.st_dev, status.st_ino), (status.st_size, status.st_mtime_ns))

    def overwritten(self) -> bool:
        """Whether this very file has other content now; one that is gone or was replaced has not."""
        now = FileStamp.of(self.path)
        return now is not None and now.place == self.place and now.state != self.state


def stamps_of(paths: Iterable[Path]) -> list[FileStamp]:
    """The stamps of those files that are there."""
    return [stamp for path in paths if (stamp := FileStamp.of(path)) is not None]


def any_overwritten(stamps: Iterable[FileStamp]) -> bool:
    """Whether one of the files has other content now."""
    return any(stamp.overwritten() for stamp in stamps)
