"""The list of downloads: a queue that survives restarts, kills and nights without a network.

All processes of the app share the list; one of them does the work, the one that called `start`, or for a
single download the one that called `run_here`. Whoever pauses, resumes or cancels only writes to the table:
the process that downloads looks there several times a second. Two that want the same file are kept apart by
the lock beside its part.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from app.core.download import Download, DownloadState, Order
from app.core.download_table import DownloadTable
from app.core.download_worker import DownloadWorker
from app.core.downloader import Downloader
from app.core.speed import Speed

Listener = Callable[[tuple[Download, ...]], None]


class Downloads:
    """The downloads of this device. Thread-safe; the work is done in a thread of its own.

    Beside what each method names, all raise `DatabaseDamaged` and `OSError` as every store does.
    """

    def __init__(
        self,
        table: DownloadTable,
        downloader: Downloader,
        *,
        look_seconds: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = table
        self._downloader = downloader
        self._worker = DownloadWorker(table, downloader, self._tell, look_seconds=look_seconds, clock=clock)
        self._clock = clock
        self._measuring = threading.Lock()
        self._speeds: dict[int, Speed] = {}
        self._telling = threading.RLock()
        self._listeners: list[Listener] = []
        self._started = False
        self._told: tuple[Download, ...] = ()

    def list(self) -> tuple[Download, ...]:
        """All downloads, in the order in which they were added, as they are at this moment."""
        return tuple(self._shown(download) for download in self._table.all())

    def get(self, id: int) -> Download | None:
        """One of them; None where it was cancelled or dismissed."""
        found = self._table.get(id)
        return self._shown(found) if found else None

    def add(self, order: Order) -> Download:
        """Queue a file. One that is in the list already goes on where it stood."""
        download = self._table.add(order)
        self._changed(download.id)
        return download

    def pause(self, id: int) -> None:
        """Stop, and keep what has arrived."""
        if self._table.pause(id):
            self._changed(id)

    def resume(self, id: int) -> None:
        """Go on after a pause, or at once where it waits for the network."""
        if self._table.resume(id):
            self._changed(id)

    def retry(self, id: int) -> None:
        """Try what failed once more, with the file as the hub has it now."""
        if self._table.resume(id, anew=True):
            self._changed(id)

    def cancel(self, id: int) -> None:
        """Stop, delete what has arrived, and take it off the list. What is installed stays installed."""
        download = self._table.get(id)
        if download is None:
            return
        self._table.remove(id)
        self._downloader.discard(download.order)  # whoever is writing at this moment does it when he notices
        self._changed(id)

    def dismiss(self, id: int) -> None:
        """Take what is done off the list."""
        download = self._table.get(id)
        if download is not None and download.state is DownloadState.DONE:
            self._table.remove(id)
            self._changed(id)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the list after every change and a few times a second while something arrives.

        It is called in the downloads' thread, or in the one that makes a change. Returns what ends that.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def start(self) -> None:
        """Do all the work of the list here, beginning with what a kill has left.

        For one process at a time: the one that holds the instance lock. May be called again.
        """
        if not self._started:
            self._started = True
            self._table.remove_done()
            self._downloader.sweep([download.order for download in self._table.all()])
        self._worker.work_on_all()

    def run_here(self, id: int) -> None:
        """Do this one download here, unless another process is at it; it is followed then."""
        self._worker.work_on(id)

    def hold(self) -> None:
        """Stop what is under way here until `go_on`; it stays wanted. Waits for it: call it in a thread."""
        self._worker.hold()

    def go_on(self) -> None:
        """Work again after `hold`."""
        self._worker.go_on()

    def try_again(self) -> None:
        """What waits for the network need not wait any longer."""
        for download in self._table.all():
            if download.state is DownloadState.WAITING:
                self._worker.look_again(download.id)

    def close(self) -> None:
        """Stop working. What is under way goes on at the next start, or in another process."""
        self._worker.close()
        self._table.close()

    def _changed(self, id: int) -> None:
        self._worker.look_again(id)
        self._tell()

    def _shown(self, download: Download) -> Download:
        """With what this process knows better than the table."""
        with self._measuring:
            if download.state is not DownloadState.RUNNING:
                self._speeds.pop(download.id, None)
                return download
            done = self._worker.arrived.get(download.id, download.done_bytes)
            speed = self._speeds.setdefault(download.id, Speed(clock=self._clock))
            speed.report(done)
            return replace(download, done_bytes=done, bytes_per_second=speed.per_second())

    def _tell(self) -> None:
        if not self._listeners:
            return
        with self._telling:  # one list after the other, the newest last
            downloads = self.list()
            if downloads != self._told:
                self._told = downloads
                for listener in list(self._listeners):
                    listener(downloads)
