"""What a model thought before it answered: folded, for those who want to read it."""

from __future__ import annotations

import flet as ft

from app.core.direction import is_right_to_left
from app.ui.components.controls import marked
from app.ui.state.app import AppState
from app.ui.theme import Radius, Space


@ft.component
def Thoughts(app: AppState, text: str, thinking: bool) -> ft.Control:
    """One line that unfolds; while the model thinks, the line says so."""
    unfolded, set_unfolded = ft.use_state(initial=False)
    label = app.strings("chat.thinking") if thinking else app.strings("chat.thoughts")
    heading = ft.Row(
        [
            ft.ProgressRing(width=14, height=14, stroke_width=2)
            if thinking
            else ft.Icon(ft.Icons.LIGHTBULB_OUTLINE, size=18, color=ft.Colors.ON_SURFACE_VARIANT),
            ft.Text(label, theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=ft.Colors.ON_SURFACE_VARIANT),
            ft.Icon(
                ft.Icons.EXPAND_LESS if unfolded else ft.Icons.EXPAND_MORE,
                size=18,
                color=ft.Colors.ON_SURFACE_VARIANT,
            ),
        ],
        rtl=app.rtl,
        spacing=Space.S,
        tight=True,
    )
    button = marked(
        ft.Container(
            heading,
            ink=True,
            on_click=lambda: set_unfolded(not unfolded),
            border_radius=Radius.M,
            padding=ft.Padding.symmetric(horizontal=Space.M, vertical=Space.M),
        ),
        identifier="thoughts",
        button=True,
        expanded=unfolded,
    )
    body = ft.Container(
        ft.SelectionArea(
            ft.Text(
                text,
                rtl=is_right_to_left(text),
                theme_style=ft.TextThemeStyle.BODY_SMALL,
                color=ft.Colors.ON_SURFACE_VARIANT,
            )
        ),
        padding=ft.Padding.only(left=Space.M, right=Space.M, bottom=Space.M),
    )
    return ft.Container(
        ft.Column(
            [ft.Row([button], rtl=app.rtl), *([body] if unfolded else [])],
            spacing=0,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        bgcolor=ft.Colors.SURFACE_CONTAINER_LOW,
        border_radius=Radius.M,
    )
