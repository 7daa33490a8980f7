"""The way from no model to the first answer: one recommended model, and the other ways to get one."""

from __future__ import annotations

import flet as ft

from app.core.offers import Offer
from app.ui.components.catalogue_card import description, facts
from app.ui.components.controls import card, in_reading_width, marked
from app.ui.components.download_card import DownloadCard
from app.ui.components.first_found import FirstFound
from app.ui.components.hub_problem import hub_problem
from app.ui.state.app import AppState
from app.ui.state.models import ModelsState
from app.ui.state.store import StoreState
from app.ui.theme import FORM_WIDTH, Radius, Space

_LARGE_TEXT = 1.2
"""Then the picture makes room for the button, which should be in sight on a phone."""


@ft.component
def FirstModel(app: AppState, models: ModelsState, store: StoreState) -> ft.Control:
    """What a chat shows while no model can answer: downloads under way, else the one to take."""
    ft.use_effect(app.store.weigh, dependencies=[])
    strings = app.strings
    loading = next((row.model for row in models.rows if row.loading), None)
    middle: list[ft.Control]
    if loading is not None:
        title, text = strings("first.almost_title"), strings("first.almost_text")
        middle = [_busy(app, strings("chat.loading_model", model=loading.name))]
    elif models.adding is not None:
        title, text = strings("first.coming_title"), strings("first.coming_text")
        middle = [_busy(app, strings("model.adding", name=models.adding.name), models.adding.share)]
    elif store.downloads:
        coming = any(one.state.active for one in store.downloads)
        title = strings("first.coming_title" if coming else "first.stopped_title")
        text = strings("first.coming_text" if coming else "first.stopped_text")
        middle = [DownloadCard(app, one, key=f"download-{one.id}") for one in store.downloads]
        middle.append(_other_ways(app))
    else:
        title = strings("chat.no_model_title")
        text = strings("first.only_base" if models.rows else "chat.no_model_text")
        middle = [FirstFound(app, app.others.state)] if app.others.possible else []
        if store.best is not None:
            middle.append(_best(app, store.best, store))
        elif store.offers:
            middle.append(
                ft.Text(
                    strings("first.nothing_fits"),
                    text_align=ft.TextAlign.CENTER,
                    color=ft.Colors.ON_SURFACE_VARIANT,
                )
            )
        middle.append(_other_ways(app))
    return ft.ListView(
        [
            in_reading_width(
                ft.Column(
                    [
                        *([] if app.scale > _LARGE_TEXT else [_icon()]),
                        ft.Text(
                            title,
                            theme_style=ft.TextThemeStyle.HEADLINE_SMALL,
                            text_align=ft.TextAlign.CENTER,
                        ),
                        ft.Text(text, text_align=ft.TextAlign.CENTER, color=ft.Colors.ON_SURFACE_VARIANT),
                        *(ft.Container(each, width=FORM_WIDTH) for each in middle),
                    ],
                    horizontal_alignment=ft.CrossAxisAlignment.CENTER,
                    spacing=Space.M,
                    tight=True,
                    rtl=app.rtl,
                ),
                FORM_WIDTH,
            )
        ],
        expand=True,
        padding=ft.Padding.only(bottom=Space.L),
    )


def _icon() -> ft.Control:
    return ft.Image(src="icon.png", width=48, height=48, border_radius=Radius.M)


def _best(app: AppState, offer: Offer, store: StoreState) -> ft.Control:
    strings, model = app.strings, offer.model
    problem = store.problems.get(model.id)

    async def get() -> None:
        await app.store.get(offer)

    lines: list[ft.Control] = [
        ft.Row(
            [ft.Text(strings.isolate(model.name), theme_style=ft.TextThemeStyle.TITLE_MEDIUM, expand=True)],
            rtl=app.rtl,
        ),
        ft.Row(
            [ft.Text(description(app, offer), color=ft.Colors.ON_SURFACE_VARIANT, expand=True)], rtl=app.rtl
        ),
        ft.Row(facts(app, offer), rtl=app.rtl, spacing=Space.S, run_spacing=Space.S, wrap=True),
    ]
    if problem is not None:
        lines.append(hub_problem(app, problem, get))
    lines.append(
        marked(
            ft.FilledButton(
                strings("first.asking" if store.asking else "first.get"),
                icon=ft.Icons.DOWNLOAD,
                on_click=get,
                disabled=store.asking is not None,
                height=48,
            ),
            identifier="get-first-model",
        )
    )
    lines.append(
        ft.Text(
            strings("first.host", host=app.store.host),
            theme_style=ft.TextThemeStyle.LABEL_SMALL,
            text_align=ft.TextAlign.CENTER,
            color=ft.Colors.ON_SURFACE_VARIANT,
        )
    )
    return marked(
        card(
            ft.Column(lines, spacing=Space.M, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
        ),
        identifier="first-model",
        container=True,
    )


def _other_ways(app: AppState) -> ft.Control:
    strings = app.strings

    async def choose_file() -> None:
        await app.models.add()

    async def add_server() -> None:
        await app.servers.add()

    ways = (
        ("first-file", ft.Icons.FILE_OPEN_OUTLINED, "first.file", choose_file),
        ("first-others", ft.Icons.LIST, "first.others", lambda: app.go("/models")),
        ("first-find", ft.Icons.TRAVEL_EXPLORE, "first.find", lambda: app.go("/models/find")),
        ("first-server", ft.Icons.DNS_OUTLINED, "first.server", add_server),
    )
    return ft.Row(
        [
            marked(ft.TextButton(strings(key), icon=icon, on_click=action, style=_compact()), identifier=name)
            for name, icon, key, action in ways
        ],
        rtl=app.rtl,
        wrap=True,
        spacing=Space.XS,
        run_spacing=0,
        alignment=ft.MainAxisAlignment.CENTER,
    )


def _compact() -> ft.ButtonStyle:
    return ft.ButtonStyle(padding=ft.Padding.symmetric(horizontal=Space.M, vertical=Space.S))


def _busy(app: AppState, text: str, share: float | None = None) -> ft.Control:
    return card(
        ft.Column(
            [
                ft.Row([ft.Text(text, theme_style=ft.TextThemeStyle.TITLE_SMALL, expand=True)], rtl=app.rtl),
                ft.ProgressBar(value=share or None, bar_height=4, border_radius=2),
            ],
            spacing=Space.M,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        )
    )
