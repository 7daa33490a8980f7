"""The line on top of a screen."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from app.ui.components.controls import marked
from app.ui.state.app import AppState
from app.ui.theme import Space


def header(
    app: AppState,
    title: str,
    *,
    subtitle: ft.Control | None = None,
    leading: ft.Control | None = None,
    actions: Sequence[ft.Control] = (),
) -> ft.Control:
    """Title and actions of a screen."""
    return ft.Container(
        ft.Row(
            [
                *([leading] if leading else []),
                ft.Column(
                    [
                        marked(
                            ft.Text(
                                app.strings.isolate(title),
                                theme_style=ft.TextThemeStyle.TITLE_LARGE,
                                max_lines=1,
                                overflow=ft.TextOverflow.ELLIPSIS,
                            ),
                            header=True,
                            identifier="title",
                        ),
                        *([subtitle] if subtitle else []),
                    ],
                    spacing=0,
                    tight=True,
                    expand=True,
                ),
                *actions,
            ],
            rtl=app.rtl,
            spacing=Space.XS,
            vertical_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        height=64 * max(1.0, app.scale),
        padding=ft.Padding.only(
            left=Space.S if leading and not app.rtl else Space.L,
            right=Space.S if leading and app.rtl else Space.L,
        ),
    )
