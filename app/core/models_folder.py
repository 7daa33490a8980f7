"""Where the models lie: what is there, and moving all of it to another folder or disk."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from app.core.answering import Answering
from app.core.downloads import Downloads
from app.core.errors import FolderInvalid, FolderMissing, FolderTaken, FolderUnwritable, OtherProcess
from app.core.instance import InstanceLock, ProcessesLock
from app.core.json_file import write_whole
from app.core.long_jobs import LongJobs
from app.core.models import Models
from app.core.paths import Paths
from app.core.set_aside import SetAside, remember, set_aside
from app.core.settings import SettingsStore
from engines.library.copying import Progress, free_bytes
from engines.library.moving import Move, bring, delete_old, folder_bytes, plan_move, undo
from engines.store.file_lock import file_lock

log = logging.getLogger(__name__)

_OF_SYSTEMS = frozenset({".DS_Store", "desktop.ini", "lost+found"})
SUBFOLDER = "DAI models"
"""Made in a folder that has other things in it."""


class _Stopped(Exception):
    """Whoever waits for the move does not want it any more."""


@dataclass(frozen=True, slots=True)
class ModelsPlace:
    """The folder of the models."""

    folder: Path
    usual: bool
    """It is the one in the app's own data folder."""
    there: bool
    """False where its disk is not connected."""
    bytes: int
    free_bytes: int


def located(paths: Paths, settings: SettingsStore) -> Paths:
    """The paths with the models' folder of the settings."""
    chosen = settings.current.models_folder
    return replace(paths, models_folder=Path(chosen) if chosen else None)


def finish_move(paths: Paths, settings: SettingsStore) -> None:
    """Clean up after a move that was killed: forwards if the new folder counts already, else back.

    For the one process that holds the instance lock, before anybody looks at the models.
    """
    note = _note(paths)
    try:
        move = msgspec.json.decode(note.read_bytes(), type=Move)
    except FileNotFoundError:
        return
    except (OSError, ValueError, RecursionError):  # it tells nothing about where the models are
        with contextlib.suppress(OSError):
            remember(SetAside(set_aside(note), restored=False))
        return
    if located(paths, settings).models == move.new:
        freed = delete_old(move)
        log.info("a move of the models is finished: %d bytes freed", freed)
        if any((move.old / name).exists() for name in move.files):
            return  # somebody holds a file open: at the next start again
    else:
        undo(move)
        log.info("a move of the models is taken back")
    note.unlink(missing_ok=True)


