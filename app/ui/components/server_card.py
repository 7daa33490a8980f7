"""A model of a server that the user has added."""

from __future__ import annotations

import flet as ft

from app.core.servers import ServerModel
from app.ui.components.controls import card, icon_button, marked, remembered, title_row
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation
from app.ui.theme import Space


@remembered
def ServerCard(app: AppState, model: ServerModel, chosen: bool, busy: bool) -> ft.Control:
    """Its name, the computer that questions go to, and what can be done."""
    strings = app.strings

    async def use() -> None:
        await app.models.use_server(model)

    async def edit() -> None:
        await app.servers.edit(model)

    async def remove() -> None:
        await app.models.remove_server(model)

    def ask() -> None:
        app.dialogs.show(
            Confirmation(
                strings("model.remove_title"),
                strings("model.remove_server_text", name=model.name),
                strings("model.remove"),
                remove,
            )
        )

    if model.local:
        where, color = strings("chat.private"), ft.Colors.ON_SURFACE_VARIANT
    elif model.encrypted:
        where, color = strings("chat.leaves", host=model.host), ft.Colors.PRIMARY
    else:
        where, color = strings("chat.leaves_open", host=model.host), ft.Colors.ERROR
    state = (
        ft.Text(strings("model.chosen"), theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=ft.Colors.PRIMARY)
        if chosen
        else marked(
            ft.FilledButton(strings("model.use"), on_click=use, disabled=busy), identifier="use-server"
        )
    )
    return marked(
        card(
            ft.Column(
                [
                    title_row(
                        app,
                        model.name,
                        icon_button(
                            ft.Icons.EDIT_OUTLINED, strings("server.edit"), edit, identifier="edit-server"
                        ),
                        icon_button(
                            ft.Icons.DELETE_OUTLINE, strings("model.remove"), ask, identifier="remove-server"
                        ),
                    ),
                    ft.Text(
                        strings.isolate(f"{model.model} · {model.url}"),
                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                        color=ft.Colors.ON_SURFACE_VARIANT,
                    ),
                    ft.Row(
                        [
                            ft.Text(
                                where, theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=color, expand=True
                            ),
                            state,
                        ],
                        rtl=app.rtl,
                        spacing=Space.S,
                    ),
                ],
                spacing=Space.S,
                tight=True,
                rtl=app.rtl,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            )
        ),
        identifier=model.id,
        container=True,
    )
