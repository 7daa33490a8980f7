"""The speed tests of one model, on its page."""

from __future__ import annotations

import flet as ft

from app.core.benchmarking import is_of
from app.ui import routes
from app.ui.components.controls import marked, remembered
from app.ui.components.setting_rows import section
from app.ui.components.speed_results import SpeedResultCard
from app.ui.components.speed_start import SpeedStart
from app.ui.state.app import AppState
from app.ui.state.speed import SpeedState
from app.ui.theme import Space
from engines.library import InstalledModel

_MOST_RESULTS = 3
"""More stand on the page of all speed tests."""


@remembered
def SpeedSection(app: AppState, model: InstalledModel, speed: SpeedState, busy: bool) -> ft.Control:
    """Start one, and see the newest results."""
    strings = app.strings
    results = [result for result in speed.results if is_of(result, model)]

    def show_all() -> None:
        app.go(routes.SPEED)

    more = marked(
        ft.TextButton(strings("speed.all"), icon=ft.Icons.BAR_CHART, on_click=show_all),
        identifier="all-speed-tests",
    )
    rows: list[ft.Control] = [SpeedStart(app, (model,), busy)]
    if speed.known and not results:
        rows.append(
            ft.Row(
                [ft.Text(strings("speed.none_of_model"), color=ft.Colors.ON_SURFACE_VARIANT, expand=True)],
                rtl=app.rtl,
            )
        )
    rows.append(ft.Row([more], rtl=app.rtl))
    cards = [
        SpeedResultCard(app, result, result.id in speed.chosen, named=False, key=result.id)
        for result in results[:_MOST_RESULTS]
    ]
    return ft.Column(
        [
            marked(section(app, strings("speed.title"), rows), identifier="speed-section", container=True),
            *cards,
        ],
        spacing=Space.M,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
