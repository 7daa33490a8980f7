"""What stands above the list of models: what they take on the disk, and the way to one of many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from app.core.any_model import AnyModel
from app.ui.components.controls import SearchField, marked, remembered
from app.ui.state.app import AppState
from app.ui.state.models_folder import ModelsFolderState
from app.ui.theme import Space
from engines.library import InstalledModel

MANY = 6
"""From so many models on there is a field to search them with."""
ONLY_LINKS_BYTES = 10_000
"""A folder with less holds no model: the starter model and linked ones lie elsewhere."""


@remembered
def ModelsOverview(app: AppState, count: int, installed: int, on_search: Callable[[str], Any]) -> ft.Control:
    """The sizes, and with `count` models that are many, the field; `installed` of them lie on this device."""
    lines: list[ft.Control] = [DiskSpace(app, app.models_folder.state, installed)]
    if count >= MANY:
        # As it was left, when the user comes back from a model's page.
        text = app.models.state.wanted
        field = SearchField(
            app, app.strings("model.search"), on_search, identifier="search-models", text=text
        )
        lines.append(field)
    return ft.Column(lines, spacing=Space.M, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


@ft.component
def DiskSpace(app: AppState, folder: ModelsFolderState, installed: int) -> ft.Control:
    """What the models' folder takes, and what is free beside it; looked up again when models come or go."""
    ft.use_effect(app.models_folder.refresh, dependencies=[installed])
    place = folder.place
    if place is None or not place.there:
        return ft.Container(height=0)
    strings, quiet = app.strings, ft.Colors.ON_SURFACE_VARIANT
    words = "folder.free" if place.bytes < ONLY_LINKS_BYTES else "folder.sizes"
    sizes = strings(words, size=strings.size(place.bytes), free=strings.size(place.free_bytes))
    return marked(
        ft.Row(
            [
                ft.Icon(ft.Icons.SD_STORAGE_OUTLINED, size=16, color=quiet),
                ft.Text(sizes, theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=quiet, expand=True),
            ],
            rtl=app.rtl,
            spacing=Space.XS,
        ),
        identifier="disk-space",
    )


def fits_search(model: AnyModel, text: str) -> bool:
    """Whether each word stands in the model's name, or in what else people know it by."""
    known = [model.name, model.id]
    if isinstance(model, InstalledModel):
        known += [model.architecture, model.family, model.quantisation]
    everything = " ".join(known).casefold()
    return all(word in everything for word in text.casefold().split())
