"""All speed tests of this device: measure, look, compare, keep."""

from __future__ import annotations

import flet as ft

from app.core.benchmarking import newest_of_each_model
from app.ui import routes
from app.ui.components.controls import Handler, empty_state, menu
from app.ui.components.header import back_button, header
from app.ui.components.job_card import JobNotice
from app.ui.components.page import page, reading_list
from app.ui.components.setting_rows import section
from app.ui.components.speed_results import SpeedResultCard, comparison, overview
from app.ui.components.speed_start import SpeedStart
from app.ui.state.app import AppState
from app.ui.state.jobs import JobsState
from app.ui.state.models import ModelsState
from app.ui.state.speed import ExportFormat, SpeedState
from app.ui.theme import READING_WIDTH, Space


@ft.component
def SpeedScreen(app: AppState, models: ModelsState, speed: SpeedState, jobs: JobsState) -> ft.Control:
    """What is being measured, the way to measure, charts, the comparison, and every result."""
    strings = app.strings
    ft.use_effect(app.speed.refresh, dependencies=[])

    def back() -> None:
        app.go(routes.MODELS)

    rows: list[ft.Control] = []
    if models.rows:
        installed = tuple(row.model for row in models.rows)
        start = SpeedStart(app, installed, jobs.current is not None)
        rows.append(section(app, strings("speed.measure"), [start]))
    if not speed.known:
        rows.append(ft.Row([ft.ProgressRing()], alignment=ft.MainAxisAlignment.CENTER))
    elif not speed.results:
        rows.append(_empty(app))
    by_id = {result.id: result for result in speed.results}
    compared = [by_id[chosen] for chosen in speed.chosen if chosen in by_id]
    if len(compared) > 1:
        rows.append(comparison(app, compared))
    elif speed.results:
        rows.append(overview(app, newest_of_each_model(speed.results)))
    rows += [
        SpeedResultCard(app, result, result.id in speed.chosen, key=result.id) for result in speed.results
    ]
    return page(
        header(
            app,
            strings("speed.title"),
            leading=back_button(strings("details.back"), back),
            actions=[_export_menu(app)] if speed.results else [],
            width=READING_WIDTH,
        ),
        JobNotice(app, jobs),
        reading_list(rows, spacing=Space.M),
    )


def _empty(app: AppState) -> ft.Control:
    return ft.Container(
        empty_state(app, ft.Icons.SPEED, app.strings("speed.empty_title"), app.strings("speed.empty_text")),
        alignment=ft.Alignment.TOP_CENTER,
    )


def _export_menu(app: AppState) -> ft.Control:
    strings = app.strings

    def saver(form: ExportFormat) -> Handler:
        async def save() -> None:
            if await app.speed.export(form, strings("speed.export")):
                app.notify(strings("speed.exported"))

        return save

    async def copy() -> None:
        await app.copy(app.speed.written("csv"))

    return menu(
        app,
        strings("speed.export"),
        [
            (ft.Icons.TABLE_CHART_OUTLINED, strings("speed.export_csv"), saver("csv")),
            (ft.Icons.DATA_OBJECT, strings("speed.export_json"), saver("json")),
            (ft.Icons.COPY, strings("speed.copy_csv"), copy),
        ],
        identifier="export-speed",
    )
