"""The form for a model of a server."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import marked
from app.ui.components.header import back_button, header
from app.ui.components.page import page, reading_list
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
    return page(
        header(
            app,
            strings("server.edit_title") if form.editing else strings("server.add_title"),
            leading=back_button(strings("action.close"), back),
            width=FORM_WIDTH,
        ),
        reading_list(parts, width=FORM_WIDTH),
    )
