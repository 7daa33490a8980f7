"""A recommended model that is not on this device yet."""

from __future__ import annotations

import flet as ft

from app.core.offers import Offer
from app.ui.components.controls import card, marked, remembered
from app.ui.components.fit import best_badge, fit_badge, plain_badge
from app.ui.components.hub_problem import hub_problem
from app.ui.state.app import AppState
from app.ui.theme import Space
from engines.memory import MemoryFit


@remembered
def CatalogueCard(app: AppState, offer: Offer, asking: bool, problem: Exception | None = None) -> ft.Control:
    """What it is good for, whether it fits, how well it speaks Persian, and under which terms."""
    strings, model = app.strings, offer.model
    too_large = offer.fit is MemoryFit.TOO_LARGE

    async def get() -> None:
        await app.store.get(offer)

    lines: list[ft.Control] = [
        ft.Row(
            [
                ft.Text(strings.isolate(model.name), theme_style=ft.TextThemeStyle.TITLE_MEDIUM, expand=True),
                *([best_badge(app)] if offer.best else []),
            ],
            rtl=app.rtl,
            spacing=Space.S,
        ),
        ft.Row(
            [ft.Text(description(app, offer), color=ft.Colors.ON_SURFACE_VARIANT, expand=True)], rtl=app.rtl
        ),
        ft.Row(facts(app, offer), rtl=app.rtl, spacing=Space.S, run_spacing=Space.S, wrap=True),
    ]
    if too_large:
        lines.append(_reason(app, offer))
    if problem is not None:
        lines.append(hub_problem(app, problem, get))
    button_type = ft.OutlinedButton if too_large or not offer.best else ft.FilledButton
    button = (
        ft.ProgressRing(width=20, height=20, stroke_width=2)
        if asking
        else marked(
            button_type(strings("catalogue.get"), icon=ft.Icons.DOWNLOAD, on_click=get),
            identifier=f"get-{model.id}",
        )
    )
    lines.append(ft.Row([button], rtl=app.rtl, alignment=ft.MainAxisAlignment.END))
    return marked(
        card(
            ft.Column(
                lines,
                spacing=Space.S,
                tight=True,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            )
        ),
        identifier=f"catalogue-{model.id}",
        container=True,
    )


def description(app: AppState, offer: Offer) -> str:
    """What a recommended model is good for, in the app's language."""
    about = offer.model.description
    return about.fa if app.strings.language == "fa" else about.en


def facts(app: AppState, offer: Offer) -> list[ft.Control]:
    """Whether it fits, its size, its Persian and its licence, as badges."""
    strings, model = app.strings, offer.model
    texts = (
        strings("catalogue.about", size=strings.size(offer.file.about_bytes)),
        strings(f"catalogue.persian.{model.persian}"),
        model.licence.name,
    )
    return [fit_badge(app, offer.fit), *(plain_badge(text) for text in texts)]


def _reason(app: AppState, offer: Offer) -> ft.Control:
    text = app.strings(
        "catalogue.too_large",
        needed=app.strings.size(offer.needed_bytes),
        available=app.strings.size(offer.free_bytes),
    )
    return ft.Row(
        [
            ft.Text(
                text,
                theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                color=ft.Colors.ON_SURFACE_VARIANT,
                expand=True,
            )
        ],
        rtl=app.rtl,
    )
