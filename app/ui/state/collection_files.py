"""A collection on its way into one file, or out of one."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import flet as ft

from app.services import Services
from app.ui.state.files import ChosenFile, Files, ReceivedFile
from app.ui.state.knowledge import PROGRESS_SECONDS
from app.ui.state.mailbox import Mailbox
from app.ui.state.reporting import reported
from rag.exchange import SUFFIX, Imported, Progress
from rag.model import Collection

_LONGEST_NAME = 80
_FORBIDDEN = frozenset('<>:"/\\|?*')


@dataclass(frozen=True, slots=True)
class Transfer:
    """What is being written or read, and how far it is."""

    kind: Literal["export", "import"]
    name: str
    """Of the collection, or of the file."""
    done: int = 0
    total: int = 0
    """Passages; 0 before they are counted."""


@ft.observable
@dataclass
class TransferState:
    """The one transfer that is going on."""

    current: Transfer | None = None


class CollectionFiles:
    """Exports and imports collections, one at a time; each can be cancelled, and then nothing of it stays."""

    def __init__(
        self,
        services: Services,
        files: Files,
        mailbox: Mailbox,
        report: Callable[[Exception], None],
        imported: Callable[[Imported], Awaitable[None]],
    ) -> None:
        """`imported` is told what has arrived."""
        self.state = TransferState()
        self.report = report
        self._knowledge = services.knowledge
        self._folder = services.paths.uploads
        self._files = files
        self._mailbox = mailbox
        self._imported = imported
        self._cancelled = threading.Event()
        self._receiving: asyncio.Task[ReceivedFile] | None = None

    def cancel(self) -> None:
        """End what is going on."""
        self._cancelled.set()
        if self._receiving is not None:
            self._receiving.cancel()

    def close(self) -> None:
        """The session ends, and with it what it writes or reads."""
        self.cancel()

    @reported
    async def export(self, collection: Collection, title: str) -> bool:
        """Write a collection to a file that the user keeps; tells whether that was done.

        `title` is what the dialog says in which a place is chosen.
        """
        if self.state.current is not None:
            return False
        name = file_name(collection.name)
        if not self._files.writes_in_place:
            partial = self._folder / f"{uuid.uuid4().hex}{SUFFIX}"
            try:
                if not await self._write(collection, partial):
                    return False
                return await self._files.save(name, await asyncio.to_thread(partial.read_bytes), title)
            finally:
                partial.unlink(missing_ok=True)
        target = await self._files.place(name, title)
        return target is not None and await self._write(collection, target)

    @reported
    async def import_file(self) -> None:
        """Let the user choose a collection file, and take it in."""
        chosen = await self._files.choose([SUFFIX])
        if not chosen or self.state.current is not None:
            return
        self._begin(Transfer("import", chosen[0].name))
        received: ReceivedFile | None = None
        try:
            received = await self._receive(chosen[0])
            imported = await asyncio.to_thread(
                self._knowledge.import_collection, received.path, progress=self._progress()
            )
        except InterruptedError:
            return
        finally:
            self.state.current = None
            if received is not None and received.owned:
                received.path.unlink(missing_ok=True)
        await self._imported(imported)

    async def _receive(self, file: ChosenFile) -> ReceivedFile:
        """Raises InterruptedError where it was cancelled."""
        self._receiving = asyncio.create_task(self._files.receive(file))
        try:
            await asyncio.wait({self._receiving})
            if self._receiving.cancelled():
                raise InterruptedError
            return self._receiving.result()
        finally:
            self._receiving = None

    async def _write(self, collection: Collection, target: Path) -> bool:
        self._begin(Transfer("export", collection.name))
        try:
            await asyncio.to_thread(
                self._knowledge.export_collection, collection.id, target, self._progress()
            )
        except InterruptedError:
            return False
        finally:
            self.state.current = None
        return True

    def _begin(self, transfer: Transfer) -> None:
        self._cancelled.clear()
        self.state.current = transfer

    def _progress(self) -> Progress:
        """Called by the working thread, often."""
        shown_at = 0.0

        def tell(done: int, total: int) -> None:
            nonlocal shown_at
            if self._cancelled.is_set():
                raise InterruptedError
            if time.monotonic() - shown_at >= PROGRESS_SECONDS:
                shown_at = time.monotonic()
                self._mailbox.post(lambda: self._show(done, total))

        return tell

    def _show(self, done: int, total: int) -> None:
        if (current := self.state.current) is not None:
            self.state.current = replace(current, done=done, total=total)


def file_name(collection: str) -> str:
    """What the file of a collection may be called on every system."""
    tidy = "".join("-" if letter in _FORBIDDEN or ord(letter) < 32 else letter for letter in collection)
    return (tidy.strip(" .")[:_LONGEST_NAME] or "collection") + SUFFIX
