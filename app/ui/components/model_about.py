"""The first section of a model's page: facts, where it came from, and what can be done."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import icon_button, marked, remembered
from app.ui.components.file_check import file_check, long_fact
from app.ui.components.model_card import ask_to_remove, badges, facts, load_button
from app.ui.components.setting_rows import section
from app.ui.state.app import AppState
from app.ui.state.model_details import RunningCheck
from app.ui.state.models import ModelRow
from app.ui.theme import Space
from engines.library import ContentCheck
from engines.store.catalogue import CatalogueModel


@remembered
def ModelAbout(
    app: AppState,
    row: ModelRow,
    busy: bool,
    free_bytes: int,
    recommended: CatalogueModel | None,
    check: RunningCheck | None,
    checked: ContentCheck | None,
) -> ft.Control:
    """A card with everything that is known of a model."""
    strings, model = app.strings, row.model
    rows: list[ft.Control] = [ft.Row(badges(app, row), wrap=True, spacing=Space.S, rtl=app.rtl)]
    if recommended is not None:
        rows.append(
            _text(app, recommended.description.fa if strings.language == "fa" else recommended.description.en)
        )
    if not model.has_chat_template:
        rows.append(_text(app, strings("details.base_model"), ft.Colors.ERROR))
    rows += [
        _actions(app, row, busy),
        _facts(app, row, free_bytes, recommended),
        *_source(app, row, recommended),
        *file_check(app, model, check, checked),
    ]
    return marked(section(app, strings("details.about"), rows), identifier="about-model", container=True)


def _actions(app: AppState, row: ModelRow, busy: bool) -> ft.Control:
    strings = app.strings
    actions = [load_button(app, row, busy)]
    if row.model.removable:
        actions.append(
            marked(
                ft.TextButton(
                    strings("details.remove", size=strings.size(row.model.bytes)),
                    icon=ft.Icons.DELETE_OUTLINE,
                    style=ft.ButtonStyle(color=ft.Colors.ERROR, icon_color=ft.Colors.ERROR),
                    on_click=lambda: ask_to_remove(app, row.model),
                    disabled=busy,
                ),
                identifier="remove-model",
            )
        )
    return ft.Row(actions, wrap=True, spacing=Space.M, run_spacing=Space.S, rtl=app.rtl)


def _facts(app: AppState, row: ModelRow, free_bytes: int, recommended: CatalogueModel | None) -> ft.Control:
    strings = app.strings
    found = facts(strings, row)
    if free_bytes:
        found.insert(1, (strings("details.free_memory"), strings.size(free_bytes)))
    found.append((strings("details.family"), strings.isolate(row.model.family)))
    if recommended is not None:
        names = [strings(f"language.{code}") for code in recommended.languages]
        found += [
            (strings("details.persian"), strings(f"details.persian.{recommended.persian}")),
            (strings("details.languages"), strings("details.separator").join(names)),
        ]
    return ft.Column(
        [_fact(app, label, value) for label, value in found],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _source(app: AppState, row: ModelRow, recommended: CatalogueModel | None) -> list[ft.Control]:
    strings, model = app.strings, row.model

    async def copy_path() -> None:
        await app.copy(str(model.path))

    rows = [
        long_fact(
            app,
            strings("details.file"),
            str(model.path),
            icon_button(ft.Icons.COPY, strings("details.copy_path"), copy_path, identifier="copy-path"),
        )
    ]
    if model.source is not None:
        source = model.source
        rows.append(long_fact(app, strings("details.repository"), source.repository))
        rows.append(long_fact(app, strings("details.revision"), source.revision))
    if recommended is not None:
        rows.append(_licence(app, recommended))
    return rows


def _licence(app: AppState, recommended: CatalogueModel) -> ft.Control:
    async def read() -> None:
        await app.open_link(recommended.licence.url)

    return long_fact(
        app,
        app.strings("details.licence"),
        recommended.licence.name,
        icon_button(
            ft.Icons.OPEN_IN_NEW,
            app.strings("details.read_licence", address=recommended.licence.url),
            read,
            identifier="read-licence",
        ),
    )


def _text(app: AppState, text: str, color: str = ft.Colors.ON_SURFACE_VARIANT) -> ft.Control:
    return ft.Row([ft.Text(text, color=color, expand=True)], rtl=app.rtl)


def _fact(app: AppState, label: str, value: str) -> ft.Control:
    return ft.Row(
        [
            ft.Text(
                label,
                theme_style=ft.TextThemeStyle.LABEL_LARGE,
                color=ft.Colors.ON_SURFACE_VARIANT,
                expand=2,
            ),
            ft.Text(value, theme_style=ft.TextThemeStyle.LABEL_LARGE, expand=3),
        ],
        rtl=app.rtl,
        spacing=Space.L,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )
