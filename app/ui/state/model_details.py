"""What the details page of a model knows beyond the list of models."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import flet as ft

from app.services import Services
from app.ui.state.mailbox import Mailbox
from app.ui.state.reporting import reported
from engines.library import ContentCheck, InstalledModel, Origin
from engines.memory import available_memory
from engines.store.catalogue import Catalogue, CatalogueModel


@dataclass(frozen=True, slots=True)
class RunningCheck:
    """A model's file being read to see whether it is still what it was."""

    model_id: str
    share: float
    """0 to 1."""


@ft.observable
@dataclass
class ModelDetailsState:
    """Facts that are not in the model's file."""

    free_bytes: int = 0
    """Memory that is free now."""
    recommended: dict[str, CatalogueModel] = field(default_factory=dict)
    """What the catalogue says of installed models, by their ids."""
    check: RunningCheck | None = None
    checked: dict[str, ContentCheck] = field(default_factory=dict)
    """What was found, by the ids of models."""


class ModelDetails:
    """What can be done on the details page alone."""

    def __init__(self, services: Services, mailbox: Mailbox, report: Callable[[Exception], None]) -> None:
        self.state = ModelDetailsState()
        self.report = report
        self._services = services
        self._mailbox = mailbox
        self._checking: asyncio.Task[ContentCheck] | None = None

    def close(self) -> None:
        """The session ends."""
        self.stop_check()

    @reported
    async def refresh(self, model: InstalledModel) -> None:
        """Look up a model whose page is opened."""
        self.state.free_bytes = await asyncio.to_thread(available_memory)
        catalogue = await asyncio.to_thread(lambda: self._services.store.catalogue)
        if (found := in_catalogue(catalogue, model)) is not None:
            self.state.recommended = {**self.state.recommended, model.id: found}

    @reported
    async def check(self, model: InstalledModel) -> None:
        """Read a model's file: whether it is still what was downloaded, and its hash."""
        if self._checking is not None:
            return

        told = 0

        def tell(done: int, total: int) -> None:
            """Called for every piece that was read, in another thread; the screen hears of every percent."""
            nonlocal told
            if (percent := 100 * done // max(total, 1)) != told:
                told = percent
                self._mailbox.post(lambda: self._show_check(model, percent / 100))

        self.state.checked = {
            known: found for known, found in self.state.checked.items() if known != model.id
        }
        self.state.check = RunningCheck(model.id, 0)
        self._checking = asyncio.create_task(self._services.models.verify(model.id, tell))
        try:
            with contextlib.suppress(asyncio.CancelledError):  # the user has seen enough
                found = await self._checking
                self.state.checked = {**self.state.checked, model.id: found}
        finally:
            self.state.check = self._checking = None

    def _show_check(self, model: InstalledModel, share: float) -> None:
        if self.state.check is not None:
            self.state.check = RunningCheck(model.id, share)

    def stop_check(self) -> None:
        """Read no further."""
        if self._checking is not None:
            self._checking.cancel()


def in_catalogue(catalogue: Catalogue, model: InstalledModel) -> CatalogueModel | None:
    """What the catalogue says of a model: only where it surely is that one, never by a likeness of names."""
    if model.source is not None:
        return catalogue.of_repository(model.source.repository)
    if model.origin is Origin.STARTER:  # what the app brings has known weights, under the name of its makers
        return next((known for known in catalogue.models if model.name == known.name), None)
    return None
