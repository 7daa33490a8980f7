"""Whether a model's file is still what was downloaded, in the card of its facts."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import icon_button, marked
from app.ui.state.app import AppState
from app.ui.state.model_details import RunningCheck
from app.ui.theme import Space
from engines.library import ContentCheck, InstalledModel


def file_check(
    app: AppState, model: InstalledModel, running: RunningCheck | None, found: ContentCheck | None
) -> list[ft.Control]:
    """A button that reads the file; how far that is; what was found."""
    if running is not None:
        return [_running(app, running)]
    strings = app.strings

    async def check() -> None:
        await app.details.check(model)

    async def copy() -> None:
        await app.copy(found.sha256 if found else "")

    rows: list[ft.Control] = []
    if found is not None:
        icon, color = (
            (ft.Icons.VERIFIED_OUTLINED, ft.Colors.PRIMARY)
            if found.known
            else (ft.Icons.INFO_OUTLINE, ft.Colors.ON_SURFACE_VARIANT)
        )
        text = strings("details.check.known" if found.known else "details.check.unknown")
        rows += [
            ft.Row(
                [
                    ft.Icon(icon, size=18, color=color),
                    marked(ft.Text(text, color=color), identifier="file-checked", expand=True),
                ],
                rtl=app.rtl,
                spacing=Space.S,
            ),
            long_fact(
                app,
                "SHA-256",
                found.sha256,
                icon_button(ft.Icons.COPY, strings("details.copy_hash"), copy, identifier="copy-hash"),
            ),
        ]
    button = ft.TextButton(strings("details.check"), icon=ft.Icons.FACT_CHECK_OUTLINED, on_click=check)
    return [*rows, ft.Row([marked(button, identifier="check-file")], rtl=app.rtl)]


def _running(app: AppState, running: RunningCheck) -> ft.Control:
    share = app.strings.number(100 * running.share)
    return ft.Column(
        [
            ft.Row(
                [
                    ft.Text(app.strings("details.check.running", percent=share), expand=True),
                    marked(
                        ft.TextButton(app.strings("action.cancel"), on_click=app.details.stop_check),
                        identifier="stop-check",
                    ),
                ],
                rtl=app.rtl,
            ),
            ft.ProgressBar(value=running.share or None, bar_height=4, border_radius=2),
        ],
        spacing=Space.S,
        tight=True,
    )


def long_fact(app: AppState, label: str, value: str, action: ft.Control | None = None) -> ft.Control:
    """A fact that needs lines of its own, with what can be done with it."""
    lines = ft.Column(
        [
            ft.Text(label, theme_style=ft.TextThemeStyle.LABEL_LARGE, color=ft.Colors.ON_SURFACE_VARIANT),
            ft.Text(app.strings.isolate(value), theme_style=ft.TextThemeStyle.LABEL_MEDIUM),
        ],
        spacing=0,
        tight=True,
        expand=True,
    )
    return ft.Row([lines, *([action] if action else [])], rtl=app.rtl, spacing=Space.S)