class ModelsFolder:
    """Looks at the folder of the models, and moves it.

    Args:
        paths: where everything lies now.
        settings: remember the folder.
        instance: the lock of the process that does the background work.
        processes: the lock that all processes share.
        models: unloaded, and not to be used, while they move.
        answering: its answers are stopped.
        jobs: none may run.
        downloads: held meanwhile.
        relocated: told the new folder, when it counts.
    """

    def __init__(
        self,
        paths: Paths,
        settings: SettingsStore,
        instance: InstanceLock,
        processes: ProcessesLock,
        models: Models,
        answering: Answering,
        jobs: LongJobs,
        downloads: Downloads,
        relocated: Callable[[Path], None],
    ) -> None:
        self._paths = paths
        self._settings = settings
        self._instance = instance
        self._processes = processes
        self._models = models
        self._answering = answering
        self._jobs = jobs
        self._downloads = downloads
        self._relocated = relocated

    @property
    def movable(self) -> bool:
        """Whether there is another place to choose: not on phones."""
        return sys.platform not in ("android", "ios")

    @property
    def folder(self) -> Path:
        """Where the models lie."""
        return located(self._paths, self._settings).models

    @property
    def _usual(self) -> Path:
        return replace(self._paths, models_folder=None).models

    def where(self) -> ModelsPlace:
        """The folder, and how full it is. Looks at every file: call it in a thread."""
        folder, usual = self.folder, self._usual
        there = folder.is_dir() or folder == usual
        nearest = next((one for one in (folder, *folder.parents) if one.exists()), Path(folder.anchor))
        return ModelsPlace(folder, folder == usual, there, folder_bytes(folder), free_bytes(nearest))

    def destination(self, wanted: str | Path | None) -> Path:
        """The folder that `move` would use: the one that is wanted, or a new one in it if it is not empty.

        Args:
            wanted: as people write it, `~` for the home folder; None: the usual one.

        Raises:
            FolderInvalid: it is no folder, or not written from its root on.
            FolderTaken: it is the present one, or lies inside it.
            FolderUnwritable: nothing can be written there.
            FolderMissing: the present folder is not there, so there is nothing to move.
        """
        present = self.folder
        if not present.is_dir():
            raise FolderMissing(str(present))
        target = self._usual if wanted is None else _understood(wanted)
        if target.resolve().is_relative_to(present.resolve()):
            raise FolderTaken(str(target))
        if not _is_free(target):
            target = target / SUBFOLDER
            if target.resolve() == present.resolve() or not _is_free(target):
                raise FolderTaken(str(target))
        _check_writable(target)
        return target

    async def move(self, wanted: str | Path | None, progress: Progress | None = None) -> Path:
        """Move everything; cancelling the task takes it back, as long as the old folder counts.

        Answers that are being written are stopped, the model is unloaded, downloads wait. Returns where the
        models are now.

        Args:
            wanted: see `destination`.
            progress: called in another thread with bytes done and all bytes.

        Raises:
            OtherProcess: another window or terminal uses the models.
            AlreadyBenchmarking, AlreadyCompressing: a long job is under way.
            NotEnoughDiskSpace: the other disk has no room.
            FolderInvalid, FolderTaken, FolderUnwritable, FolderMissing: see `destination`.
            ModelFileDamaged, OSError: the copying went wrong; everything is as it was.
        """
        if not self._instance.held:
            raise OtherProcess
        self._jobs.check_idle()
        target = await asyncio.to_thread(self.destination, wanted)
        with self._processes.alone() as alone:
            if not alone:
                raise OtherProcess
            await self._answering.stop_all()
            async with self._models.set_aside():
                await asyncio.to_thread(self._downloads.hold)
                try:
                    await self._in_thread(target, progress)
                finally:
                    self._downloads.go_on()
        return target

    async def give_up(self) -> Path:
        """Use the usual folder from now on, without moving: for when the present one will not come back.

        Raises:
            FolderTaken: the present folder is there; move the models instead.
        """
        if self.folder.is_dir():
            raise FolderTaken(str(self.folder))
        async with self._models.set_aside():
            await asyncio.to_thread(self._downloads.hold)
            try:
                await asyncio.to_thread(self._settings.change, models_folder=None)
                self._usual.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._relocated(self._usual)
            finally:
                self._downloads.go_on()
        return self._usual

    async def _in_thread(self, target: Path, progress: Progress | None) -> None:
        stopped = threading.Event()

        def tell(done: int, total: int) -> None:
            if stopped.is_set():
                raise _Stopped
            if progress is not None:
                progress(done, total)

        work = asyncio.ensure_future(asyncio.to_thread(self._move, target, tell))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            stopped.set()
            await asyncio.wait({work})
            if work.exception() is None:  # too late to stop
                return
            raise

    def _move(self, target: Path, progress: Progress) -> None:
        old = self.folder
        with _unused_parts(replace(self._paths, models_folder=old).arriving):
            move = plan_move(old, target)
            note = _note(self._paths)
            write_whole(note, move)
            usual = self._usual
            try:
                bring(move, progress)
                self._settings.change(models_folder=None if target == usual else str(target))
            except BaseException:
                if self.folder != target:
                    undo(move)
                    note.unlink(missing_ok=True)
                    raise
                log.exception("the models' folder has changed, but not everybody could be told")
        self._relocated(target)
        delete_old(move)
        if not any((move.old / name).exists() for name in move.files):
            note.unlink(missing_ok=True)


def _note(paths: Paths) -> Path:
    return paths.data / "models-move.json"


def _understood(wanted: str | Path) -> Path:
    text = str(wanted).strip()
    try:
        path = Path(text).expanduser()
        if not text or not path.is_absolute() or "\0" in text:
            raise FolderInvalid(text)
        path = path.resolve()
        if path.exists() and not path.is_dir():
            raise FolderInvalid(text)
    except (OSError, RuntimeError, ValueError):
        raise FolderInvalid(text) from None
    return path


def _is_free(folder: Path) -> bool:
    """Whether it is not there, or empty but for what systems put everywhere."""
    if not os.path.lexists(folder):
        return True
    try:
        return all(path.name in _OF_SYSTEMS for path in folder.iterdir())
    except OSError:
        raise FolderUnwritable(str(folder)) from None


def _check_writable(target: Path) -> None:
    """Write something there, or where it will be made."""
    nearest = next((one for one in (target, *target.parents) if one.exists()), target)
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError:
        raise FolderUnwritable(str(nearest)) from None


@contextmanager
def _unused_parts(arriving: Path) -> Iterator[None]:
    """No terminal is downloading into this folder.

    Raises:
        OtherProcess: one is.
    """
    for lock in arriving.glob("*.lock") if arriving.is_dir() else ():
        with file_lock(lock) as held:
            if not held:
                raise OtherProcess
    yield
