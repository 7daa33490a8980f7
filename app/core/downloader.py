"""One download, from its first request to an installed model. To go on with it later is the same call."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import msgspec

from app.core.download import Download, DownloadState, Order
from app.core.download_table import DownloadTable
from engines.errors import HubFileMissing, ModelFileError
from engines.library import InstalledModel, ModelLibrary
from engines.store.file_lock import file_lock
from engines.store.hub import Hub
from engines.store.names import safe_stem
from engines.store.part import discard_part, lock_path
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
            OSError: the disk refuses something.
        """
        order = download.order
        if order.stale:
            order = await self._asked_again(download)
        if order.sha256 is not None and order.bytes is not None:
            # Already here, under whatever name: then there is nothing to download.
            twin = await asyncio.to_thread(self._library.find_content, order.bytes, order.sha256)
            if twin is not None:
                self.discard(order)
                return twin
        target = self.target(order)
        arrived = await self._whole(target, order, report) if target.exists() else None
        if arrived is None:
            arrived = await self._fetch(order, target, download.done_bytes, report)
        if (order.bytes, order.sha256) != (arrived.size, arrived.sha256):
            order = msgspec.structs.replace(order, bytes=arrived.size, sha256=arrived.sha256)
            self._table.remember(download.id, order)
        return self._install(order, arrived)

    def target(self, order: Order) -> Path:
        """Where the file lies when it is whole; its part lies beside it."""
        return self._folder / f"{order.key}.gguf"

    def discard(self, order: Order) -> None:
        """Delete what has arrived, unless somebody is still writing it."""
        target = self.target(order)
        if not self._folder.is_dir():
            return
        with file_lock(lock_path(target)) as held:
            if held:
                discard_part(target)
                target.unlink(missing_ok=True)

    def sweep(self, orders: list[Order]) -> None:
        """Delete what belongs to none of these downloads: they were cancelled while the app was killed."""
        known = {order.key for order in orders}
        for path in self._folder.glob("*.gguf*"):
            key = path.name.partition(".")[0]
            if key not in known:
                with file_lock(lock_path(self._folder / f"{key}.gguf")) as held:
                    if held:
                        path.unlink(missing_ok=True)

    async def _fetch(self, order: Order, target: Path, done: int, report: Report) -> Arrived:
        hub = self._open_hub()

        def progress(arrived: int, _total: int) -> None:
            nonlocal done
            done = arrived
            report(DownloadState.RUNNING, arrived)

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            source = Source(
                url=hub.file_url(order.repository, order.commit, order.file),
                repository=order.repository,
                name=PurePosixPath(order.file).name,
                size=order.bytes,
                sha256=order.sha256,
                beginning=_GGUF,
            )
            transfer = self._transfer(
                hub.connection,
                source,
                target,
                progress=progress,
                verifying=lambda: report(DownloadState.VERIFYING, done),
            )
            return await transfer.run()
        finally:
            await hub.close()

    async def _whole(self, target: Path, order: Order, report: Report) -> Arrived | None:
        """A file that was whole when the process was killed; None, and it is gone, if it is another one."""
        report(DownloadState.VERIFYING, order.bytes or 0)
        size, found = await asyncio.to_thread(_size_and_hash, target)
        if order.bytes in (None, size) and order.sha256 in (None, found):
            return Arrived(target, size, found)
        log.warning("a downloaded file is not what it was; it is downloaded again")
        self.discard(order)
        return None

    def _install(self, order: Order, arrived: Arrived) -> InstalledModel:
        source = order.arrived(arrived.size, arrived.sha256)
        try:
            return self._library.adopt(arrived.path, safe_stem(order.file), source)
        except ModelFileError as error:
            arrived.path.unlink(missing_ok=True)
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
            old, commit=details.commit, bytes=file.bytes, sha256=file.sha256, stale=False
        )
        if order.key != old.key or (order.sha256, order.bytes) != (old.sha256, old.bytes):
            self.discard(old)
        self._table.replace(download.id, order)
        return order


def _size_and_hash(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()
