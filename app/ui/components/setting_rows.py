"""The rows that the settings are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flet as ft

from app.ui.components.controls import Handler, card, marked
from app.ui.state.app import AppState
from app.ui.theme import TOUCH, Radius, Space, field_border


def section(app: AppState, title: str, rows: Sequence[ft.Control]) -> ft.Control:
    """Settings that belong together, on a card."""
    return card(
        ft.Column(
            [
                ft.Row(
                    [ft.Text(title, theme_style=ft.TextThemeStyle.TITLE_MEDIUM, color=ft.Colors.PRIMARY)],
                    rtl=app.rtl,
                ),
                *rows,
            ],
            spacing=Space.XL,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        )
    )


def label_of(app: AppState, text: str, hint: str = "") -> ft.Control:
    """Name of a setting, and what it means."""
    return ft.Column(
        [
            ft.Text(text, theme_style=ft.TextThemeStyle.TITLE_SMALL),
            *(
                [
                    ft.Text(
                        hint,
                        theme_style=ft.TextThemeStyle.BODY_SMALL,
                        color=ft.Colors.ON_SURFACE_VARIANT,
                    )
                ]
                if hint
                else []
            ),
        ],
        spacing=0,
        tight=True,
        rtl=app.rtl,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def remark(app: AppState, text: str) -> ft.Control:
    """A quiet sentence below what it explains."""
    return ft.Row(
        [
            ft.Text(
                text,
                theme_style=ft.TextThemeStyle.BODY_SMALL,
                color=ft.Colors.ON_SURFACE_VARIANT,
                expand=True,
            )
        ],
        rtl=app.rtl,
    )


def choice(
    app: AppState,
    name: str,
    label: str,
    options: dict[str, str],
    chosen: str,
    on_choose: Handler,
    hint: str = "",
) -> ft.Control:
    """One of several values."""
    return ft.Column(
        [label_of(app, label, hint), chips(app, name, options, chosen, on_choose)],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def chips(app: AppState, name: str, options: dict[str, str], chosen: str, on_choose: Handler) -> ft.Control:
    """Values to choose one of, by what they are called."""

    def pick(value: str) -> Handler:
        async def choose() -> None:
            await on_choose(value)

        return choose

    values = [
        marked(
            ft.Container(
                ft.Row(
                    [
                        *(
                            [ft.Icon(ft.Icons.CHECK, size=16, color=ft.Colors.ON_SECONDARY_CONTAINER)]
                            if value == chosen
                            else []
                        ),
                        ft.Text(text, theme_style=ft.TextThemeStyle.LABEL_LARGE),
                    ],
                    tight=True,
                    spacing=Space.XS,
                ),
                height=TOUCH * max(1.0, app.scale),
                ink=True,
                on_click=pick(value),
                bgcolor=ft.Colors.SECONDARY_CONTAINER if value == chosen else ft.Colors.SURFACE_CONTAINER_LOW,
                border=ft.Border.all(
                    1, ft.Colors.SECONDARY_CONTAINER if value == chosen else ft.Colors.OUTLINE_VARIANT
                ),
                border_radius=Radius.L,
                padding=ft.Padding.symmetric(horizontal=Space.L),
            ),
            identifier=f"{name}-{value}",
            button=True,
            selected=value == chosen,
        )
        for value, text in options.items()
    ]
    return ft.Row(values, wrap=True, spacing=Space.S, run_spacing=Space.S, rtl=app.rtl)


def switch(app: AppState, name: str, label: str, hint: str, value: bool, on_change: Handler) -> ft.Control:
    """On or off."""
    return ft.Row(
        [
            ft.Container(label_of(app, label, hint), expand=True),
            marked(ft.Switch(value=value, on_change=on_change), identifier=name, label=label, container=True),
        ],
        rtl=app.rtl,
        spacing=Space.L,
    )


def entry(
    app: AppState, name: str, label: str, value: str, on_change: Handler, hint: str = "", **properties: Any
) -> ft.Control:
    """One line of text that runs left to right in every language: an address, a key, a folder."""
    return ft.Column(
        [
            label_of(app, label, hint),
            marked(
                ft.TextField(
                    value=value,
                    on_change=on_change,
                    rtl=False,
                    border=field_border(),
                    content_padding=ft.Padding.symmetric(horizontal=Space.L, vertical=Space.M),
                    autocorrect=False,
                    enable_suggestions=False,
                    **properties,
                ),
                identifier=name,
                label=label,
            ),
        ],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def notice(app: AppState, icon: ft.IconData, text: str, color: str, *, identifier: str) -> ft.Control:
    """A sentence that has to be read, with a sign before it."""
    return marked(
        ft.Row(
            [
                ft.Icon(icon, size=20, color=color),
                ft.Column(
                    [ft.Text(text, theme_style=ft.TextThemeStyle.BODY_MEDIUM, color=color)],
                    rtl=app.rtl,
                    expand=True,
                    tight=True,
                    horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
                ),
            ],
            rtl=app.rtl,
            spacing=Space.M,
            vertical_alignment=ft.CrossAxisAlignment.START,
        ),
        identifier=identifier,
        container=True,
    )
