"""Words of somebody, as they are: what leaves this device, or what another device said."""

from __future__ import annotations

import flet as ft

from app.core.direction import is_right_to_left
from app.core.foreign_text import visible
from app.ui.state.app import AppState
from app.ui.theme import Space


def said_words(app: AppState, who: str, text: str, style: ft.TextThemeStyle) -> ft.Control:
    """Who says it, and the text: never as Markdown, so that nothing can be tapped; and nothing is hidden."""
    return ft.Column(
        [
            ft.Text(who, theme_style=style, color=ft.Colors.PRIMARY, rtl=app.rtl),
            ft.Text(visible(text), rtl=is_right_to_left(text), selectable=True),
        ],
        spacing=Space.XS,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
