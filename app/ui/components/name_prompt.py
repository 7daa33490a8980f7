"""Asks for a name."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import marked, text_field
from app.ui.components.dialog_actions import dialog_actions
from app.ui.state.app import AppState
from app.ui.state.dialogs import NamePrompt
from app.ui.theme import Space


@ft.component
def NamePromptBody(app: AppState, prompt: NamePrompt) -> ft.Control:
    """A field for the name; what is wrong with it stands below."""
    value, set_value = ft.use_state(prompt.value)
    wrong, set_wrong = ft.use_state("")
    typed = ft.use_ref(prompt.value)

    def changed(event: ft.Event[ft.TextField]) -> None:
        typed.current = event.control.value
        set_value(typed.current)
        set_wrong("")

    async def save() -> None:
        name = (typed.current or "").strip()
        if not name:
            return
        error = await prompt.on_save(name)
        if error is None:
            app.dialogs.close()
        else:
            set_wrong(app.strings.error_named(error, name=name))

    return ft.Column(
        [
            marked(
                text_field(
                    app, prompt.label, value, changed, on_submit=save, autofocus=True, error=wrong or None
                ),
                identifier="dialog-name",
            ),
            dialog_actions(app, prompt.action, save, disabled=not value.strip()),
        ],
        spacing=Space.XL,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
