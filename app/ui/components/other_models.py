"""Models that other programs have brought to this device."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import card, icon_button, marked
from app.ui.components.fit import fit_badge, plain_badge
from app.ui.state.app import AppState
from app.ui.state.other_models import OtherModelsState
from app.ui.theme import Space
from engines.library.found import FoundModel
from engines.memory import MemoryFit


@ft.component
def OtherModelsSection(app: AppState, others: OtherModelsState, installed: int) -> ft.Control:
    """Each with the way to use it where it lies; nothing at all where there is none.

    Looked for when the section comes onto the screen, and again when `installed` models are more or fewer.
    """
    strings = app.strings

    async def look() -> None:
        await app.others.look()

    async def show_all() -> None:
        await app.others.show_all()

    ft.use_effect(look, dependencies=[installed])
    found = others.found
    if found is None or not (found.offered or found.hidden):
        return ft.Container(height=0)
    heading = ft.Row(
        [
            ft.Column(
                [
                    ft.Text(strings("found.title"), theme_style=ft.TextThemeStyle.TITLE_MEDIUM),
                    ft.Text(
                        strings("found.text"),
                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                        color=ft.Colors.ON_SURFACE_VARIANT,
                    ),
                ],
                spacing=Space.XS,
                tight=True,
                expand=True,
            ),
            ft.ProgressRing(width=20, height=20, stroke_width=2)
            if others.looking
            else icon_button(ft.Icons.REFRESH, strings("found.look"), look, identifier="look-found"),
        ],
        rtl=app.rtl,
    )
    hidden = marked(
        ft.TextButton(strings("found.show_hidden", count=found.hidden), on_click=show_all),
        identifier="show-hidden",
    )
    return ft.Column(
        [
            ft.Container(heading, padding=ft.Padding.only(top=Space.L)),
            *(_card(app, model, found.fit(model), others.linking == model.path) for model in found.offered),
            *([ft.Row([hidden], rtl=app.rtl)] if found.hidden else []),
        ],
        spacing=Space.M,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _card(app: AppState, model: FoundModel, fit: MemoryFit, linking: bool) -> ft.Control:
    strings = app.strings

    async def use() -> None:
        await app.others.use(model)

    async def hide() -> None:
        await app.others.hide(model)

    texts = [model.program, strings.size(model.bytes), model.quantisation]
    if model.kind == "embedding_model":
        texts.append(strings("found.embedding"))
    badges = [fit_badge(app, fit), *(plain_badge(strings.isolate(text)) for text in texts)]
    known_as: list[ft.Control] = []
    if model.known_as and model.known_as != model.name:
        known_as.append(
            ft.Text(
                strings.isolate(model.known_as),
                theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                color=ft.Colors.ON_SURFACE_VARIANT,
            )
        )
    buttons: list[ft.Control] = [ft.ProgressRing(width=20, height=20, stroke_width=2)]
    if not linking:
        buttons = [
            marked(ft.TextButton(strings("found.hide"), on_click=hide), identifier="hide-found"),
            marked(ft.OutlinedButton(strings("model.use"), on_click=use), identifier="use-found"),
        ]
    return marked(
        card(
            ft.Column(
                [
                    ft.Text(strings.isolate(model.name), theme_style=ft.TextThemeStyle.TITLE_MEDIUM),
                    *known_as,
                    ft.Row(badges, wrap=True, spacing=Space.S, run_spacing=Space.S),
                    ft.Row(buttons, alignment=ft.MainAxisAlignment.END, spacing=Space.S),
                ],
                spacing=Space.S,
                tight=True,
                rtl=app.rtl,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            )
        ),
        identifier=f"found-{model.path.name}",
        container=True,
    )
