"""The line on top of a screen."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from app.ui.components.controls import Handler, icon_button, in_reading_width, marked, one_line
from app.ui.state.app import AppState
from app.ui.theme import Space


def header(
    app: AppState,
    title: str,
    *,
    subtitle: ft.Control | None = None,
    leading: ft.Control | None = None,
    actions: Sequence[ft.Control] = (),
    width: float | None = None,
) -> ft.Control:
    """Title and actions of a screen; with a width, above a column of that width in the middle."""
    words = ft.Column(
        [
            marked(
                one_line(app, title, theme_style=ft.TextThemeStyle.TITLE_LARGE),
                header=True,
                identifier="title",
            ),
            *([subtitle] if subtitle else []),
        ],
        spacing=0,
        tight=True,
        expand=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
    parts = [*([leading] if leading else []), words, *actions]
    for button in (leading, *actions):
        if button is not None:
            button.rtl = app.rtl  # an arrow points back the other way
    # Mirrored by order, not by rtl=: below that, an English title would be cut at its beginning.
    line = ft.Container(
        ft.Row(
            parts[::-1] if app.rtl else parts,
            spacing=Space.XS,
            vertical_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        height=64 * max(1.0, app.scale),
        padding=_padding(app, edge_button=leading is not None) if width is None else 0,
    )
    return line if width is None else in_reading_width(line, width)


def back_button(label: str, back: Handler) -> ft.Control:
    """The button before a title that leads to where the screen was opened from."""
    return icon_button(ft.Icons.ARROW_BACK, label, back, identifier="back")


def _padding(app: AppState, *, edge_button: bool) -> ft.Padding:
    start = Space.S if edge_button else Space.L
    return ft.Padding.only(
        left=Space.L if app.rtl else start,
        right=start if app.rtl else Space.L,
    )
