"""The thread that downloads: it compares what the table wants with what is under way, again and again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable

from app.core.download import Download, DownloadState, Problem
from app.core.download_table import DownloadTable
from app.core.downloader import Downloader
from app.core.errors import FolderMissing, OfflineChosen
from engines.errors import (
    DownloadInProgress,
    DownloadNeedsSpace,
    EngineError,
    HubAnswerBroken,
    HubBusy,
    HubUnreachable,
    Offline,
)

log = logging.getLogger(__name__)

AT_ONCE = 2
_PASSING = (Offline, OfflineChosen, HubUnreachable, HubBusy, HubAnswerBroken)
"""What goes away by itself, as the sign-in page of a network does: then the download waits."""
_FIRST_WAIT_SECONDS = 20.0
_LONGEST_WAIT_SECONDS = 15 * 60.0
_ELSEWHERE_SECONDS = 2.0
_TELL_SECONDS = 0.2
_KEEP_SECONDS = 1.0
_IDLE_LOOKS = 6
"""With nothing to do, look so many times less often."""
_HAS_OTHER_PROCESSES = sys.platform not in ("android", "ios")


class DownloadWorker:
    """Works on all downloads after `work_on_all`, else on those named by `work_on`."""

    def __init__(
        self,
        table: DownloadTable,
        downloader: Downloader,
        tell: Callable[[], None],
        *,
        look_seconds: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tell` is called in the worker's thread whenever something has changed."""
        self.arrived: dict[int, int] = {}
        """Bytes of what is under way here; newer than the table."""
        self._table = table
        self._downloader = downloader
        self._tell = tell
        self._look_seconds = look_seconds
        self._clock = clock
        self._all = False
        self._some: set[int] = set()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._closing = False
        self._held = False
        # Of the thread only:
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._not_before: dict[int, float] = {}
        self._waits: dict[int, float] = {}
        self._kept: dict[int, tuple[DownloadState, float]] = {}
        self._last_told = 0.0

    def work_on_all(self) -> None:
        """Do every download that is wanted, now and later."""
        self._all = True
        self._start()

    def work_on(self, id: int) -> None:
        """Do this one."""
        self._some.add(id)
        self._start()

    def look_again(self, id: int) -> None:
        """This one has changed in the table: do not wait any longer."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._at_once, id)

    def hold(self) -> None:
        """Stop all that is under way, wait for it, and begin nothing until `go_on`. It stays wanted."""
        self._held = True
        if self._loop is not None and not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._end_tasks(), self._loop).result()

    def go_on(self) -> None:
        """Work again after `hold`."""
        self._held = False
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    def close(self) -> None:
        """Stop, and wait for it. What is under way stays wanted."""
        with self._starting:
            self._closing = True
        if self._thread is not None and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended meanwhile
                self._loop.call_soon_threadsafe(self._wake.set)
            self._thread.join()

    def _start(self) -> None:
        with self._starting:
            if self._closing:
                return
            if self._thread is None:
                self._thread = threading.Thread(
                    target=lambda: asyncio.run(self._work()), name="downloads", daemon=True
                )
                self._thread.start()
        self._ready.wait()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    def _at_once(self, id: int) -> None:
        self._not_before.pop(id, None)
        self._waits.pop(id, None)
        self._wake.set()

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        try:
            while not self._closing:
                busy = True
                try:
                    busy = self._look()
                    self._tell()
                except Exception as error:  # noqa: BLE001 - a busy or full disk: the next look may be luckier
                    log.warning("the list of downloads could not be read: %s", type(error).__name__)
                with contextlib.suppress(TimeoutError):
                    # Not wait_for, which in Python 3.11 can lose a cancellation that comes with the wake-up.
                    async with asyncio.timeout(self._pause(busy=busy)):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            await self._end_tasks()

    async def _end_tasks(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _pause(self, *, busy: bool) -> float | None:
        if busy:
            return self._look_seconds
        return self._look_seconds * _IDLE_LOOKS if _HAS_OTHER_PROCESSES else None

    def _look(self) -> bool:
        """Start what is wanted, stop what is not; returns whether anything is wanted."""
        wanted = {download.id: download for download in self._table.all() if download.state.active}
        for one, task in self._tasks.items():
            # Queued again though it is under way: somebody has paused and resumed it between two looks.
            if one not in wanted or (one in self._kept and wanted[one].state is DownloadState.QUEUED):
                task.cancel()
        now = self._clock()
        for one, download in wanted.items():
            mine = (self._all or one in self._some) and not self._held
            free = one not in self._tasks and len(self._tasks) < AT_ONCE
            if mine and free and self._not_before.get(one, now) <= now:
                self._tasks[one] = asyncio.create_task(self._download(download))
        return bool(wanted)

    async def _download(self, download: Download) -> None:
        this = download.id
        try:
            if download.state not in (DownloadState.RUNNING, DownloadState.VERIFYING):
                self._report(this, DownloadState.RUNNING, download.done_bytes)
            model = await self._downloader.run(download, lambda state, done: self._report(this, state, done))
            self._table.finish(this, model.id)
        except asyncio.CancelledError:
            self._interrupted(download)
        except DownloadInProgress:  # by another process: come back when it is done or dead
            self._not_before[this] = self._clock() + _ELSEWHERE_SECONDS
        except _PASSING as error:
            seconds = self._waits.get(this, _FIRST_WAIT_SECONDS)
            self._waits[this] = min(seconds * 2, _LONGEST_WAIT_SECONDS)
            self._not_before[this] = self._clock() + seconds
            self._stopped(this, DownloadState.WAITING, error)
        except DownloadNeedsSpace as error:
            self._stopped(this, DownloadState.PAUSED, error)
        except (EngineError, FolderMissing, OSError) as error:
            self._stopped(this, DownloadState.FAILED, error)
        except Exception as error:  # noqa: BLE001 - it belongs into the list, and the others go on
            # Without the error's own text, which may quote an address with a key.
            log.error("a download broke:\n%s", "".join(traceback.format_tb(error.__traceback__)))
            self._stopped(this, DownloadState.FAILED, error)
        finally:
            del self._tasks[this]
            self.arrived.pop(this, None)
            self._kept.pop(this, None)
            self._wake.set()

    def _report(self, this: int, state: DownloadState, done: int) -> None:
        before, self.arrived[this] = self.arrived.get(this), done
        now = self._clock()
        if before is not None and done > before:
            self._waits.pop(this, None)
        kept_state, kept_at = self._kept.get(this, (None, now))
        if state is not kept_state or now - kept_at >= _KEEP_SECONDS:
            self._kept[this] = (state, now)
            if not self._table.report(this, state, done):
                self._tasks[this].cancel()
        if state is not kept_state or now - self._last_told >= _TELL_SECONDS:
            self._last_told = now
            self._tell()

    def _interrupted(self, download: Download) -> None:
        """Paused, cancelled, done elsewhere, or the app is closed."""
        kept = self._table.get(download.id)
        if kept is None or kept.state is DownloadState.DONE:
            self._downloader.discard(download.order)
        elif (done := self.arrived.get(download.id)) is not None:
            self._table.keep_progress(download.id, done)

    def _stopped(self, this: int, state: DownloadState, error: Exception) -> None:
        log.info("download %d: %s, %s", this, state, type(error).__name__)
        self._table.report(this, state, self.arrived.get(this), Problem.of(error))
