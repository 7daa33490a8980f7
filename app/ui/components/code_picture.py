"""A code to be scanned, and the same as a text to be sent or typed."""

from __future__ import annotations

import io

import flet as ft
import segno

from app.ui.components.controls import marked
from app.ui.state.app import AppState
from app.ui.theme import Radius, Space, code_style

_PIXELS_PER_MODULE = 6
_WIDTH = 240
_GROUP = 5


def code_picture(app: AppState, code: str, *, identifier: str) -> ft.Control:
    """Black on white in every theme: many cameras do not read the opposite."""

    async def copy() -> None:
        await app.copy(code)

    return ft.Column(
        [
            ft.Row(
                [
                    ft.Container(
                        marked(
                            ft.Image(src=_png(code), width=_WIDTH, height=_WIDTH),
                            identifier=f"{identifier}-picture",
                            label=app.strings("network.code_picture"),
                            image=True,
                        ),
                        bgcolor=ft.Colors.WHITE,
                        border_radius=Radius.M,
                        padding=Space.S,
                    )
                ],
                alignment=ft.MainAxisAlignment.CENTER,
            ),
            marked(
                ft.Container(
                    ft.Text(
                        in_groups(code),
                        style=code_style(app.scale),
                        selectable=True,
                        text_align=ft.TextAlign.LEFT,
                        rtl=False,
                    ),
                    bgcolor=ft.Colors.SURFACE_CONTAINER,
                    border_radius=Radius.M,
                    padding=Space.M,
                ),
                identifier=identifier,
                label=in_groups(code),  # a text that can be selected is not read out
            ),
            ft.Row(
                [
                    marked(
                        ft.OutlinedButton(
                            app.strings("network.code_copy"), icon=ft.Icons.CONTENT_COPY, on_click=copy
                        ),
                        identifier=f"{identifier}-copy",
                    )
                ],
                rtl=app.rtl,
                alignment=ft.MainAxisAlignment.CENTER,
            ),
        ],
        spacing=Space.M,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def in_groups(code: str) -> str:
    """A code as people can read it aloud; blanks do not count when it is typed."""
    head, colon, letters = code.partition(":")
    return head + colon + " " + " ".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def _png(code: str) -> bytes:
    picture = io.BytesIO()
    segno.make(code, error="m", micro=False).save(picture, kind="png", scale=_PIXELS_PER_MODULE, border=3)
    return picture.getvalue()
