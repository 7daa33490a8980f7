"""How far the questions of a conversation may travel: the button at the composer, and the choice."""

from __future__ import annotations

import flet as ft

from app.core.provenance import PrivacyLevel
from app.ui.components.asking_wishes import AskingWishesRows
from app.ui.components.controls import marked
from app.ui.components.setting_rows import notice
from app.ui.routes import NETWORK
from app.ui.state.app import AppState
from app.ui.state.chat_state import ChatState
from app.ui.state.dialogs import LevelChoice
from app.ui.theme import TOUCH, Layout, Radius, Space

ICONS = {
    PrivacyLevel.DEVICE: ft.Icons.LOCK_OUTLINE,
    PrivacyLevel.MY_DEVICES: ft.Icons.DEVICES_OUTLINED,
    PrivacyLevel.CIRCLE: ft.Icons.GROUP_OUTLINED,
    PrivacyLevel.PUBLIC: ft.Icons.PUBLIC,
}
_COLORS = {
    PrivacyLevel.DEVICE: (None, ft.Colors.ON_SURFACE_VARIANT),
    PrivacyLevel.MY_DEVICES: (ft.Colors.SECONDARY_CONTAINER, ft.Colors.ON_SECONDARY_CONTAINER),
    PrivacyLevel.CIRCLE: (ft.Colors.TERTIARY_CONTAINER, ft.Colors.ON_TERTIARY_CONTAINER),
    PrivacyLevel.PUBLIC: (ft.Colors.ERROR_CONTAINER, ft.Colors.ON_ERROR_CONTAINER),
}


def level_button(app: AppState, chat: ChatState) -> ft.Control:
    """The level that holds now; opens the choice. On phones the usual one, this device, is a sign only."""
    level = chat.level
    background, color = _COLORS[level]
    name = app.strings(f"level.{level}")
    if chat.wishes.model is not None and level is not PrivacyLevel.DEVICE:
        name += f" · {app.strings.isolate(chat.wishes.model)}"

    async def choose() -> None:
        await app.chat.look_for_routers()
        app.dialogs.show(LevelChoice())

    controls: list[ft.Control] = [ft.Icon(ICONS[level], size=18, color=color)]
    if level is not PrivacyLevel.DEVICE or app.layout is not Layout.PHONE:
        shown = app.strings(f"level.{level}") if app.layout is Layout.PHONE else name
        controls.append(ft.Text(shown, theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=color, max_lines=1))
    return marked(
        ft.Container(
            ft.Row(controls, spacing=Space.S, tight=True, rtl=app.rtl),
            height=TOUCH,
            ink=True,
            tooltip=f"{app.strings('level.title')} {name}",
            on_click=choose,
            bgcolor=background,
            border_radius=Radius.L,
            padding=ft.Padding.symmetric(horizontal=Space.M),
        ),
        identifier="level",
        button=True,
        label=name,
    )


@ft.component
def LevelChoiceBody(app: AppState, chat: ChatState) -> ft.Control:
    """One line a level, each with who reads the question; a tap chooses."""
    strings = app.strings

    def network() -> None:
        app.dialogs.close()
        app.go(NETWORK)

    lines: list[ft.Control] = [_line(app, chat, level) for level in PrivacyLevel]
    if not chat.has_router:
        lines.insert(
            1,
            notice(
                app,
                ft.Icons.HUB_OUTLINED,
                strings("level.no_router"),
                ft.Colors.ON_SURFACE_VARIANT,
                identifier="no-router",
            ),
        )
        lines.insert(
            2,
            ft.Row(
                [
                    marked(
                        ft.FilledTonalButton(strings("level.open_network"), on_click=network),
                        identifier="open-network",
                    )
                ],
                rtl=app.rtl,
            ),
        )
    if chat.has_router and chat.level is not PrivacyLevel.DEVICE:
        lines.append(AskingWishesRows(app, chat, chat.level))
    return ft.Column(lines, spacing=Space.S, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _line(app: AppState, chat: ChatState, level: PrivacyLevel) -> ft.Control:
    chosen = level is chat.level
    possible = chat.has_router or level is PrivacyLevel.DEVICE
    background, color = _COLORS[level]

    async def choose() -> None:
        app.dialogs.close()
        await app.chat.choose_level(level)

    return marked(
        ft.Container(
            ft.Row(
                [
                    ft.Container(
                        ft.Icon(ICONS[level], size=20, color=color),
                        bgcolor=background,
                        border_radius=Radius.L,
                        padding=Space.S,
                    ),
                    ft.Column(
                        [
                            ft.Text(app.strings(f"level.{level}"), theme_style=ft.TextThemeStyle.TITLE_SMALL),
                            ft.Text(
                                app.strings(f"level.{level}_text"),
                                theme_style=ft.TextThemeStyle.BODY_SMALL,
                                color=ft.Colors.ON_SURFACE_VARIANT,
                            ),
                        ],
                        spacing=0,
                        tight=True,
                        expand=True,
                    ),
                    ft.Icon(
                        ft.Icons.CHECK_CIRCLE if chosen else ft.Icons.RADIO_BUTTON_UNCHECKED,
                        color=ft.Colors.PRIMARY if chosen else ft.Colors.OUTLINE,
                    ),
                ],
                rtl=app.rtl,
                spacing=Space.M,
            ),
            ink=possible,
            on_click=choose if possible else None,
            opacity=1.0 if possible else 0.5,
            bgcolor=ft.Colors.SURFACE_CONTAINER_HIGH if chosen else ft.Colors.SURFACE_CONTAINER_LOW,
            border_radius=Radius.M,
            padding=Space.M,
        ),
        identifier=f"level-{level}",
        button=True,
        checked=chosen,
    )
