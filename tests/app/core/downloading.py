"""A list of downloads as one process of the app has it, on a hub of this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx

from app.core.download import Download, DownloadState, Order
from app.core.download_table import DownloadTable
from app.core.downloader import Downloader
from app.core.downloads import Downloads
from engines.library import InstalledModel, ModelLibrary
from engines.store.connection import HubAccess
from engines.store.hub import Hub
from engines.store.transfer import Patience, Transfer

WAIT_SECONDS = 60.0


async def _at_once(seconds: float) -> None:
    """What a transfer does between two attempts, without the time."""


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Device:
    """The files that processes of the app share."""

    folder: Path
    hub: str
    free_bytes: int = 1 << 40
    token: str | None = None
    clock: Clock = field(default_factory=Clock)
    open_client: Callable[..., httpx.AsyncClient] = httpx.AsyncClient

    @property
    def models(self) -> Path:
        return self.folder / "models"

    @property
    def arriving(self) -> Path:
        return self.models / ".downloads"

    def process(self) -> Process:
        """One more process."""
        return Process(self)


class Process:
    """One process of the app, with what it is told by its downloads."""

    def __init__(self, device: Device) -> None:
        self.device = device
        device.models.mkdir(parents=True, exist_ok=True)
        self.library = ModelLibrary(device.models)
        self.table = DownloadTable(device.folder / "downloads.db")
        transfer = partial(
            Transfer, patience=Patience(attempts=2), wait=_at_once, free_bytes=lambda _: device.free_bytes
        )
        downloader = Downloader(self.table, device.arriving, self.library, self._open_hub, transfer)
        self.downloads = Downloads(self.table, downloader, look_seconds=0.02, clock=device.clock)
        self.seen: list[tuple[Download, ...]] = []
        self._news = threading.Condition()
        self.downloads.subscribe(self._hear)

    def wait(
        self, id: int, state: DownloadState, when: Callable[[Download], bool] = lambda _: True
    ) -> Download:
        """The download, once it is in this state; what else it was is told if that takes too long."""

        def arrived() -> Download | None:
            found = self.downloads.get(id)
            return found if found is not None and found.state is state and when(found) else None

        with self._news:
            self._news.wait_for(lambda: arrived() is not None, WAIT_SECONDS)
        found = arrived()
        assert found is not None, f"not {state}: {self.downloads.list()}"
        return found

    def look_twice(self, id: int) -> None:
        """Return after the worker has looked at the whole list once more."""
        for done in (1, 2):  # the first may be noticed by a look that has begun before
            self.table.keep_progress(id, done)
            with self._news:
                assert self._news.wait_for(
                    lambda done=done: any(one.done_bytes == done for one in self.seen[-1]), WAIT_SECONDS
                )

    def states(self, id: int) -> list[DownloadState]:
        """What the listeners were told, without repetitions."""
        told: list[DownloadState] = []
        for downloads in self.seen:
            for download in downloads:
                if download.id == id and told[-1:] != [download.state]:
                    told.append(download.state)
        return told

    def installed(self) -> list[InstalledModel]:
        return [model for model in self.library.installed() if model.path.parent == self.device.models]

    def close(self) -> None:
        self.downloads.close()

    def _open_hub(self) -> Hub:
        device = self.device
        return Hub(HubAccess(device.hub, lambda: device.token, open_client=device.open_client))

    def _hear(self, downloads: tuple[Download, ...]) -> None:
        with self._news:
            self.seen.append(downloads)
            self._news.notify_all()


def order(content: bytes, sha256: str | None, **changes: object) -> Order:
    """A file of `owner/name` as the hub describes it."""
    values = {
        "repository": "owner/name",
        "commit": "c0ffee" * 6 + "c0ff",
        "file": "tiny-Q8_0.gguf",
        "bytes": len(content),
        "sha256": sha256,
        "name": "Tiny",
    }
    return Order(**(values | changes))  # type: ignore[arg-type]
