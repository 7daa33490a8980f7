"""The models' folder on the settings screen: where it is, and moving it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import flet as ft

from app.core.errors import AppError
from app.core.models_folder import ModelsPlace
from app.services import Services
from app.ui.state.mailbox import Mailbox
from app.ui.state.reporting import reported


@ft.observable
@dataclass
class ModelsFolderState:
    """What the settings show."""

    place: ModelsPlace | None = None
    """None until somebody has looked."""
    moving_to: str | None = None
    share: float = 0.0
    """0 to 1."""


class ModelsFolderOnScreen:
    """What can be done with the models' folder."""

    def __init__(
        self,
        page: ft.Page,
        services: Services,
        mailbox: Mailbox,
        report: Callable[[Exception], None],
        moved: Callable[[Path], None],
    ) -> None:
        """`moved` tells the user that the models are there now."""
        self.state = ModelsFolderState()
        self.report = report
        self._page = page
        self._folder = services.models_folder
        self._mailbox = mailbox
        self._moved = moved
        self._picker = ft.FilePicker()
        self._task: asyncio.Task[Path] | None = None

    @property
    def movable(self) -> bool:
        """Whether there is another place to choose."""
        return self._folder.movable

    @property
    def can_pick(self) -> bool:
        """Whether the system shows its folders; a browser cannot, there a path is typed."""
        return not self._page.web

    @reported
    async def refresh(self) -> None:
        """Look again."""
        self.state.place = await asyncio.to_thread(self._folder.where)

    @reported
    async def pick(self) -> str | None:
        """Let the user choose a folder; None if that was cancelled."""
        return await self._picker.get_directory_path()

    def destination(self, wanted: str | None) -> Path:
        """The folder that would be used; raises an `AppError` that says why not."""
        return self._folder.destination(wanted)

    def why_not(self, wanted: str) -> str | None:
        """The name of the error that `destination` raises; None where all is well."""
        try:
            self.destination(wanted)
        except AppError as error:
            return type(error).__name__
        return None

    @reported
    async def move(self, wanted: str | None) -> None:
        """Move the models; ends when they are there, or all is as it was."""
        if self._task is not None:
            return

        def progress(done: int, total: int) -> None:
            self._mailbox.post(lambda: self._show(done / max(total, 1)))

        self.state.moving_to, self.state.share = str(wanted or ""), 0.0
        task = self._task = asyncio.create_task(self._folder.move(wanted, progress))
        try:
            await asyncio.wait({task})
            if not task.cancelled():
                self._moved(task.result())
        finally:
            self._task, self.state.moving_to = None, None
            await self.refresh()

    @reported
    async def give_up(self) -> None:
        """Use the usual folder without moving anything."""
        self._moved(await self._folder.give_up())
        await self.refresh()

    def cancel(self) -> None:
        """Take the move back."""
        if self._task is not None:
            self._task.cancel()

    def _show(self, share: float) -> None:
        if round(share, 2) != round(self.state.share, 2):
            self.state.share = share
