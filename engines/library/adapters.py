"""LoRA adapters that the user has chosen: copies in a folder beside the models, shared by all of them.

Copies, not links: an adapter is small beside its model, and what a phone's file picker gives is gone soon.
"""

from __future__ import annotations

import errno
import threading
from pathlib import Path

from engines.errors import AdapterUnusable, NotEnoughDiskSpace
from engines.library.copying import Progress, copy_into, free_bytes, same_content
from engines.library.installed import InstalledModel
from engines.library.unfinished import remove_abandoned
from engines.lora import check_fit, read_adapter


class AdapterFolder:
    """The adapters in `folder`, which is made when the first one is added. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        remove_abandoned(folder)

    def relocate(self, folder: Path) -> None:
        """The adapters lie in another folder now."""
        with self._lock:
            self._folder = folder

    def path(self, name: str) -> Path:
        """Where the adapter with this name lies, or lay."""
        return self._folder / name

    def exists(self, name: str) -> bool:
        """Whether its file is there."""
        return self.path(name).is_file()

    def add(self, path: Path, model: InstalledModel, progress: Progress | None = None) -> str:
        """Copy an adapter for a model; returns its name.

        One with the same content is not copied again. Blocks as long as the copying takes.

        Raises:
            AdapterUnusable: it is missing or damaged, is no adapter, or is one for other models.
            NotEnoughDiskSpace: there is no room for the copy.
        """
        path = path.absolute()
        size = read_adapter(path, model.architecture).file_bytes
        check_fit(path, model.path)
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            for known in self._folder.glob("*.gguf"):
                if known.stat().st_size == size and same_content(known, path):
                    return known.name
            try:
                return copy_into(self._folder, path, size, progress).name
            except FileNotFoundError as error:
                raise AdapterUnusable(path, type(error).__name__) from error
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                raise NotEnoughDiskSpace(size, free_bytes(self._folder)) from error

    def remove(self, name: str) -> None:
        """Delete an adapter; one that is gone already is no fault."""
        with self._lock:
            self.path(name).unlink(missing_ok=True)
