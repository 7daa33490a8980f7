"""Recommended models, and those on their way to this device."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import flet as ft

from app.core.download import Download, DownloadState
from app.core.errors import LicenceNotAccepted
from app.services import Services
from app.ui.state.mailbox import Mailbox
from app.ui.state.reporting import reported
from engines.store.catalogue import CatalogueModel


@ft.observable
@dataclass
class StoreState:
    """What the models screen shows of the store."""

    recommended: list[CatalogueModel] = field(default_factory=list)
    downloads: tuple[Download, ...] = ()
    asking: str | None = None
    """The recommended model that the hub is being asked about."""


class StoreOnScreen:
    """What can be done with models that are not here yet. Only `get` contacts the hub."""

    def __init__(
        self,
        services: Services,
        mailbox: Mailbox,
        report: Callable[[Exception], None],
        ask_licence: Callable[[CatalogueModel], None],
        installed: Callable[[], object],
    ) -> None:
        """`ask_licence` shows a model's terms, and calls `accept` if they are agreed to; `installed` is
        told when a model has arrived."""
        self.state = StoreState()
        self.report = report
        self._store = services.store
        self._downloads = services.downloads
        self._ask_licence = ask_licence
        self._installed = installed
        self._done: set[int] = set()
        self._end = self._downloads.subscribe(lambda downloads: mailbox.post(lambda: self._show(downloads)))

    def close(self) -> None:
        """The session ends."""
        self._end()

    @reported
    async def refresh(self) -> None:
        """Read the catalogue and the list of downloads; nobody is asked for them."""
        self.state.recommended = list((await asyncio.to_thread(lambda: self._store.catalogue)).models)
        self._show(await asyncio.to_thread(self._downloads.list))

    @reported
    async def get(self, model: CatalogueModel) -> None:
        """Download a recommended model, after its terms are agreed to where they have to be."""
        self.state.asking = model.id
        try:
            order = await self._store.order(model.id)
        except LicenceNotAccepted:
            self._ask_licence(model)
            return
        finally:
            self.state.asking = None
        await asyncio.to_thread(self._downloads.add, order)

    @reported
    async def accept(self, model: CatalogueModel) -> None:
        """The user agrees to a model's terms: download it."""
        self._store.accept(model.licence)
        await self.get(model)

    @reported
    async def pause(self, download: Download) -> None:
        """Stop, and keep what has arrived."""
        await asyncio.to_thread(self._downloads.pause, download.id)

    @reported
    async def go_on(self, download: Download) -> None:
        """Go on after a pause or a failure."""
        again = self._downloads.retry if download.state is DownloadState.FAILED else self._downloads.resume
        await asyncio.to_thread(again, download.id)

    @reported
    async def cancel(self, download: Download) -> None:
        """Give up, and delete what has arrived."""
        await asyncio.to_thread(self._downloads.cancel, download.id)

    def _show(self, downloads: tuple[Download, ...]) -> None:
        self.state.downloads = tuple(one for one in downloads if one.state is not DownloadState.DONE)
        done = {one.id for one in downloads if one.state is DownloadState.DONE}
        if done - self._done:
            self._installed()
        self._done = done
