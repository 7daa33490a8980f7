"""Results of speed tests: the list, what is chosen of it, and the ways out of the app."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import flet as ft

from app.core.benchmarking import as_csv, as_json
from app.services import Services
from app.ui.state.files import Files
from app.ui.state.reporting import reported
from engines.benchmark import BenchmarkResult

ExportFormat = Literal["csv", "json"]
_WRITERS = {"csv": as_csv, "json": as_json}


@ft.observable
@dataclass
class SpeedState:
    """What the pages show."""

    known: bool = False
    results: tuple[BenchmarkResult, ...] = ()
    """The newest first."""
    chosen: tuple[str, ...] = ()
    """Ids of results to compare, in the order in which they were chosen."""


class SpeedOnScreen:
    """What can be done with results."""

    def __init__(self, services: Services, files: Files, report: Callable[[Exception], None]) -> None:
        self.state = SpeedState()
        self.report = report
        self._store = services.benchmarking.store
        self._files = files

    @reported
    async def refresh(self) -> None:
        """Read the folder again."""
        results = await asyncio.to_thread(self._store.list)
        self.state.results = tuple(results)
        ids = {result.id for result in results}
        self.state.chosen = tuple(one for one in self.state.chosen if one in ids)
        self.state.known = True

    def choose(self, id: str) -> None:
        """Take a result into the comparison, or out of it."""
        chosen = self.state.chosen
        self.state.chosen = tuple(one for one in chosen if one != id) if id in chosen else (*chosen, id)

    def choose_none(self) -> None:
        """End the comparison."""
        self.state.chosen = ()

    @reported
    async def remove(self, result: BenchmarkResult) -> None:
        """Forget a result."""
        await asyncio.to_thread(self._store.remove, result.id)
        await self.refresh()

    def written(self, form: ExportFormat) -> str:
        """The chosen results, or all where none is chosen."""
        chosen = [result for result in self.state.results if result.id in self.state.chosen]
        return _WRITERS[form](chosen or self.state.results)

    @reported
    async def export(self, form: ExportFormat, title: str) -> bool:
        """Let the user keep them as a file; returns whether that was done."""
        return await self._files.save(f"dai-speed.{form}", self.written(form).encode(), title)
