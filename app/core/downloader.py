"""One download, from its first request to an installed model. To go on with it later is the same call.

A model in several parts is one download: part after part, each resumed and checked like a whole file.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import msgspec

from app.core.download import KEY_LENGTH, Download, DownloadState, Order, OrderPart
from app.core.download_table import DownloadTable
from app.core.errors import FolderMissing
from engines.errors import DownloadInProgress, HubFileMissing, ModelFileError
from engines.library import InstalledModel, ModelLibrary
from engines.split_files import content_hash, part_names
from engines.store.file_lock import file_lock
from engines.store.hub import Hub
from engines.store.names import safe_stem
from engines.store.part import discard_part, lock_path, part_path
from engines.store.transfer import Arrived, Source, Transfer

log = logging.getLogger(__name__)

_GGUF = b"GGUF"
"""How every model file begins; something else is refused before it fills the disk."""

Report = Callable[[DownloadState, int], None]
"""Called with each step, and with the bytes that have arrived."""


class Downloader:
    """Fetches files into `folder`, which is on the disk of the library, and hands them over to it."""

    def __init__(
        self,
        table: DownloadTable,
        folder: Path,
        library: ModelLibrary,
        open_hub: Callable[[], Hub],
        transfer: Callable[..., Transfer] = Transfer,
    ) -> None:
        self._table = table
        self._folder = folder
        self._library = library
        self._open_hub = open_hub
        self._transfer = transfer

    async def run(self, download: Download, report: Report) -> InstalledModel:
        """Bring a download to its end. Cancelling the task pauses it.

        A process that is killed anywhere in here goes on with the same call: with the part, with the whole
        file that was not installed yet, or with the model that was installed but not noted in the table.

        Raises:
            DownloadError: see `engines.errors`; what has arrived is kept, except after `TransferDamaged`.
            ModelFileError: what has arrived is what the hub has, but not a model to use; it is deleted.
            FolderMissing: the disk of the models' folder is not connected.
            OSError: the disk refuses something.
        """
        order = download.order
        if order.stale:
            order = await self._asked_again(download)
        if not self._folder.parent.is_dir():
            raise FolderMissing(str(self._folder.parent))
        self._folder.mkdir(exist_ok=True)
        # Until it is installed: another process that comes in between would see no file, and begin anew.
        with file_lock(self._folder / f"{order.key}.lock") as held:
            if not held:
                raise DownloadInProgress(PurePosixPath(order.file).name)
            return await self._run(download, order, report)

    async def _run(self, download: Download, order: Order, report: Report) -> InstalledModel:
        if order.sha256 is not None and order.bytes is not None:
            # Already here, under whatever name: then there is nothing to download.
            twin = await asyncio.to_thread(self._library.find_content, order.bytes, order.sha256)
            if twin is not None:
                self.discard(order)
                return twin
        targets = self.targets(order)
        arrived: list[Arrived] = []
        for number, (file, target) in enumerate(zip(order.files, targets, strict=True)):
            before = sum(one.size for one in arrived)

            def shifted(state: DownloadState, done: int, before: int = before) -> None:
                report(state, before + done)

            whole = await self._whole(target, file, shifted) if target.exists() else None
            if whole is None:
                later = zip(order.files[number + 1 :], targets[number + 1 :], strict=True)
                more = sum(missing_bytes(other, there) for other, there in later)
                done = max(0, download.done_bytes - before)
                whole = await self._fetch(order, file, target, done, more, shifted)
            arrived.append(whole)
        size, sha256 = sum(one.size for one in arrived), content_hash([one.sha256 for one in arrived])
        if (order.bytes, order.sha256) != (size, sha256):
            order = msgspec.structs.replace(order, bytes=size, sha256=sha256)
            self._table.remember(download.id, order)
        return self._install(order, targets, size, sha256)

    def relocate(self, folder: Path) -> None:
        """What has arrived lies in another folder now."""
        self._folder = folder

    def target(self, order: Order) -> Path:
        """Where the file, or its first part, lies when it is whole; what arrives of it lies beside it."""
        return self.targets(order)[0]

    def targets(self, order: Order) -> list[Path]:
        """The same of all parts, under names by which a model's parts find each other."""
        return [self._folder / name for name in part_names(order.key, len(order.files))]

    def discard(self, order: Order) -> None:
        """Delete what has arrived, unless somebody is still writing it."""
        if not self._folder.is_dir():
            return
        for target in self.targets(order):
            self._discard(target)

    def _discard(self, target: Path) -> None:
        with file_lock(lock_path(target)) as held:
            if held:
                discard_part(target)
                target.unlink(missing_ok=True)

    def sweep(self, orders: list[Order]) -> None:
        """Delete what belongs to none of these downloads: they were cancelled while the app was killed."""
        known = {order.key for order in orders}
        for path in self._folder.glob("*.gguf*"):
            name = path.name.partition(".")[0]
            if name[:KEY_LENGTH] not in known:
                with file_lock(lock_path(self._folder / f"{name}.gguf")) as held:
                    if held:
                        path.unlink(missing_ok=True)

    async def _fetch(
        self, order: Order, file: OrderPart, target: Path, done: int, more: int, report: Report
    ) -> Arrived:
        hub = self._open_hub()

        def progress(arrived: int, _total: int) -> None:
            nonlocal done
            done = arrived
            report(DownloadState.RUNNING, arrived)

        try:
            source = Source(
                url=hub.file_url(order.repository, order.commit, file.file),
                repository=order.repository,
                name=PurePosixPath(file.file).name,
                size=file.bytes,
                sha256=file.sha256,
                beginning=_GGUF,
            )
            transfer = self._transfer(
                hub.connection,
                source,
                target,
                progress=progress,
                verifying=lambda: report(DownloadState.VERIFYING, done),
                more_bytes=more,
            )
            return await transfer.run()
        finally:
            await hub.close()

    async def _whole(self, target: Path, file: OrderPart, report: Report) -> Arrived | None:
        """A file that was whole when the process was killed; None, and it is gone, if it is another one."""
        report(DownloadState.VERIFYING, file.bytes or 0)
        size, found = await asyncio.to_thread(_size_and_hash, target)
        if file.bytes in (None, size) and file.sha256 in (None, found):
            return Arrived(target, size, found)
        log.warning("a downloaded file is not what it was; it is downloaded again")
        self._discard(target)
        return None

    def _install(self, order: Order, targets: list[Path], size: int, sha256: str) -> InstalledModel:
        try:
            return self._library.adopt(targets[0], safe_stem(order.file), order.arrived(size, sha256))
        except ModelFileError as error:
            for target in targets:
                target.unlink(missing_ok=True)
            error.name = PurePosixPath(order.file).name  # not the name of a file that nobody knows
            raise

    async def _asked_again(self, download: Download) -> Order:
        """The file as the hub has it now. What had arrived of another one is deleted."""
        old = download.order
        hub = self._open_hub()
        try:
            details = await hub.model(old.repository, old.branch)
        finally:
            await hub.close()
        file = next((file for file in details.files if file.name == old.file), None)
        if file is None:
            raise HubFileMissing(hub.connection.host, PurePosixPath(old.file).name)
        order = msgspec.structs.replace(
            old,
            commit=details.commit,
            bytes=file.bytes,
            sha256=file.sha256,
            parts=tuple(OrderPart(part.name, part.bytes, part.sha256) for part in file.pieces),
            stale=False,
        )
        if order.key != old.key or (order.sha256, order.bytes) != (old.sha256, old.bytes):
            self.discard(old)
        self._table.replace(download.id, order)
        return order


def missing_bytes(file: OrderPart, target: Path) -> int:
    """What is not here of a file yet."""
    if target.exists() or file.bytes is None:
        return 0
    part = part_path(target)
    return max(0, file.bytes - (part.stat().st_size if part.exists() else 0))


def _size_and_hash(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()
