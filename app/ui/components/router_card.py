"""A router that the user has added: how it stands, who is there, what can be done."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import Handler, card, marked, menu
from app.ui.components.pool_picture import pool_picture
from app.ui.components.setting_rows import notice
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation, NamePrompt
from app.ui.state.network import RouterRow, RouterStatus
from app.ui.theme import Space

_LOOKS = {
    RouterStatus.UNKNOWN: (ft.Icons.RADIO_BUTTON_UNCHECKED, ft.Colors.ON_SURFACE_VARIANT),
    RouterStatus.THERE: (ft.Icons.CHECK_CIRCLE_OUTLINE, ft.Colors.PRIMARY),
    RouterStatus.AWAY: (ft.Icons.CLOUD_OFF_OUTLINED, ft.Colors.ERROR),
    RouterStatus.CHANGED: (ft.Icons.WARNING_AMBER, ft.Colors.ERROR),
    RouterStatus.OFF: (ft.Icons.PAUSE_CIRCLE_OUTLINE, ft.Colors.ON_SURFACE_VARIANT),
}


def router_card(app: AppState, row: RouterRow) -> ft.Control:
    """Name, address, state in words; below it the pool, or what is wrong."""
    strings, router = app.strings, row.router
    offline = app.settings.offline and router.enabled and not app.network.may_ask(router)
    icon, color = (ft.Icons.AIRPLANEMODE_ACTIVE, ft.Colors.TERTIARY) if offline else _LOOKS[row.status]
    state = strings("network.router_offline") if offline else strings(f"network.router_{row.status}")
    lock = "" if router.private_way else " · " + strings("network.router_unencrypted")
    parts: list[ft.Control] = [
        ft.Row(
            [
                ft.Icon(icon, size=22, color=color),
                ft.Column(
                    [
                        ft.Text(strings.isolate(router.name), theme_style=ft.TextThemeStyle.TITLE_MEDIUM),
                        ft.Text(
                            f"{strings.isolate(router.host)} · {state}{lock}",
                            theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                            color=ft.Colors.ON_SURFACE_VARIANT,
                        ),
                    ],
                    spacing=0,
                    tight=True,
                    expand=True,
                    rtl=app.rtl,
                ),
                menu(app, strings("network.more"), _actions(app, row), identifier=f"router-menu-{router.id}"),
            ],
            rtl=app.rtl,
            spacing=Space.M,
        )
    ]
    if not offline and row.problem is not None:
        parts.append(
            notice(
                app,
                ft.Icons.ERROR_OUTLINE,
                strings.error(row.problem),
                ft.Colors.ERROR,
                identifier="router-problem",
            )
        )
    elif not offline and row.pool is not None:
        parts.append(pool_picture(app, row.pool))
    return marked(
        card(
            ft.Column(parts, spacing=Space.M, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
        ),
        identifier=f"router-{router.id}",
        container=True,
    )


def _actions(app: AppState, row: RouterRow) -> list[tuple[ft.IconData, str, Handler]]:
    strings, router = app.strings, row.router

    async def look() -> None:
        await app.network.look()

    async def enable() -> None:
        await app.network.enable_router(router, not router.enabled)

    async def accept() -> None:
        await app.network.accept_router(router)

    async def remove() -> None:
        await app.network.remove_router(router)

    async def save_name(name: str) -> None:
        await app.network.rename_router(router, name)

    def rename() -> None:
        title = strings("network.router_name")
        app.dialogs.show(NamePrompt(title, title, strings("action.save"), save_name, router.name))

    def ask_accept() -> None:
        app.dialogs.show(
            Confirmation(
                strings("network.router_accept"),
                strings("network.router_accept_text", host=router.host),
                strings("network.router_accept"),
                accept,
            )
        )

    def ask_remove() -> None:
        app.dialogs.show(
            Confirmation(
                strings("network.router_remove"),
                strings("network.router_remove_text", name=router.name),
                strings("network.remove"),
                remove,
            )
        )

    actions: list[tuple[ft.IconData, str, Handler]] = [(ft.Icons.REFRESH, strings("network.look"), look)]
    if row.status is RouterStatus.CHANGED:
        actions.append((ft.Icons.KEY, strings("network.router_accept"), ask_accept))
    pause = (ft.Icons.PAUSE, strings("network.router_pause"), enable)
    resume = (ft.Icons.PLAY_ARROW, strings("network.router_resume"), enable)
    return [
        *actions,
        pause if router.enabled else resume,
        (ft.Icons.EDIT_OUTLINED, strings("action.rename"), rename),
        (ft.Icons.DELETE_OUTLINE, strings("network.remove"), ask_remove),
    ]
