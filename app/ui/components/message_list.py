"""The messages of a conversation, the end in view unless one reads further up."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import marked
from app.ui.components.message import Message
from app.ui.state.app import AppState
from app.ui.state.chat_state import ChatState
from app.ui.theme import TOUCH, Space

_AWAY = 0.5
"""So many screens above the end, a button leads back to it."""
_SCROLL_INTERVAL_MS = 50


@ft.component
def MessageList(app: AppState, chat: ChatState) -> ft.Control:
    """The last messages, a button for earlier ones, and one that leads back to the end."""

    def scrolled(event: ft.OnScrollEvent) -> None:
        below = event.max_scroll_extent - event.pixels
        app.chat.scrolled(away=below > _AWAY * event.viewport_dimension)

    last = chat.messages[-1] if chat.messages else None
    # A ListView guesses the height of what it has not shown yet, and ends somewhere above the end.
    messages = ft.Column(
        [
            ft.Container(height=0),  # space above and below
            *([_earlier(app)] if chat.earlier else []),
            *(Message(app, view, view is last, key=str(view.stored.id)) for view in chat.messages),
            ft.Container(height=0),
        ],
        expand=True,
        scroll=ft.ScrollMode.AUTO,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        spacing=Space.XL,
        auto_scroll=chat.follow,
        auto_scroll_animation=0,
        on_scroll=scrolled,
        scroll_interval=_SCROLL_INTERVAL_MS,
        key=f"messages-{chat.returns}",  # another list begins at its end
    )
    return ft.Stack([messages, *([_to_end(app)] if chat.away else [])], expand=True)


def _earlier(app: AppState) -> ft.Control:
    button = ft.TextButton(app.strings("chat.show_earlier"), on_click=app.chat.show_earlier)
    return ft.Row([marked(button, identifier="show-earlier")], alignment=ft.MainAxisAlignment.CENTER)


def _to_end(app: AppState) -> ft.Control:
    button = ft.IconButton(
        ft.Icons.ARROW_DOWNWARD_ROUNDED,
        tooltip=app.strings("chat.to_end"),
        on_click=app.chat.to_end,
        icon_size=22,
        icon_color=ft.Colors.ON_SURFACE,
        style=ft.ButtonStyle(
            bgcolor=ft.Colors.SURFACE_CONTAINER_LOWEST,
            side=ft.BorderSide(1, ft.Colors.OUTLINE_VARIANT),
        ),
        size_constraints=ft.BoxConstraints(min_width=TOUCH, min_height=TOUCH),
    )
    row = ft.Row([marked(button, identifier="to-end")], alignment=ft.MainAxisAlignment.CENTER)
    return ft.Container(row, bottom=Space.S, left=0, right=0)
