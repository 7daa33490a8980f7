"""The shape of a screen: a header, and below it what can be scrolled, no wider than is good to read."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from app.ui.components.controls import in_reading_width
from app.ui.theme import READING_WIDTH, Space


def page(*rows: ft.Control) -> ft.Control:
    """All of a screen, from the top down; one of the rows takes the room that is left."""
    return ft.Column(list(rows), expand=True, spacing=0, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def reading_list(
    parts: Sequence[ft.Control],
    *,
    width: float = READING_WIDTH,
    spacing: float = Space.L,
    key: str | None = None,
) -> ft.ListView:
    """The part that scrolls; another `key` makes another list, which begins at its top."""
    return ft.ListView(
        [in_reading_width(part, width) for part in parts],
        expand=True,
        spacing=spacing,
        padding=ft.Padding.only(top=Space.S, bottom=Space.XXL),
        key=key,
    )
