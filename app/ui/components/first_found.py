"""Models of other programs, for whoever has none here yet: an answer without a download."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from app.core.other_models import OtherModels
from app.ui import routes
from app.ui.components.controls import card, marked
from app.ui.components.fit import fit_badge
from app.ui.state.app import AppState
from app.ui.state.other_models import OtherModelsState
from app.ui.theme import Space
from engines.library.found import FoundModel
from engines.memory import MemoryFit

MOST = 3
"""More would push what is recommended off a phone's screen; all are on the models screen."""


@ft.component
def FirstFound(app: AppState, others: OtherModelsState) -> ft.Control:
    """A card with the found models that can chat and fit; nothing at all where there is none."""
    ft.use_effect(app.others.look, dependencies=[])
    strings, found = app.strings, others.found
    usable = _usable(found) if found is not None else []
    if found is None or not usable:
        return ft.Container(height=0)
    title = ft.Column(
        [
            ft.Text(strings("found.title"), theme_style=ft.TextThemeStyle.TITLE_MEDIUM),
            ft.Text(
                strings("found.first_text"),
                theme_style=ft.TextThemeStyle.BODY_SMALL,
                color=ft.Colors.ON_SURFACE_VARIANT,
            ),
        ],
        spacing=Space.XS,
        tight=True,
        expand=True,
    )
    rows: list[ft.Control] = [ft.Row([title], rtl=app.rtl)]
    rows += [_row(app, model, found.fit(model), others.linking) for model in usable[:MOST]]
    if len(usable) > MOST:
        more = ft.TextButton(
            strings("found.first_more", count=len(usable) - MOST), on_click=lambda: app.go(routes.MODELS)
        )
        rows.append(ft.Row([marked(more, identifier="more-found")], rtl=app.rtl))
    return marked(
        card(
            ft.Column(rows, spacing=Space.M, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
        ),
        identifier="first-found",
        container=True,
    )


def _usable(found: OtherModels) -> Sequence[FoundModel]:
    """Those that can answer now, and of these first the ones that leave room for everything else."""
    order = {MemoryFit.FITS: 0, MemoryFit.TIGHT: 1}
    chatting = [model for model in found.offered if model.chats and found.fit(model) in order]
    return sorted(chatting, key=lambda model: order[found.fit(model)])


def _row(app: AppState, model: FoundModel, fit: MemoryFit, linking: object) -> ft.Control:
    strings = app.strings

    async def use() -> None:
        installed = await app.others.use(model)
        if installed is not None:
            await app.models.load(installed)

    facts = [model.program, strings.size(model.bytes), model.quantisation]
    words = ft.Column(
        [
            ft.Text(
                strings.isolate(model.name),
                theme_style=ft.TextThemeStyle.TITLE_SMALL,
                max_lines=2,
                overflow=ft.TextOverflow.ELLIPSIS,
            ),
            ft.Text(
                " · ".join(strings.isolate(fact) for fact in facts if fact),
                theme_style=ft.TextThemeStyle.BODY_SMALL,
                color=ft.Colors.ON_SURFACE_VARIANT,
            ),
            *([] if fit is MemoryFit.FITS else [ft.Row([fit_badge(app, fit)], rtl=app.rtl)]),
        ],
        spacing=0,
        tight=True,
        expand=True,
    )
    action: ft.Control = ft.ProgressRing(width=20, height=20, stroke_width=2)
    if linking != model.path:
        action = marked(
            ft.FilledTonalButton(strings("model.use"), on_click=use, disabled=linking is not None),
            identifier=f"use-first-{model.path.name}",
            label=strings("found.use_named", name=model.name),
        )
    return ft.Row([words, action], rtl=app.rtl, spacing=Space.M)
