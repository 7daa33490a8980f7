"""What compressing a model would make of it, and what was measured of that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import flet as ft

from app.core.format_advice import FormatAdvice, advise
from app.core.trade_off_store import TradeOffTable
from app.services import Services
from app.ui.state.reporting import reported
from engines.library import InstalledModel
from engines.memory import available_memory


@ft.observable
@dataclass
class CompressionState:
    """By the ids of models."""

    advice: dict[str, list[FormatAdvice]] = field(default_factory=dict)
    tables: dict[str, TradeOffTable] = field(default_factory=dict)
    looking: str | None = None
    """The model whose sizes are being predicted."""


class CompressionOnScreen:
    """Looks things up; what takes long is done by `JobsOnScreen`."""

    def __init__(self, services: Services, report: Callable[[Exception], None]) -> None:
        self.state = CompressionState()
        self.report = report
        self._services = services

    @reported
    async def look_up(self, model: InstalledModel) -> None:
        """Predict the sizes; takes about half a second."""
        self.state.looking = model.id
        try:
            sizes = await self._services.compression.sizes(model.id)
            need, _ = await asyncio.to_thread(self._services.models.memory, model)
            free = await asyncio.to_thread(available_memory)
        finally:
            self.state.looking = None
        loaded = self._services.models.loaded
        if loaded is not None and loaded.id == model.id:
            free += need.total
        self.state.advice = {**self.state.advice, model.id: advise(model, sizes, need, free)}

    @reported
    async def refresh(self, model: InstalledModel) -> None:
        """Read what was measured before."""
        table = await asyncio.to_thread(self._services.trade_off_tables.get, model)
        tables = {id: kept for id, kept in self.state.tables.items() if id != model.id}  # noqa: A001
        self.state.tables = tables if table is None else {**tables, model.id: table}
