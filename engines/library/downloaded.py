"""Where downloaded models came from; a file beside them remembers it."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from engines.library.unfinished import publish, unfinished_file

logger = logging.getLogger(__name__)

_FILE = "downloaded.json"


class ModelSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a model hub, and what its content was when it was downloaded."""

    repository: str
    """As `owner/name`."""
    revision: str
    """The commit."""
    file: str
    """Its path in the repository; of a model in parts, without the number of the part."""
    bytes: int
    sha256: str
    """Of a model in parts: see `engines.split_files.content_hash`."""


class _Sources(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    files: dict[str, ModelSource] = {}


class DownloadedFiles:
    """The sources in `downloaded.json` of a models' folder. One thread at a time may write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> dict[str, ModelSource]:
        """Every source that is remembered, by the file's name."""
        try:
            return msgspec.json.decode((self._folder / _FILE).read_bytes(), type=_Sources).files
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError):  # edited by hand, or cut off by a full disk
            logger.warning("The list of downloaded models is damaged")
            return {}

    def add(self, path: Path, source: ModelSource) -> None:
        """Remember one more, and forget those whose file is gone."""
        kept = {name: known for name, known in self.all().items() if (self._folder / name).exists()}
        self._write(kept | {path.name: source})

    def remove(self, path: Path) -> None:
        """Forget one."""
        files = self.all()
        if files.pop(path.name, None) is not None:
            self._write(files)

    def _write(self, files: dict[str, ModelSource]) -> None:
        with unfinished_file(self._folder) as (unfinished, file):
            file.write(msgspec.json.encode(_Sources(files)))
            publish(unfinished, file, self._folder / _FILE)
