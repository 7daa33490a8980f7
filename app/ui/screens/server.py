"""The form for a model of a server."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import icon_button, in_reading_width, marked
from app.ui.components.header import header
from app.ui.components.server_form import address_section, program_section
from app.ui.components.server_models import models_section
from app.ui.components.server_outcome import outcome
from app.ui.state.app import AppState
from app.ui.state.servers import ServerForm
from app.ui.theme import FORM_WIDTH, Space


@ft.component
def ServerScreen(app: AppState, form: ServerForm) -> ft.Control:
    """Which program, where it is, what it has; then a trial, and done."""
    strings = app.strings
    ready = form.address is not None and bool(form.models) and form.work is None

    async def try_out() -> None:
        await app.servers.try_out()

    async def save() -> None:
        await app.servers.save()

    def back() -> None:
        app.servers.close()

    buttons = ft.Row(
        [
            marked(
                ft.OutlinedButton(strings("server.try"), on_click=try_out, disabled=not ready),
                identifier="try-server",
            ),
            marked(
                ft.FilledButton(
                    strings("action.save") if form.editing else strings("server.save"),
                    on_click=save,
                    disabled=not ready,
                ),
                identifier="save-server",
            ),
        ],
        rtl=app.rtl,
        alignment=ft.MainAxisAlignment.END,
        spacing=Space.S,
        run_spacing=Space.S,
        wrap=True,
    )
    parts = [
        *([] if form.editing else [program_section(app, form)]),
        address_section(app, form),
        models_section(app, form),
        *outcome(app, form),
        buttons,
    ]
    return ft.Column(
        [
            header(
                app,
                strings("server.edit_title") if form.editing else strings("server.add_title"),
                leading=icon_button(
                    ft.Icons.ARROW_BACK,
                    strings("action.close"),
                    back,
                    identifier="back",
                ),
                width=FORM_WIDTH,
            ),
            ft.ListView(
                [in_reading_width(part, FORM_WIDTH) for part in parts],
                expand=True,
                spacing=Space.L,
                padding=ft.Padding.only(top=Space.S, bottom=Space.XXL),
            ),
        ],
        expand=True,
        spacing=0,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
