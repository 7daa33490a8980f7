"""Whether a model's file still holds what was downloaded: flipped bits make answers nonsense without a word.

Reading gigabytes takes seconds, so what a file was like when its content was last known to be right is kept
in `checked.json` of the models' folder; a file that has not been written since is not read again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engines.errors import ModelFileAltered
from engines.gguf import unreadable
from engines.library.copying import Progress
from engines.library.installed import InstalledModel
from engines.library.unfinished import publish, unfinished_file
from engines.split_files import content_hash

logger = logging.getLogger(__name__)

_FILE = "checked.json"
_CHUNK_BYTES = 4 << 20

Stamps = tuple[tuple[int, int], ...]
"""Of each file of a model: its bytes, and when it was last written."""


@dataclass(frozen=True, slots=True)
class ContentCheck:
    """What a model's file holds."""

    sha256: str
    known: bool
    """Whether that is what was downloaded; False where nobody has noted what it should be."""


class _Checked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    files: dict[str, Stamps] = {}


class CheckedFiles:
    """The stamps in `checked.json` of a models' folder. One thread at a time may write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def holds(self, model: InstalledModel) -> bool:
        """Whether the model's files have not been written since their content was known to be right."""
        return self._all().get(model.path.name) == _stamps(model.paths)

    def note(self, model: InstalledModel) -> None:
        """The content is right at this moment."""
        files = {name: stamps for name, stamps in self._all().items() if (self._folder / name).exists()}
        with unfinished_file(self._folder) as (unfinished, file):
            file.write(msgspec.json.encode(_Checked(files | {model.path.name: _stamps(model.paths)})))
            publish(unfinished, file, self._folder / _FILE)

    def _all(self) -> dict[str, Stamps]:
        try:
            return msgspec.json.decode((self._folder / _FILE).read_bytes(), type=_Checked).files
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError):  # edited by hand, or cut off
            logger.warning("The list of checked models is damaged")
            return {}


def check_content(model: InstalledModel, progress: Progress | None = None) -> ContentCheck:
    """Read a model's files and compare them with what was downloaded. Takes seconds per gigabyte.

    `progress` is called with bytes read and all bytes; what it raises ends the reading.

    Raises:
        ModelFileAltered: they hold something else.
        ModelFileMissing, ModelFileUnreadable: they cannot be read.
    """
    hashes, done = [], 0
    for path in model.paths:
        digest = hashlib.sha256()
        for chunk in _chunks(path):
            digest.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, model.bytes)
        hashes.append(digest.hexdigest())
    found = content_hash(hashes)
    if model.source is None:
        return ContentCheck(found, known=False)
    if found != model.source.sha256:
        raise ModelFileAltered(model.path, f"sha256 {found}, downloaded was {model.source.sha256}")
    return ContentCheck(found, known=True)


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise unreadable(path, error) from error


def _stamps(paths: Sequence[Path]) -> Stamps:
    try:
        return tuple((status.st_size, status.st_mtime_ns) for status in (path.stat() for path in paths))
    except OSError:  # removed in this moment
        return ()
