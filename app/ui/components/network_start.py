"""What other devices are good for, what leaves this one, and two ways to begin."""

from __future__ import annotations

import flet as ft

from app.core.network.groups import GroupKind
from app.ui.components.controls import Handler, card, marked
from app.ui.state.app import AppState
from app.ui.state.dialogs import GroupStart, RouterEntry
from app.ui.theme import Radius, Space

_POINTS = (
    (ft.Icons.DEVICES_OTHER, "network.about_what"),
    (ft.Icons.LOCK_OUTLINE, "network.about_sealed"),
    (ft.Icons.ROUTER_OUTLINED, "network.about_router"),
    (ft.Icons.TOUCH_APP_OUTLINED, "network.about_choice"),
)


def network_start(app: AppState) -> ft.Control:
    """For somebody who has never heard of it."""
    strings = app.strings

    def begin(kind: GroupKind) -> None:
        app.dialogs.show(GroupStart(kind))

    points: list[ft.Control] = [
        ft.Row(
            [
                ft.Icon(icon, size=22, color=ft.Colors.PRIMARY),
                ft.Column(
                    [ft.Text(strings(key), theme_style=ft.TextThemeStyle.BODY_MEDIUM)],
                    expand=True,
                    tight=True,
                    rtl=app.rtl,
                ),
            ],
            rtl=app.rtl,
            spacing=Space.M,
            vertical_alignment=ft.CrossAxisAlignment.START,
        )
        for icon, key in _POINTS
    ]
    ways = ft.Column(
        [
            _way(
                app,
                ft.Icons.DEVICES,
                "begin-mine",
                (strings("network.begin_mine"), strings("network.begin_mine_text")),
                lambda: begin(GroupKind.MINE),
            ),
            _way(
                app,
                ft.Icons.GROUPS_OUTLINED,
                "begin-circle",
                (strings("network.begin_circle"), strings("network.begin_circle_text")),
                lambda: begin(GroupKind.CIRCLE),
            ),
        ],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
    return marked(
        card(
            ft.Column(
                [
                    ft.Row(
                        [
                            ft.Text(
                                strings("network.about_title"),
                                theme_style=ft.TextThemeStyle.HEADLINE_SMALL,
                                expand=True,
                            )
                        ],
                        rtl=app.rtl,
                    ),
                    *points,
                    ft.Row(
                        [ft.Text(strings("network.begin"), theme_style=ft.TextThemeStyle.TITLE_MEDIUM)],
                        rtl=app.rtl,
                    ),
                    ways,
                    ft.Row(
                        [
                            marked(
                                ft.TextButton(
                                    strings("network.router_add"),
                                    icon=ft.Icons.ADD,
                                    on_click=lambda: app.dialogs.show(RouterEntry()),
                                ),
                                identifier="begin-router",
                            )
                        ],
                        rtl=app.rtl,
                    ),
                ],
                spacing=Space.L,
                tight=True,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            )
        ),
        identifier="network-start",
        container=True,
    )


def _way(
    app: AppState, icon: ft.IconData, identifier: str, words: tuple[str, str], begin: Handler
) -> ft.Control:
    title, text = words
    return marked(
        ft.Container(
            ft.Row(
                [
                    ft.Icon(icon, size=26, color=ft.Colors.ON_PRIMARY_CONTAINER),
                    ft.Column(
                        [
                            ft.Text(
                                title,
                                theme_style=ft.TextThemeStyle.TITLE_SMALL,
                                color=ft.Colors.ON_PRIMARY_CONTAINER,
                            ),
                            ft.Text(
                                text,
                                theme_style=ft.TextThemeStyle.BODY_SMALL,
                                color=ft.Colors.ON_PRIMARY_CONTAINER,
                            ),
                        ],
                        spacing=0,
                        tight=True,
                        expand=True,
                        rtl=app.rtl,
                    ),
                    ft.Icon(
                        ft.Icons.CHEVRON_RIGHT,
                        color=ft.Colors.ON_PRIMARY_CONTAINER,
                    ),
                ],
                rtl=app.rtl,
                spacing=Space.L,
            ),
            bgcolor=ft.Colors.PRIMARY_CONTAINER,
            border_radius=Radius.M,
            padding=Space.L,
            ink=True,
            on_click=begin,
        ),
        identifier=identifier,
        button=True,
    )
