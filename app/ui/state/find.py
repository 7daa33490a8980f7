"""Searching the hub for models, and the one that is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

import flet as ft

from app.core.offers import FileOffer, file_offers
from app.core.store import Store
from app.ui.state.store import StoreOnScreen
from engines.errors import HubAddressInvalid
from engines.store.catalogue import CatalogueModel
from engines.store.hub import HubModel, HubModelDetails, HubOrder
from engines.store.reference import read_reference

T = TypeVar("T")

PAGE = 20
"""So many models are asked for at first, and added with each further question."""
MOST = 100
"""Who has not found it among these looks for other words."""


class FindPhase(StrEnum):
    """Where a question to the hub stands."""

    NOTHING_ASKED = "nothing_asked"
    ASKING = "asking"
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model of the hub that is looked at."""

    reference: str
    """How it was named."""
    phase: FindPhase = FindPhase.ASKING
    details: HubModelDetails | None = None
    files: tuple[FileOffer, ...] = ()
    recommended: CatalogueModel | None = None
    page: str = ""
    """The address of its page."""
    error: Exception | None = None


@ft.observable
@dataclass
class FindState:
    """What the find screen shows."""

    text: str = ""
    """What was asked for last."""
    persian_only: bool = False
    """Only models whose makers say that they speak Persian."""
    order: HubOrder = HubOrder.DOWNLOADS
    """What comes first."""
    phase: FindPhase = FindPhase.NOTHING_ASKED
    results: tuple[HubModel, ...] = ()
    more: bool = False
    """The hub may have further ones."""
    recommended: frozenset[str] = frozenset()
    """Repositories of those that are in the catalogue."""
    error: Exception | None = None
    opened: OpenedModel | None = None


class FindOnScreen:
    """What can be done on the find screen. Nothing is sent before `search` or `open`."""

    def __init__(self, store: Store, on_screen: StoreOnScreen) -> None:
        self.state = FindState()
        self.draft = ""
        """What stands in the field; kept while other screens are shown."""
        self._store = store
        self._on_screen = on_screen
        self._asking: asyncio.Future[Any] | None = None

    async def search(self, text: str) -> None:
        """Ask the hub for models; what names one model opens it at once."""
        text = text.strip()
        if not text:
            return
        if _names_a_model(text):
            await self.open(text)
            return
        state = self.state
        state.opened, state.error = None, None
        state.text, state.results, state.more = text, (), False
        await self._look_for(PAGE)

    async def only_persian(self, *, wanted: bool) -> None:
        """Whether to leave out what does not claim to speak Persian; what was asked for is asked again."""
        self.state.persian_only = wanted
        if self.state.text:
            await self.search(self.state.text)

    async def sort(self, order: HubOrder) -> None:
        """What is to come first; what was asked for is asked again."""
        if order is self.state.order:
            return
        self.state.order = order
        if self.state.text:
            await self.search(self.state.text)

    async def show_more(self) -> None:
        """Ask for one page more of the same; what is there stays until then."""
        await self._look_for(min(MOST, len(self.state.results) + PAGE))

    async def _look_for(self, limit: int) -> None:
        state = self.state
        state.phase = FindPhase.ASKING
        try:
            results = await self._ask(
                self._store.search(state.text, limit, "fa" if state.persian_only else None, state.order)
            )
        except Exception as error:  # noqa: BLE001 - it stands on the screen, with what to do
            state.error, state.phase = error, FindPhase.FAILED
            return
        if results is not None:
            state.recommended = frozenset(
                model.repository for model in results if self._store.recommended(model.repository)
            )
            state.results, state.more = tuple(results), limit < MOST and len(results) >= limit
            state.phase = FindPhase.ANSWERED

    async def open(self, reference: str) -> None:
        """Look at one model: its files, and how they would do here."""
        opened = self.state.opened = OpenedModel(reference)
        try:
            details = await self._ask(self._store.details(reference))
        except Exception as error:  # noqa: BLE001 - it stands on the screen, with what to do
            self.state.opened = replace(opened, phase=FindPhase.FAILED, error=error)
            return
        if details is None:
            return
        repository = details.model.repository
        recommended = self._store.recommended(repository)
        memory = await asyncio.to_thread(self._on_screen.memory)
        if self.state.opened is opened:
            self.state.opened = replace(
                opened,
                phase=FindPhase.ANSWERED,
                details=details,
                files=_named_first(reference, file_offers(details, memory, recommended)),
                recommended=recommended,
                page=self._store.page_of(repository),
            )

    def cancel(self) -> None:
        """Wait no longer for the hub."""
        if self._asking is not None:
            self._asking.cancel()
        if self.state.opened is not None:
            self.state.opened = None
        if self.state.phase is FindPhase.ASKING:
            self.state.phase = FindPhase.ANSWERED if self.state.results else FindPhase.NOTHING_ASKED

    def back(self) -> None:
        """From a model to what was found."""
        self.cancel()
        self.state.opened = None

    async def retry(self) -> None:
        """Ask the same again."""
        if self.state.opened is not None:
            await self.open(self.state.opened.reference)
        else:
            await self.search(self.state.text)

    async def _ask(self, question: Awaitable[T]) -> T | None:
        """Ask one thing at a time; None if it was given up."""
        if self._asking is not None:
            self._asking.cancel()
        asking: asyncio.Future[T] = asyncio.ensure_future(question)
        self._asking = asking
        try:
            return await asking
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if this is None or this.cancelling() or not asking.cancelled():
                raise
            return None
        finally:
            if self._asking is asking:
                self._asking = None


def _named_first(reference: str, files: tuple[FileOffer, ...]) -> tuple[FileOffer, ...]:
    """The file whose address was pasted stands before the others."""
    try:
        named = read_reference(reference)
    except HubAddressInvalid:  # an id of the catalogue
        return files

    def others(offer: FileOffer) -> bool:
        if named.file is not None:
            return not offer.file.is_called(named.file)
        return named.quantisation is None or offer.file.quantisation != named.quantisation.upper()

    return tuple(sorted(files, key=others))


def _names_a_model(text: str) -> bool:
    try:
        read_reference(text)
    except HubAddressInvalid:
        return False
    return True
