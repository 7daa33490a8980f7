"""What went wrong with the hub, and what can be done about it."""

from __future__ import annotations

import math

import flet as ft

from app.ui.components.controls import Handler, marked
from app.ui.state.app import AppState
from app.ui.state.dialogs import TokenEntry
from app.ui.theme import Space
from engines.errors import HubBusy, HubGated, HubTokenRejected, Offline

NEEDS_TOKEN = frozenset({HubGated.__name__, HubTokenRejected.__name__})
"""Errors that a token may mend."""


def hub_problem(app: AppState, error: Exception, retry: Handler) -> ft.Control:
    """The reason in a card, with the ways on."""
    return ft.Column(
        [
            ft.Row(
                [
                    ft.Icon(ft.Icons.ERROR_OUTLINE, size=18, color=ft.Colors.ERROR),
                    marked(
                        ft.Text(problem_text(app, error), color=ft.Colors.ERROR),
                        identifier="problem",
                        live_region=True,
                        expand=True,
                    ),
                ],
                rtl=app.rtl,
                spacing=Space.S,
                vertical_alignment=ft.CrossAxisAlignment.START,
            ),
            ft.Row(
                problem_actions(app, type(error).__name__, getattr(error, "url", ""), retry),
                rtl=app.rtl,
                wrap=True,
                spacing=Space.S,
            ),
        ],
        spacing=Space.XS,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def problem_text(app: AppState, error: Exception) -> str:
    """What went wrong when the hub was asked a question."""
    strings = app.strings
    if isinstance(error, Offline):
        return strings("find.offline")
    if isinstance(error, HubBusy) and error.wait_seconds:
        return strings("find.busy", host=error.host, count=math.ceil(error.wait_seconds))
    return strings.error(error)


def problem_actions(app: AppState, name: str, url: str, retry: Handler) -> list[ft.Control]:
    """Buttons for an error of this class; `url` is the model's page where its owners want to be asked."""
    if name not in NEEDS_TOKEN:
        return []

    def enter_token() -> None:
        app.dialogs.show(TokenEntry(retry))

    async def open_page() -> None:
        await app.open_link(url)

    buttons: list[ft.Control] = [
        marked(
            ft.OutlinedButton(app.strings("token.enter"), icon=ft.Icons.KEY_OUTLINED, on_click=enter_token),
            identifier="enter-token",
        )
    ]
    if url:
        buttons.insert(
            0,
            marked(
                ft.OutlinedButton(
                    app.strings("find.open_page"), icon=ft.Icons.OPEN_IN_NEW, on_click=open_page
                ),
                identifier="open-page",
            ),
        )
    return buttons
