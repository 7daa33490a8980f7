"""What the page of the ledger shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import flet as ft

from app.core.network.ledger import Entry, Ledger, Purpose, Total
from app.ui.state.reporting import reported

PAGE = 100


@ft.observable
@dataclass
class LedgerState:
    """What is shown."""

    known: bool = False
    purpose: Purpose | None = None
    """Only these; None: all."""
    entries: tuple[Entry, ...] = ()
    totals: tuple[Total, ...] = ()
    more: bool = False
    """There are older ones."""


class LedgerOnScreen:
    """Reads the ledger; nobody is asked."""

    def __init__(self, ledger: Ledger, report: Callable[[Exception], None]) -> None:
        self.state = LedgerState()
        self.report = report
        self._ledger = ledger

    @reported
    async def refresh(self) -> None:
        """The latest, and the sums."""
        state = self.state
        entries = await asyncio.to_thread(self._ledger.entries, PAGE, purpose=state.purpose)
        state.totals = tuple(await asyncio.to_thread(self._ledger.totals))
        state.entries, state.more = tuple(entries), len(entries) == PAGE
        state.known = True

    @reported
    async def choose(self, purpose: Purpose | None) -> None:
        """Show only what was for this purpose."""
        self.state.purpose = purpose
        await self.refresh()

    @reported
    async def older(self) -> None:
        """Show the next page, too."""
        state = self.state
        before = state.entries[-1].id if state.entries else None
        entries = await asyncio.to_thread(self._ledger.entries, PAGE, purpose=state.purpose, before=before)
        state.entries, state.more = (*state.entries, *entries), len(entries) == PAGE

    @reported
    async def clear(self) -> None:
        """Forget everything."""
        await asyncio.to_thread(self._ledger.clear)
        await self.refresh()
