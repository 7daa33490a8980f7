"""The groups of this device, each with its code."""

from __future__ import annotations

import flet as ft

from app.core.network.groups import Group, GroupKind
from app.ui.components.controls import Handler, icon_button, marked, menu
from app.ui.components.setting_rows import section
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation, GroupCode, GroupStart, NamePrompt
from app.ui.theme import Space


def groups_section(app: AppState, groups: tuple[Group, ...]) -> ft.Control:
    """My devices, the circles, and how to get more."""
    strings = app.strings
    mine = any(group.kind is GroupKind.MINE for group in groups)

    def start(kind: GroupKind) -> Handler:
        return lambda: app.dialogs.show(GroupStart(kind))

    buttons = [
        *(
            []
            if mine
            else [
                marked(
                    ft.OutlinedButton(
                        strings("network.begin_mine"),
                        icon=ft.Icons.DEVICES,
                        on_click=start(GroupKind.MINE),
                    ),
                    identifier="begin-mine",
                )
            ]
        ),
        marked(
            ft.OutlinedButton(
                strings("network.circle_add"),
                icon=ft.Icons.GROUPS_OUTLINED,
                on_click=start(GroupKind.CIRCLE),
            ),
            identifier="begin-circle",
        ),
    ]
    return section(
        app,
        strings("network.groups"),
        [
            *(_row(app, group) for group in groups),
            ft.Row(buttons, rtl=app.rtl, wrap=True, spacing=Space.S, run_spacing=Space.S),
        ],
    )


def _row(app: AppState, group: Group) -> ft.Control:
    strings = app.strings
    mine = group.kind is GroupKind.MINE

    def show() -> None:
        app.dialogs.show(GroupCode(group))

    async def save_name(name: str) -> None:
        await app.network.rename_group(group, name)

    def rename() -> None:
        title = strings("network.group_name")
        app.dialogs.show(NamePrompt(title, title, strings("action.save"), save_name, group.name))

    async def leave() -> None:
        await app.network.leave_group(group)

    def ask_leave() -> None:
        app.dialogs.show(
            Confirmation(
                strings("network.leave_title"),
                strings("network.leave_text", name=group.name),
                strings("network.leave"),
                leave,
            )
        )

    return marked(
        ft.Row(
            [
                ft.Icon(
                    ft.Icons.DEVICES if mine else ft.Icons.GROUPS_OUTLINED, size=24, color=ft.Colors.PRIMARY
                ),
                ft.Column(
                    [
                        ft.Text(strings.isolate(group.name), theme_style=ft.TextThemeStyle.TITLE_SMALL),
                        ft.Text(
                            strings(f"network.kind_{group.kind}"),
                            theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                            color=ft.Colors.ON_SURFACE_VARIANT,
                        ),
                    ],
                    spacing=0,
                    tight=True,
                    expand=True,
                    rtl=app.rtl,
                ),
                icon_button(
                    ft.Icons.QR_CODE_2,
                    strings("network.code_title"),
                    show,
                    identifier=f"group-show-{group.id}",
                ),
                menu(
                    app,
                    strings("network.more"),
                    [
                        (ft.Icons.EDIT_OUTLINED, strings("action.rename"), rename),
                        (ft.Icons.LOGOUT, strings("network.leave"), ask_leave),
                    ],
                    identifier=f"group-menu-{group.id}",
                ),
            ],
            rtl=app.rtl,
            spacing=Space.M,
        ),
        identifier=f"group-{group.id}",
        container=True,
    )
