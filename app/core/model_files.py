"""The files of the models of this device, and whether they may be touched now."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from app.core.errors import FolderMissing, ModelsMoving
from app.core.settings import SettingsStore
from engines.errors import ModelFileError
from engines.library import ContentCheck, InstalledModel, ModelLibrary


class _Stopped(Exception):
    """Nobody waits for the result any more."""


class ModelFiles:
    """The models' folder, as the app uses it."""

    def __init__(self, library: ModelLibrary, settings: SettingsStore) -> None:
        self.aside = False
        """Whether the models are on their way to another folder."""
        self._library = library
        self._settings = settings

    def installed(self) -> list[InstalledModel]:
        """All sound models of this device."""
        return self._library.installed()

    def missing_folder(self) -> str | None:
        """The folder that the user wants the models in, if it is not there; None where all is well."""
        wanted = self._settings.current.models_folder
        return wanted if wanted is not None and not self._library.folder.is_dir() else None

    def broken(self) -> list[tuple[Path, ModelFileError]]:
        """Files and links of the models' folder that cannot be used, each with the reason."""
        return self._library.broken()

    def check_here(self) -> None:
        """Raises ModelsMoving or FolderMissing where the models' folder is not to be touched."""
        if self.aside:
            raise ModelsMoving
        if (missing := self.missing_folder()) is not None:
            raise FolderMissing(missing)

    async def verify(self, model_id: str, progress: Callable[[int, int], None] | None = None) -> ContentCheck:
        """Whether a model's file is still what was downloaded. Takes seconds per gigabyte; can be cancelled.

        `progress` is called in another thread, with bytes read and all bytes.

        Raises:
            ModelFileAltered: it is not.
            ModelFileMissing: it is not installed any more.
        """
        self.check_here()
        stopped = threading.Event()

        def go_on(done: int, total: int) -> None:
            if stopped.is_set():
                raise _Stopped
            if progress is not None:
                progress(done, total)

        try:
            return await asyncio.to_thread(self._library.verify, model_id, go_on)
        finally:
            stopped.set()  # whoever waits no more needs no result

    async def verify_if_written(self, model: InstalledModel) -> None:
        """Read a downloaded file once where it was written since it arrived.

        Raises:
            As `verify`.
        """
        if await asyncio.to_thread(self._library.needs_check, model):
            await self.verify(model.id)
