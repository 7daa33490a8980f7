"""Recommended models, and those on their way to this device."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import flet as ft

from app.core.download import Download, DownloadState, Order
from app.core.offers import Memory, Offer, offers
from app.services import Services
from app.ui.state.mailbox import Mailbox
from app.ui.state.reporting import reported
from engines.store.catalogue import Licence
from engines.store.hub import HubFile, HubModelDetails

AskLicence = Callable[[str, Licence, Callable[[], Awaitable[None]]], None]
"""Shows the terms of the model of this name; the last argument goes on once they are agreed to."""


@ft.observable
@dataclass
class StoreState:
    """What the screens show of the store."""

    offers: tuple[Offer, ...] = ()
    """The recommended models, the best for this device first."""
    downloads: tuple[Download, ...] = ()
    asking: str | None = None
    """The recommended model that the hub is being asked about."""
    problems: dict[str, Exception] = field(default_factory=dict)
    """Why a recommended model could not be got, by its id; until the next attempt."""

    @property
    def best(self) -> Offer | None:
        """The recommended model to begin with, where one fits."""
        return self.offers[0] if self.offers and self.offers[0].best else None


class StoreOnScreen:
    """What can be done with models that are not here yet. Only `get` contacts the hub."""

    def __init__(
        self,
        services: Services,
        mailbox: Mailbox,
        report: Callable[[Exception], None],
        ask_licence: AskLicence,
        installed: Callable[[tuple[str, ...]], object],
    ) -> None:
        """`installed` is told the ids of models that have arrived."""
        self.state = StoreState()
        self.report = report
        self._services = services
        self._store = services.store
        self._downloads = services.downloads
        self._ask_licence = ask_licence
        self._installed = installed
        self._done: set[int] = set()
        self._end = self._downloads.subscribe(lambda downloads: mailbox.post(lambda: self._show(downloads)))

    def close(self) -> None:
        """The session ends."""
        self._end()

    @property
    def host(self) -> str:
        """The hub that is asked."""
        return self._store.host

    @reported
    async def refresh(self) -> None:
        """Read the catalogue and the list of downloads; nobody is asked for them."""
        await self.weigh()
        self._show(await asyncio.to_thread(self._downloads.list))

    @reported
    async def weigh(self) -> None:
        """Look again at what fits, and at what suits the app's language."""
        language = self._services.settings.current.language
        self.state.offers = await asyncio.to_thread(
            lambda: offers(self._store.catalogue, self.memory(), language)
        )

    def memory(self) -> Memory:
        """What a model may take. Asks the system: call it in a thread."""
        return Memory(self._services.models.free_memory(), self._services.settings.current.context_tokens)

    @reported
    async def get(self, offer: Offer) -> None:
        """Download a recommended model, after its terms are agreed to where they have to be."""
        model = offer.model
        self._forget_problem(model.id)
        if (licence := self._store.licence_to_accept(model.repository)) is not None:

            async def accept() -> None:
                self._store.accept(licence)
                await self.get(offer)

            self._ask_licence(model.name, licence, accept)
            return
        self.state.asking = model.id
        file = None if offer.file is model.files[0] else offer.file.name
        try:
            await self._add(await self._store.order(model.id, file=file))
        except Exception as error:  # noqa: BLE001 - it stands on the card, with what to do
            self.state.problems = {**self.state.problems, model.id: error}
        finally:
            self.state.asking = None

    @reported
    async def get_file(self, details: HubModelDetails, file: HubFile) -> None:
        """Download a file of a model that was found on the hub, after its terms are agreed to."""
        repository, tag = details.model.repository, details.model.licence
        licence = self._store.licence_to_accept(repository, tag)
        if licence is None:
            await self._add(self._store.order_of(details, file))
            return

        async def accept() -> None:
            self._store.accept(licence)
            await self.get_file(details, file)

        self._ask_licence(details.model.name, licence, accept)

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

    async def _add(self, order: Order) -> None:
        await asyncio.to_thread(self._downloads.add, order)

    def _forget_problem(self, name: str) -> None:
        self.state.problems = {key: error for key, error in self.state.problems.items() if key != name}

    def _show(self, downloads: tuple[Download, ...]) -> None:
        self.state.downloads = tuple(one for one in downloads if one.state is not DownloadState.DONE)
        done = {one.id: one.model_id for one in downloads if one.state is DownloadState.DONE}
        if arrived := tuple(model_id for one, model_id in done.items() if one not in self._done and model_id):
            self._installed(arrived)
        self._done = set(done)
