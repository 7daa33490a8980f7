"""The buttons at the end of a dialog."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from app.ui.components.controls import Handler, marked
from app.ui.components.setting_rows import notice
from app.ui.state.app import AppState
from app.ui.theme import Space


def dialog_actions(
    app: AppState,
    action: str,
    on_confirm: Handler,
    *,
    disabled: bool = False,
    style: ft.ButtonStyle | None = None,
    more: Sequence[ft.Control] = (),
) -> ft.Control:
    """Cancel, which closes the dialog, and `action`; other buttons stand before them."""
    return ft.Row(
        [
            *more,
            marked(
                ft.TextButton(app.strings("action.cancel"), on_click=app.dialogs.close),
                identifier="dialog-cancel",
            ),
            marked(
                ft.FilledButton(action, on_click=on_confirm, disabled=disabled, style=style),
                identifier="dialog-confirm",
            ),
        ],
        rtl=app.rtl,
        alignment=ft.MainAxisAlignment.END,
        spacing=Space.S,
        wrap=True,
    )


def problem_above(app: AppState, problem: str, *, identifier: str) -> list[ft.Control]:
    """What was wrong with what was entered, to stand above the buttons; nothing where nothing is."""
    if not problem:
        return []
    return [notice(app, ft.Icons.ERROR_OUTLINE, problem, ft.Colors.ERROR, identifier=identifier)]
