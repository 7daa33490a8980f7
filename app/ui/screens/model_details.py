"""Everything about one installed model: what it is, and what can be done with it."""

from __future__ import annotations

import flet as ft

from app.ui import routes
from app.ui.components.compression_section import CompressionSection
from app.ui.components.controls import Handler, empty_state, marked
from app.ui.components.header import back_button, header
from app.ui.components.job_card import JobNotice
from app.ui.components.model_about import ModelAbout
from app.ui.components.model_options import ModelOptionsSection
from app.ui.components.page import page, reading_list
from app.ui.components.readme import ReadmeSection
from app.ui.components.speed_section import SpeedSection
from app.ui.state.app import AppState
from app.ui.state.compression import CompressionState
from app.ui.state.jobs import JobsState
from app.ui.state.model_details import ModelDetailsState
from app.ui.state.models import ModelRow, ModelsState
from app.ui.state.speed import SpeedState
from app.ui.theme import READING_WIDTH, Space


@ft.component
def ModelDetailsScreen(app: AppState, model_id: str) -> ft.Control:
    """The model's page, made of everything that is observed for it."""
    return ModelPage(
        app,
        model_id,
        app.models.state,
        app.details.state,
        app.speed.state,
        app.compression.state,
        app.jobs.state,
    )


@ft.component
def ModelPage(
    app: AppState,
    model_id: str,
    models: ModelsState,
    details: ModelDetailsState,
    speed: SpeedState,
    compression: CompressionState,
    jobs: JobsState,
) -> ft.Control:
    """Its sections; where there is no such model any more, that, and the way back."""
    strings = app.strings
    row = next((row for row in models.rows if row.model.id == model_id), None)

    async def look_up() -> None:
        if row is not None:
            await app.details.refresh(row.model)
            await app.speed.refresh()
            await app.compression.refresh(row.model)

    ft.use_effect(look_up, dependencies=[model_id, row is not None])

    def back() -> None:
        app.go(routes.MODELS)

    if row is not None:
        title, body = row.model.name, _sections(app, row, models, details, speed, compression, jobs)
    elif models.known:
        title, body = strings("details.title"), [_gone(app, back)]
    else:
        title, body = strings("details.title"), [_looking()]
    return page(
        header(
            app,
            title,
            leading=back_button(strings("details.back"), back),
            width=READING_WIDTH,
        ),
        JobNotice(app, jobs),
        reading_list(body, spacing=Space.M, key=f"details-{model_id}"),
    )


def _sections(
    app: AppState,
    row: ModelRow,
    models: ModelsState,
    details: ModelDetailsState,
    speed: SpeedState,
    compression: CompressionState,
    jobs: JobsState,
) -> list[ft.Control]:
    busy = jobs.current is not None
    return [
        ModelAbout(
            app,
            row,
            models.busy,
            details.free_bytes,
            details.recommended.get(row.model.id),
            details.check if details.check and details.check.model_id == row.model.id else None,
            details.checked.get(row.model.id),
        ),
        *_readme(app, row),
        ModelOptionsSection(app, row.model, key=f"options-{row.model.id}"),
        SpeedSection(app, row.model, speed, busy),
        CompressionSection(
            app,
            row.model,
            compression.advice.get(row.model.id),
            compression.tables.get(row.model.id),
            compression.looking == row.model.id,
            busy,
        ),
    ]


def _readme(app: AppState, row: ModelRow) -> list[ft.Control]:
    """What its makers wrote, where it came from the hub."""
    source = row.model.source
    if source is None:
        return []
    return [ReadmeSection(app, source.repository, source.revision, key=f"readme-{row.model.id}")]


def _gone(app: AppState, back: Handler) -> ft.Control:
    return ft.Container(
        empty_state(
            app,
            ft.Icons.SEARCH_OFF,
            app.strings("details.gone_title"),
            app.strings("details.gone_text"),
            [marked(ft.FilledButton(app.strings("details.back"), on_click=back), identifier="gone-back")],
        ),
        alignment=ft.Alignment.TOP_CENTER,
    )


def _looking() -> ft.Control:
    return ft.Row([ft.ProgressRing()], alignment=ft.MainAxisAlignment.CENTER)
