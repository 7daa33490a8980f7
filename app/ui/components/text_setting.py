"""A setting that is written: kept when Save is tapped, refused where it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from app.ui.components.controls import marked
from app.ui.components.setting_rows import entry, label_of
from app.ui.state.app import AppState
from app.ui.theme import Space, field_border


@ft.component
def TextSetting(
    app: AppState,
    name: str,
    label: str,
    hint: str,
    value: str,
    usual: str,
    read: Callable[[str], object],
    wrong: str,
    prose: bool = False,
) -> ft.Control:
    """A field with its label; below it Save, and the way back to what is usual.

    `read` makes the setting's value of what was typed; `wrong` says why that was refused. `prose` may have
    several lines in the user's own language.
    """
    typed, set_typed = ft.use_state(value)
    kept, set_kept = ft.use_state(value)
    refused, set_refused = ft.use_state(0)
    if kept != value:  # changed elsewhere
        set_kept(value)
        set_typed(value)
    strings = app.strings

    def changed(event: ft.Event[ft.TextField]) -> None:
        set_typed(event.control.value)
        set_refused(0)

    async def keep(text: str) -> None:
        done = await app.change_settings(**{name: read(text)})
        set_refused(0 if done else 1)
        if done:
            set_typed(str(getattr(app.services.settings.current, name) or ""))

    async def save() -> None:
        await keep(typed)

    async def reset() -> None:
        set_typed(usual)
        await keep(usual)

    error: dict[str, Any] = {"error": wrong} if refused else {}
    if prose:
        field: ft.Control = ft.Column(
            [
                label_of(app, label, hint),
                marked(
                    ft.TextField(
                        value=typed,
                        on_change=changed,
                        rtl=app.rtl,
                        multiline=True,
                        min_lines=2,
                        max_lines=8,
                        max_length=8000,
                        counter="",
                        border=field_border(),
                        content_padding=ft.Padding.symmetric(horizontal=Space.L, vertical=Space.M),
                        **error,
                    ),
                    identifier=name,
                    label=label,
                ),
            ],
            spacing=Space.S,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        )
    else:
        field = entry(app, name, label, typed, changed, hint=hint, on_submit=save, hint_text=usual, **error)
    buttons: list[ft.Control] = []
    if typed != value:
        buttons.append(
            marked(ft.FilledTonalButton(strings("action.save"), on_click=save), identifier=f"save-{name}")
        )
    if value != usual:
        buttons.append(
            marked(ft.TextButton(strings("settings.reset"), on_click=reset), identifier=f"reset-{name}")
        )
    return ft.Column(
        [field, *([ft.Row(buttons, rtl=app.rtl, wrap=True, spacing=Space.S)] if buttons else [])],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
