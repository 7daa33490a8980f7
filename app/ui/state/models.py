"""The installed models."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import flet as ft

from app.core.any_model import AnyModel
from app.core.servers import ServerModel
from app.services import Services
from app.ui.state.files import ChosenFile, Files
from app.ui.state.mailbox import Mailbox
from app.ui.state.model_files import beside_each_other, by_model
from app.ui.state.reporting import reported
from engines.errors import EngineError, EngineKeepsCrashing, ModelFileAltered, NotEnoughMemory
from engines.library import InstalledModel, find_starter
from engines.memory import MemoryFit

DoubtfulModel = NotEnoughMemory | EngineKeepsCrashing | ModelFileAltered
"""Why a model is loaded only if the user insists."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model as the list shows it."""

    model: InstalledModel
    needed_bytes: int
    fit: MemoryFit
    chosen: bool
    loaded: bool
    loading: bool


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file among the models that cannot be used."""

    path: Path
    bytes: int
    error: Exception
    removable: bool
    """The starter model belongs to the app, broken or not."""

    @classmethod
    def of(cls, path: Path, error: Exception) -> BrokenFile:
        """The file as it lies there now."""
        removable = path != find_starter()
        try:
            return cls(path, path.stat().st_size, error, removable)
        except OSError:
            return cls(path, 0, error, removable)


@dataclass(frozen=True, slots=True)
class Adding:
    """A model file on its way in."""

    name: str
    share: float
    """0 to 1."""


@ft.observable
@dataclass
class ModelsState:
    """What the models screen shows, and what the chat must know of it."""

    known: bool = False
    wanted: str = ""
    """Only models with these words are shown."""
    rows: list[ModelRow] = field(default_factory=list)
    broken: list[BrokenFile] = field(default_factory=list)
    missing_folder: str | None = None
    """Where the models should lie, if its disk is not connected."""
    servers: list[ServerModel] = field(default_factory=list)
    """Models of other computers, or of other programs here, that the user has added."""
    answering: AnyModel | None = None
    """The model that will answer the next question."""
    adding: Adding | None = None
    busy: bool = False
    """A load or unload is under way."""


class ModelsOnScreen:
    """What can be done with models."""

    def __init__(
        self,
        services: Services,
        files: Files,
        mailbox: Mailbox,
        report: Callable[[Exception], None],
        run: Callable[..., object],
        ask_anyway: Callable[[InstalledModel, DoubtfulModel], None],
    ) -> None:
        """`ask_anyway` asks whether to load a model all the same; the rest as for `Chat`."""
        self.state = ModelsState()
        self._models = services.models
        self._files = files
        self.report = report
        self._ask_anyway = ask_anyway
        self._mailbox = mailbox
        self._end = self._models.subscribe(lambda: mailbox.post(lambda: run(self.refresh)))

    def close(self) -> None:
        """The session ends."""
        self._end()

    @reported
    async def refresh(self) -> None:
        """Look again at what is installed, and at what fits."""
        rows, broken, answering = await asyncio.to_thread(lambda: (*self._look(), self._models.chosen()))
        self.state.rows, self.state.broken, self.state.answering = rows, broken, answering
        self.state.servers = self._models.servers.added()
        self.state.missing_folder = await asyncio.to_thread(self._models.missing_folder)
        self.state.known = True

    def _look(self) -> tuple[list[ModelRow], list[BrokenFile]]:
        chosen = self._models.chosen()
        loaded, loading = self._models.loaded, self._models.loading
        rows = []
        broken = [BrokenFile.of(path, error) for path, error in self._models.broken()]
        for model in self._models.installed():
            try:
                need, fit = self._models.memory(model)
            except EngineError as error:  # damaged since it was listed
                broken.append(BrokenFile.of(model.path, error))
                continue
            rows.append(
                ModelRow(
                    model,
                    need.total,
                    fit,
                    chosen=chosen is not None and chosen.id == model.id,
                    loaded=loaded is not None and loaded.id == model.id,
                    loading=loading is not None and loading.id == model.id,
                )
            )
        return rows, broken

    @reported
    async def load(self, model: InstalledModel, *, anyway: bool = False) -> None:
        """Choose a model and put it into memory."""
        try:
            await self._busy(lambda: self._models.load(model.id, anyway=anyway))
        except (NotEnoughMemory, EngineKeepsCrashing, ModelFileAltered) as error:
            if anyway:  # it was insisted already: the system itself refuses
                raise
            self._ask_anyway(model, error)

    async def search(self, text: str) -> None:
        """Show only models that fit a text."""
        self.state.wanted = text

    @reported
    async def unload(self) -> None:
        """Free the memory."""
        await self._busy(self._models.unload)

    @reported
    async def remove(self, model: InstalledModel) -> int:
        """Uninstall; returns the freed bytes."""
        return await self._models.remove(model.id)

    @reported
    async def use_server(self, model: ServerModel) -> None:
        """Let a server's model answer; the server is asked only whether it has it."""
        await self._busy(lambda: self._models.load(model.id))

    @reported
    async def remove_server(self, model: ServerModel) -> None:
        """Forget a server's model and its key."""
        await self._models.remove_server(model.id)
        await self.refresh()

    @reported
    async def remove_broken(self, file: BrokenFile) -> int:
        """Delete a file that is no use; returns the freed bytes."""
        return await self._models.remove_broken(file.path)

    @reported
    async def add(self) -> None:
        """Let the user choose GGUF files and install them; the parts of a split model are one."""
        for model in by_model(await self._files.choose([".gguf"], multiple=True)):
            try:
                await self._install_chosen(model)
            finally:
                self.state.adding = None

    @reported
    async def _install_chosen(self, parts: Sequence[ChosenFile]) -> None:
        def show(share: float) -> None:
            self.state.adding = Adding(parts[0].name, share)

        show(0)
        async with beside_each_other(self._files, parts, show) as source:
            await self._models.add(
                source,
                progress=lambda done, total: self._mailbox.post(lambda: show(done / max(total, 1))),
            )

    async def _busy(self, work: Callable[[], Awaitable[None]]) -> None:
        self.state.busy = True
        try:
            await work()
        finally:
            self.state.busy = False
            await self.refresh()
