"""The models of this device, and how to get more."""

from __future__ import annotations

import flet as ft

from app.ui import routes
from app.ui.components.broken_file import BrokenFileCard
from app.ui.components.catalogue_card import CatalogueCard
from app.ui.components.controls import Handler, card, empty_state, icon_button, marked, menu
from app.ui.components.download_card import DownloadCard
from app.ui.components.header import header
from app.ui.components.job_card import JobNotice
from app.ui.components.model_card import ModelCard
from app.ui.components.models_overview import MANY, ModelsOverview, fits_search
from app.ui.components.other_models import OtherModelsSection
from app.ui.components.page import page, reading_list
from app.ui.components.server_card import ServerCard
from app.ui.components.setting_rows import notice
from app.ui.state.app import AppState
from app.ui.state.models import Adding, ModelsState
from app.ui.state.store import StoreState
from app.ui.theme import READING_WIDTH, Space


@ft.component
def ModelsScreen(app: AppState, models: ModelsState, store: StoreState) -> ft.Control:
    """Models and what they need, downloads, servers, files that cannot be used, and what is recommended."""
    ft.use_effect(app.store.weigh, dependencies=[])  # the memory that is free changes
    strings = app.strings

    async def add() -> None:
        await app.models.add()

    find_button = icon_button(
        ft.Icons.TRAVEL_EXPLORE,
        strings("find.title"),
        lambda: app.go("/models/find"),
        identifier="find-models",
    )

    async def add_server() -> None:
        await app.servers.add()

    ways = [
        *([] if models.adding else [(ft.Icons.INSERT_DRIVE_FILE_OUTLINED, strings("model.add"), add)]),
        (ft.Icons.DNS_OUTLINED, strings("server.add_title"), add_server),
        (ft.Icons.TRAVEL_EXPLORE, strings("find.title"), lambda: app.go("/models/find")),
    ]
    add_menu = menu(app, strings("model.add_menu"), ways, identifier="add-model", icon=ft.Icons.ADD, size=24)

    def show_speed() -> None:
        app.go(routes.SPEED)

    speed_button = icon_button(ft.Icons.SPEED, strings("speed.title"), show_speed, identifier="speed-tests")
    count = len(models.rows) + len(models.servers)
    text = models.wanted if count >= MANY else ""
    shown = [row for row in models.rows if fits_search(row.model, text)]
    servers = [model for model in models.servers if fits_search(model, text)]
    rows = [
        *([_adding(app, models.adding)] if models.adding is not None else []),
        *(ModelCard(app, row, models.busy, key=row.model.id) for row in shown),
        *(DownloadCard(app, download, key=f"download-{download.id}") for download in store.downloads),
    ]
    if models.missing_folder is not None:
        rows.insert(0, _missing_folder(app, models.missing_folder))
    elif models.known and not (rows or models.rows):
        rows.append(ft.Container(_no_models(app, add, add_server), alignment=ft.Alignment.TOP_CENTER))
    if models.known and models.rows:
        rows.insert(0, ModelsOverview(app, count, len(models.rows), app.models.search, key="overview"))
    if text.strip() and not shown and not servers:
        rows.append(_nothing_fits(app, text.strip()))
    if servers:
        rows.append(_heading(app, strings("model.servers_title")))
        chosen = models.answering.id if models.answering else None
        rows += [ServerCard(app, model, model.id == chosen, models.busy, key=model.id) for model in servers]
    if models.broken:
        rows.append(_heading(app, strings("model.broken_title")))
        rows += [BrokenFileCard(app, file, key=str(file.path)) for file in models.broken]
    if models.known and app.others.possible:
        rows.append(OtherModelsSection(app, app.others.state, len(models.rows)))
    here = {row.model.source.repository for row in models.rows if row.model.source is not None}
    here |= {download.order.repository for download in store.downloads}
    offers = [offer for offer in store.offers if offer.model.repository not in here]
    if models.known and offers:
        rows.append(_heading(app, strings("catalogue.title"), strings("catalogue.text")))
        rows += [
            CatalogueCard(
                app,
                offer,
                store.asking == offer.model.id,
                store.problems.get(offer.model.id),
                key=offer.model.id,
            )
            for offer in offers
        ]
    body = reading_list(rows, spacing=Space.M)
    return page(
        header(
            app,
            strings("nav.models"),
            actions=[find_button, speed_button, add_menu],
            width=READING_WIDTH,
        ),
        JobNotice(app, app.jobs.state),
        body,
    )


def _missing_folder(app: AppState, folder: str) -> ft.Control:
    text = app.strings("errors.FolderMissing", folder=folder)
    return card(
        ft.Column(
            [
                notice(app, ft.Icons.WARNING_AMBER, text, ft.Colors.ERROR, identifier="folder-missing"),
                ft.Row(
                    [
                        marked(
                            ft.OutlinedButton(app.strings("action.retry"), on_click=app.models.refresh),
                            "look-folder",
                        ),
                        marked(
                            ft.TextButton(app.strings("nav.settings"), on_click=lambda: app.go("/settings")),
                            "folder-settings",
                        ),
                    ],
                    rtl=app.rtl,
                    spacing=Space.S,
                    wrap=True,
                ),
            ],
            spacing=Space.M,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        )
    )


def _nothing_fits(app: AppState, text: str) -> ft.Control:
    words = app.strings("model.nothing_fits", text=text)
    return marked(
        ft.Row([ft.Text(words, color=ft.Colors.ON_SURFACE_VARIANT, expand=True)], rtl=app.rtl),
        identifier="no-such-model",
        live_region=True,
    )


def _heading(app: AppState, title: str, text: str = "") -> ft.Control:
    lines: list[ft.Control] = [ft.Text(title, theme_style=ft.TextThemeStyle.TITLE_MEDIUM)]
    if text:
        lines.append(
            ft.Text(text, theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=ft.Colors.ON_SURFACE_VARIANT)
        )
    return ft.Container(
        ft.Row([ft.Column(lines, spacing=Space.XS, tight=True, expand=True)], rtl=app.rtl),
        padding=ft.Padding.only(top=Space.L),
    )


def _no_models(app: AppState, add: Handler, add_server: Handler) -> ft.Control:
    return empty_state(
        app,
        ft.Icons.MEMORY_OUTLINED,
        app.strings("model.empty_title"),
        app.strings("model.empty_text"),
        [
            marked(
                ft.FilledButton(app.strings("model.add"), icon=ft.Icons.ADD, on_click=add),
                "add-first-model",
            ),
            marked(
                ft.TextButton(
                    app.strings("server.add_title"), icon=ft.Icons.DNS_OUTLINED, on_click=add_server
                ),
                "add-first-server",
            ),
        ],
    )


def _adding(app: AppState, adding: Adding) -> ft.Control:
    return card(
        ft.Column(
            [
                ft.Row(
                    [
                        ft.Text(
                            app.strings("model.adding", name=adding.name),
                            theme_style=ft.TextThemeStyle.TITLE_SMALL,
                            expand=True,
                        )
                    ],
                    rtl=app.rtl,
                ),
                ft.ProgressBar(value=adding.share or None, bar_height=4, border_radius=2),
            ],
            spacing=Space.M,
            tight=True,
        )
    )
