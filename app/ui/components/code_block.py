"""A block of code: highlighted, left to right, with a copy button."""

from __future__ import annotations

import re

import flet as ft

from app.ui.components.controls import small_button
from app.ui.state.app import AppState
from app.ui.theme import TOUCH, Radius, Space, code_style, code_theme


def code_block(app: AppState, code: str, language: str, position: int) -> ft.Control:
    """The block; a long line scrolls sideways."""

    async def copy() -> None:
        await app.copy(code)

    style = code_style(app.scale)
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return ft.Container(
        ft.Column(
            [
                ft.Container(
                    ft.Row(
                        [
                            ft.Text(
                                language,
                                theme_style=ft.TextThemeStyle.LABEL_SMALL,
                                color=ft.Colors.ON_SURFACE_VARIANT,
                                expand=True,
                            ),
                            small_button(
                                ft.Icons.CONTENT_COPY,
                                app.strings("chat.copy_code"),
                                copy,
                                identifier=f"copy-code-{position}",
                            ),
                        ]
                    ),
                    padding=ft.Padding.only(left=Space.L, right=Space.XS),
                    height=TOUCH,
                ),
                ft.Markdown(
                    f"{fence}{language}\n{code}\n{fence}",
                    extension_set=ft.MarkdownExtensionSet.GITHUB_WEB,
                    code_theme=code_theme(dark=app.dark),
                    code_style_sheet=ft.MarkdownStyleSheet(
                        code_text_style=style,
                        codeblock_padding=ft.Padding.only(left=Space.L, right=Space.L, bottom=Space.M),
                        codeblock_decoration=ft.BoxDecoration(bgcolor=ft.Colors.SURFACE_CONTAINER),
                    ),
                ),
            ],
            spacing=0,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        bgcolor=ft.Colors.SURFACE_CONTAINER,
        border=ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
        border_radius=Radius.M,
        clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
    )
