"""Models of other programs on this device, as the models screen offers them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import flet as ft

from app.core.other_models import OtherModels
from app.services import Services
from app.ui.state.reporting import reported
from engines.library import InstalledModel
from engines.library.found import FoundModel


@ft.observable
@dataclass
class OtherModelsState:
    """What was found."""

    found: OtherModels | None = None
    """None: nobody has looked yet."""
    looking: bool = False
    linking: Path | None = None
    """The file that is being taken into the list."""


class OtherModelsOnScreen:
    """What can be done with models of other programs."""

    def __init__(
        self,
        services: Services,
        report: Callable[[Exception], None],
        used: Callable[[InstalledModel], None],
    ) -> None:
        """`used` tells the user that a model is in the list now."""
        self.state = OtherModelsState()
        self.report = report
        self._programs = services.programs
        self._models = services.models
        self._used = used
        self._stop = threading.Event()

    @property
    def possible(self) -> bool:
        """Whether this device can have any."""
        return self._programs.possible

    @reported
    async def look(self) -> None:
        """Look for them, in a thread."""
        if self.state.looking or not self.possible:
            return
        self.state.looking = True
        try:
            self.state.found = await asyncio.to_thread(self._programs.look, self._stop)
        finally:
            self.state.looking = False

    @reported
    async def use(self, model: FoundModel) -> InstalledModel:
        """Put a model into the list, without copying it; None if that fails."""
        self.state.linking = model.path
        try:
            installed = await self._models.add(model.path, link=True)
        finally:
            self.state.linking = None
        self._used(installed)
        await self.look()
        return installed

    @reported
    async def hide(self, model: FoundModel) -> None:
        """Do not offer it any more."""
        await asyncio.to_thread(self._programs.hide, model.path)
        await self.look()

    @reported
    async def show_all(self) -> None:
        """Offer what was hidden again."""
        await asyncio.to_thread(self._programs.show_all)
        await self.look()

    def close(self) -> None:
        """The session ends."""
        self._stop.set()
