"""A question that is answered with yes or with no."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import marked
from app.ui.components.dialog_actions import dialog_actions
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation
from app.ui.theme import Space


@ft.component
def ConfirmationBody(app: AppState, confirmation: Confirmation) -> ft.Control:
    """The question, and the two ways on."""

    async def confirm() -> None:
        app.dialogs.close()
        try:
            await confirmation.on_confirm()
        except Exception as error:  # noqa: BLE001 - whatever was refused is told to the user
            app.report(error)

    async def read() -> None:
        await app.open_link(confirmation.address)

    page = (
        [
            marked(
                ft.TextButton(
                    app.strings("catalogue.licence_read"), icon=ft.Icons.OPEN_IN_NEW, on_click=read
                ),
                identifier="dialog-read",
            )
        ]
        if confirmation.address
        else []
    )
    style = (
        ft.ButtonStyle(bgcolor=ft.Colors.ERROR, color=ft.Colors.ON_ERROR)
        if confirmation.destructive
        else None
    )
    return ft.Column(
        [
            ft.Text(confirmation.text, rtl=app.rtl),
            dialog_actions(app, confirmation.action, confirm, style=style, more=page),
        ],
        spacing=Space.XL,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
