"""A model that was found on the hub."""

from __future__ import annotations

import flet as ft

from app.core.offers import about_sizes
from app.ui.components.controls import badge, card, marked, remembered
from app.ui.components.fit import plain_badge
from app.ui.state.app import AppState
from app.ui.theme import Space
from engines.store.hub import HubModel


@remembered
def HubCard(app: AppState, model: HubModel, recommended: bool) -> ft.Control:
    """Its name and maker, how many use it, how large it is, and under which terms. A tap opens it."""
    strings = app.strings

    async def open_() -> None:
        await app.find.open(model.repository)

    badges: list[ft.Control] = []
    if recommended:
        badges.append(
            badge(strings("find.recommended"), ft.Colors.PRIMARY_CONTAINER, ft.Colors.ON_PRIMARY_CONTAINER)
        )
    if model.gated:
        badges.append(
            badge(strings("find.gated"), ft.Colors.TERTIARY_CONTAINER, ft.Colors.ON_TERTIARY_CONTAINER)
        )
    if "fa" in model.languages:
        badges.append(
            badge(strings("find.persian"), ft.Colors.SECONDARY_CONTAINER, ft.Colors.ON_SECONDARY_CONTAINER)
        )
    if sizes := size_range(app, model):
        badges.append(plain_badge(sizes))
    if model.licence:
        badges.append(plain_badge(strings.isolate(model.licence)))
    return marked(
        card(
            ft.Column(
                [
                    ft.Row(
                        [
                            ft.Text(
                                strings.isolate(model.name),
                                theme_style=ft.TextThemeStyle.TITLE_MEDIUM,
                                max_lines=2,
                                overflow=ft.TextOverflow.ELLIPSIS,
                                expand=True,
                            ),
                            ft.Icon(
                                ft.Icons.CHEVRON_RIGHT,
                                color=ft.Colors.ON_SURFACE_VARIANT,
                            ),
                        ],
                        rtl=app.rtl,
                    ),
                    popularity(app, model),
                    *(
                        [ft.Row(badges, rtl=app.rtl, spacing=Space.S, run_spacing=Space.S, wrap=True)]
                        if badges
                        else []
                    ),
                ],
                spacing=Space.S,
                tight=True,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            ),
            ink=True,
            on_click=open_,
        ),
        identifier=f"hub-{model.repository}",
        button=True,
    )


def popularity(app: AppState, model: HubModel) -> ft.Control:
    """Who has made it, how often it was downloaded, how many like it, and how old it is."""
    strings, quiet = app.strings, ft.Colors.ON_SURFACE_VARIANT
    counts: list[ft.Control] = []
    for icon, count, tooltip in (
        (ft.Icons.DOWNLOAD, model.downloads, strings("find.downloads", count=model.downloads)),
        (ft.Icons.FAVORITE_BORDER, model.likes, strings("find.likes", count=model.likes)),
    ):
        if count:
            counts.append(
                ft.Row(
                    [
                        ft.Icon(icon, size=14, color=quiet),
                        ft.Text(
                            strings.number(count), theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=quiet
                        ),
                    ],
                    spacing=Space.XS,
                    tight=True,
                    tooltip=tooltip,
                    rtl=app.rtl,
                )
            )
    if model.updated is not None:
        day = strings("find.updated", date=strings.time(model.updated))
        counts.append(ft.Text(day, theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=quiet))
    return ft.Row(
        [
            ft.Text(
                strings("find.maker", name=model.maker),
                theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                color=quiet,
            ),
            *counts,
        ],
        rtl=app.rtl,
        wrap=True,
        spacing=Space.L,
        run_spacing=Space.XS,
    )


def size_range(app: AppState, model: HubModel) -> str:
    """Roughly how large its files are; empty where nobody can know."""
    strings, sizes = app.strings, about_sizes(model)
    if sizes is None:
        return ""
    smallest, largest = (strings.size(size) for size in sizes)
    if smallest == largest:
        return strings("catalogue.about", size=smallest)
    return strings("find.sizes", smallest=smallest, largest=largest)
