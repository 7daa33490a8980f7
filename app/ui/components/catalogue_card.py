"""A recommended model that is not on this device yet."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import badge, card, marked, remembered
from app.ui.state.app import AppState
from app.ui.theme import Space
from engines.store.catalogue import CatalogueModel


@remembered
def CatalogueCard(app: AppState, model: CatalogueModel, asking: bool) -> ft.Control:
    """What it is good for, how large it is, how well it speaks Persian, and under which terms."""
    strings = app.strings

    async def get() -> None:
        await app.store.get(model)

    about = model.description.fa if strings.language == "fa" else model.description.en
    badges = [
        badge(text, ft.Colors.SURFACE_CONTAINER_HIGH, ft.Colors.ON_SURFACE_VARIANT)
        for text in (
            strings("catalogue.about", size=strings.size(model.files[0].about_bytes)),
            strings(f"catalogue.persian.{model.persian}"),
            model.licence.name,
        )
    ]
    button = (
        ft.ProgressRing(width=20, height=20, stroke_width=2)
        if asking
        else marked(
            ft.OutlinedButton(strings("catalogue.get"), icon=ft.Icons.DOWNLOAD, on_click=get),
            identifier=f"get-{model.id}",
        )
    )
    return marked(
        card(
            ft.Column(
                [
                    ft.Text(strings.isolate(model.name), theme_style=ft.TextThemeStyle.TITLE_MEDIUM),
                    ft.Row([ft.Text(about, color=ft.Colors.ON_SURFACE_VARIANT, expand=True)], rtl=app.rtl),
                    ft.Row(badges, rtl=app.rtl, spacing=Space.S, run_spacing=Space.S, wrap=True),
                    ft.Row([button], rtl=app.rtl, alignment=ft.MainAxisAlignment.END),
                ],
                spacing=Space.S,
                tight=True,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            )
        ),
        identifier=f"catalogue-{model.id}",
        container=True,
    )
