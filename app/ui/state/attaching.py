"""The files that wait in the composer for the question they belong to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import flet as ft

from app.core.attachments import AttachmentDraft
from app.core.messages import Attachment
from app.services import Services
from app.ui.state.files import ChosenFile, Files
from app.ui.state.reporting import reported
from rag.documents import supported_suffixes


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file of the next question, and how far it is."""

    number: int
    name: str
    bytes: int
    share: float = 0.0
    """How much of it has arrived from the browser."""
    done: int = 0
    total: int = 0
    """Passages of a file that is searched; 0 before they are counted."""
    ready: Attachment | None = None


@ft.observable
@dataclass
class AttachingState:
    """The files beside the field."""

    files: list[WaitingFile] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """Whether all of them can be asked about."""
        return all(file.ready is not None for file in self.files)


class Attaching:
    """Chooses files, makes them ready, and takes them back."""

    def __init__(self, services: Services, files: Files, report: Callable[[Exception], None]) -> None:
        self.state = AttachingState()
        self.report = report
        self._attachments = services.attachments
        self._files = files
        self._draft = AttachmentDraft()
        self._tasks: dict[int, asyncio.Task[Attachment]] = {}
        self._last_number = 0

    async def close(self) -> None:
        """The session ends: what was never asked about is not kept."""
        for task in self._tasks.values():
            task.cancel()
        await self._attachments.discard(self._draft)

    @reported
    async def choose(self) -> None:
        """Let the user choose files; returns when all of them are ready, or were refused."""
        suffixes = await asyncio.to_thread(supported_suffixes)
        for chosen in await self._files.choose(suffixes, multiple=True):
            await self._add(chosen)

    @reported
    async def remove(self, file: WaitingFile) -> None:
        """Take a file back, whether it is ready or not."""
        if (task := self._tasks.get(file.number)) is not None:
            task.cancel()
        self._show_without(file.number)
        if file.ready is not None:
            await self._attachments.remove(self._draft, file.ready)

    def take(self) -> AttachmentDraft:
        """The files, for the question that is sent now."""
        draft, self._draft = self._draft, AttachmentDraft()
        self.state.files = []
        return draft

    def give_back(self, draft: AttachmentDraft) -> None:
        """The question was refused: its files stand beside the field again."""
        self._draft = draft
        self.state.files = [self._waiting(file) for file in draft.files]

    async def _add(self, chosen: ChosenFile) -> None:
        self._last_number += 1
        number = self._last_number
        self.state.files = [*self.state.files, WaitingFile(number, chosen.name, chosen.size)]
        task = self._tasks[number] = asyncio.create_task(self._prepare(number, chosen))
        try:
            await asyncio.wait({task})
            if task.cancelled():
                self._show_without(number)
            else:
                self._change(number, ready=task.result())
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one file, the others go on
            self._show_without(number)
            self.report(error)
        finally:
            task.cancel()
            del self._tasks[number]

    async def _prepare(self, number: int, chosen: ChosenFile) -> Attachment:
        received = await self._files.receive(chosen, lambda share: self._change(number, share=share))
        return await self._attachments.add(
            self._draft,
            received.path,
            received.name,
            owned=received.owned,
            progress=lambda done, total: self._change(number, done=done, total=total),
        )

    def _waiting(self, file: Attachment) -> WaitingFile:
        self._last_number += 1
        return WaitingFile(self._last_number, file.name, file.bytes, ready=file)

    def _change(self, number: int, **values: Any) -> None:
        self.state.files = [
            replace(file, **values) if file.number == number else file for file in self.state.files
        ]

    def _show_without(self, number: int) -> None:
        self.state.files = [file for file in self.state.files if file.number != number]
