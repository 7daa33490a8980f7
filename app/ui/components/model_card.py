"""One installed model: what it is, what it needs, and what can be done with it."""

from __future__ import annotations

import flet as ft

from app.core.strings import Strings
from app.ui import routes
from app.ui.components.controls import badge, card, icon_button, marked, remembered, title_row
from app.ui.components.fit import fit_badge
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation
from app.ui.state.models import ModelRow
from app.ui.theme import Space
from engines.library import InstalledModel


@remembered
def ModelCard(app: AppState, row: ModelRow, busy: bool) -> ft.Control:
    """A card that opens the model's details; the chosen model's says so."""
    strings, model = app.strings, row.model

    def open_details() -> None:
        app.go(routes.of_model(model.id))

    notes: list[ft.Control] = []
    if not model.has_chat_template:
        notes.append(_note(ft.Icons.INFO_OUTLINE, strings("model.no_template"), ft.Colors.ERROR))
    elif row.chosen:
        notes.append(_note(ft.Icons.CHECK_CIRCLE, strings("model.chosen"), ft.Colors.PRIMARY))
    return marked(
        card(
            ft.Column(
                [
                    title_row(
                        app,
                        model.name,
                        *_remove(app, row),
                        icon_button(
                            ft.Icons.CHEVRON_RIGHT,
                            strings("details.open", name=model.name),
                            open_details,
                            identifier="open-details",
                        ),
                    ),
                    ft.Row(badges(app, row), wrap=True, spacing=Space.S, run_spacing=Space.XS),
                    ft.Row(
                        [fact(*named) for named in facts(strings, row)],
                        wrap=True,
                        spacing=Space.XL,
                        run_spacing=Space.S,
                    ),
                    ft.Row(
                        [
                            ft.Column(notes, spacing=Space.XS, tight=True, expand=True),
                            load_button(app, row, busy),
                        ],
                        vertical_alignment=ft.CrossAxisAlignment.CENTER,
                    ),
                ],
                spacing=Space.M,
                tight=True,
                rtl=app.rtl,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            ),
            ink=True,
            on_click=open_details,
        ),
        identifier=f"model-{model.id}",
        container=True,
    )


def parameter_count(strings: Strings, parameters: int) -> str:
    """A number of parameters as people say it."""
    if parameters >= 1_000_000_000:
        return strings("model.parameters_billions", number=strings.number(parameters / 1e9, 1))
    return strings("model.parameters_millions", number=strings.number(parameters / 1e6))


def badges(app: AppState, row: ModelRow) -> list[ft.Control]:
    """What a model's state is, in short words."""
    strings, quiet = app.strings, ft.Colors.ON_SURFACE_VARIANT
    found = [fit_badge(app, row.fit)]
    if row.loaded:
        found.insert(0, badge(strings("model.loaded"), ft.Colors.PRIMARY, ft.Colors.ON_PRIMARY))
    found.append(badge(strings(f"model.origin.{row.model.origin}"), ft.Colors.SURFACE_CONTAINER_HIGH, quiet))
    return found


def facts(strings: Strings, row: ModelRow) -> list[tuple[str, str]]:
    """What a model is and needs: names and values."""
    model = row.model
    found = [
        ("model.memory", strings.size(row.needed_bytes)),
        ("model.file_size", strings.size(model.bytes)),
        ("model.quantisation", strings.isolate(model.quantisation)),
        ("model.architecture", strings.isolate(model.architecture)),
    ]
    if model.parameters:
        found.append(("model.parameters", parameter_count(strings, model.parameters)))
    if model.trained_context:
        found.append(("model.context", strings("model.context_tokens", count=model.trained_context)))
    return [(strings(label), value) for label, value in found]


def fact(label: str, value: str) -> ft.Control:
    """A value under its name."""
    return ft.Column(
        [
            ft.Text(label, theme_style=ft.TextThemeStyle.LABEL_SMALL, color=ft.Colors.ON_SURFACE_VARIANT),
            ft.Text(value, theme_style=ft.TextThemeStyle.LABEL_LARGE),
        ],
        spacing=0,
        tight=True,
    )


def _note(icon: ft.IconData, text: str, color: str) -> ft.Control:
    return ft.Row(
        [
            ft.Icon(icon, size=18, color=color),
            ft.Text(text, theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=color, expand=True),
        ],
        spacing=Space.S,
    )


def load_button(app: AppState, row: ModelRow, busy: bool) -> ft.Control:
    """What puts a model into memory, or frees that again."""
    strings = app.strings

    async def load() -> None:
        await app.models.load(row.model)

    async def unload() -> None:
        await app.models.unload()

    if row.loading:
        return ft.Row(
            [
                ft.ProgressRing(width=18, height=18, stroke_width=2),
                ft.Text(strings("model.loading"), theme_style=ft.TextThemeStyle.LABEL_LARGE),
            ],
            spacing=Space.S,
            tight=True,
        )
    if row.loaded:
        return marked(
            ft.OutlinedButton(strings("model.unload"), on_click=unload, disabled=busy), identifier="unload"
        )
    return marked(ft.FilledButton(strings("model.load"), on_click=load, disabled=busy), identifier="load")


def ask_to_remove(app: AppState, model: InstalledModel) -> None:
    """Remove a model, once the user has confirmed it."""
    strings = app.strings

    async def remove() -> None:
        freed = await app.models.remove(model)
        if freed is not None:
            app.notify(strings("model.removed", size=strings.size(freed)))

    app.dialogs.show(
        Confirmation(
            strings("model.remove_title"),
            strings("model.remove_text", name=model.name, size=strings.size(model.bytes)),
            strings("model.remove"),
            remove,
        )
    )


def _remove(app: AppState, row: ModelRow) -> list[ft.Control]:
    if not row.model.removable:
        return []
    return [
        icon_button(
            ft.Icons.DELETE_OUTLINE,
            app.strings("model.remove"),
            lambda: ask_to_remove(app, row.model),
            identifier="remove-model",
        )
    ]
