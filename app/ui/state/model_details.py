"""What the details page of a model knows beyond the list of models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import flet as ft

from app.services import Services
from app.ui.state.reporting import reported
from engines.library import InstalledModel, Origin
from engines.memory import available_memory
from engines.store.catalogue import Catalogue, CatalogueModel


@ft.observable
@dataclass
class ModelDetailsState:
    """Facts that are not in the model's file."""

    free_bytes: int = 0
    """Memory that is free now."""
    recommended: dict[str, CatalogueModel] = field(default_factory=dict)
    """What the catalogue says of installed models, by their ids."""
    hash_shown: str | None = None
    """The model whose hash is shown."""


class ModelDetails:
    """What can be done on the details page alone."""

    def __init__(self, services: Services, report: Callable[[Exception], None]) -> None:
        self.state = ModelDetailsState()
        self.report = report
        self._services = services

    @reported
    async def refresh(self, model: InstalledModel) -> None:
        """Look up a model whose page is opened."""
        self.state.free_bytes = await asyncio.to_thread(available_memory)
        catalogue = await asyncio.to_thread(lambda: self._services.store.catalogue)
        if (found := in_catalogue(catalogue, model)) is not None:
            self.state.recommended = {**self.state.recommended, model.id: found}

    def show_hash(self, model: InstalledModel) -> None:
        """Show the hash of a downloaded file."""
        self.state.hash_shown = model.id


def in_catalogue(catalogue: Catalogue, model: InstalledModel) -> CatalogueModel | None:
    """What the catalogue says of a model: only where it surely is that one, never by a likeness of names."""
    if model.source is not None:
        return catalogue.of_repository(model.source.repository)
    if model.origin is Origin.STARTER:  # what the app brings has known weights, under the name of its makers
        return next((known for known in catalogue.models if model.name == known.name), None)
    return None
