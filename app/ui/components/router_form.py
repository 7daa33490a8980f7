"""Connects to a router: its address, an invitation where it wants one, a test, and done."""

from __future__ import annotations

from dataclasses import dataclass

import flet as ft

from app.core.errors import RouterAddressInvalid
from app.core.network.router_address import host_of, is_nearby, read_router_address
from app.ui.components.controls import marked
from app.ui.components.setting_rows import entry, notice
from app.ui.state.app import AppState
from app.ui.theme import Space
from network.protocol.routers import RouterInfo


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the router has said."""

    busy: bool = False
    problem: Exception | None = None
    info: RouterInfo | None = None


_NOT_ASKED = _Asked()


@ft.component
def RouterForm(app: AppState, address: str) -> ft.Control:
    """Asks the router only when a button is tapped."""
    strings = app.strings
    typed, set_typed = ft.use_state(address)
    invite, set_invite = ft.use_state("")
    asked, set_asked = ft.use_state(_NOT_ASKED)
    problem, info = asked.problem, asked.info
    read = _read(typed)

    def address_changed(event: ft.Event[ft.TextField]) -> None:
        set_typed(event.control.value)
        set_asked(_NOT_ASKED)

    def invite_changed(event: ft.Event[ft.TextField]) -> None:
        set_invite(event.control.value)
        set_asked(_NOT_ASKED)

    async def test() -> None:
        await attempt(adding=False)

    async def add() -> None:
        await attempt(adding=True)

    async def attempt(*, adding: bool) -> None:
        set_asked(_Asked(busy=True))
        try:
            if adding:
                router = await app.network.add_router(typed, invite)
                app.dialogs.close()
                app.notify(strings("network.router_added", name=router.name))
            else:
                set_asked(_Asked(info=await app.network.test_router(typed, invite)))
        except Exception as error:  # noqa: BLE001 - it stands in the form, next to what can be changed
            set_asked(_Asked(problem=error))

    rows: list[ft.Control] = [
        entry(
            app,
            "router-address",
            strings("network.router_address"),
            typed,
            address_changed,
            hint=strings("network.router_address_hint"),
            hint_text="router.example",
            keyboard_type=ft.KeyboardType.URL,
            autofocus=True,
        ),
        entry(
            app,
            "router-invite",
            strings("network.router_invite"),
            invite,
            invite_changed,
            hint=strings("network.router_invite_hint"),
            password=True,
            can_reveal_password=True,
        ),
    ]
    if read and not read.startswith("https:") and not is_nearby(host_of(read).rpartition(":")[0]):
        text = strings("network.router_open", host=host_of(read))
        rows.append(notice(app, ft.Icons.LOCK_OPEN, text, ft.Colors.TERTIARY, identifier="router-open"))
    if problem is not None:
        rows.append(
            notice(
                app,
                ft.Icons.ERROR_OUTLINE,
                strings.error(problem),
                ft.Colors.ERROR,
                identifier="router-problem",
            )
        )
    elif info is not None:
        rows.append(
            notice(
                app,
                ft.Icons.CHECK_CIRCLE_OUTLINE,
                _told(app, info, read or ""),
                ft.Colors.PRIMARY,
                identifier="router-works",
            )
        )
    ready = read is not None and not asked.busy
    rows.append(
        ft.Row(
            [
                *([ft.ProgressRing(width=18, height=18, stroke_width=2)] if asked.busy else []),
                marked(
                    ft.TextButton(strings("action.cancel"), on_click=app.dialogs.close),
                    identifier="dialog-cancel",
                ),
                marked(
                    ft.OutlinedButton(strings("network.router_test"), on_click=test, disabled=not ready),
                    identifier="router-test",
                ),
                marked(
                    ft.FilledButton(strings("network.router_connect"), on_click=add, disabled=not ready),
                    identifier="dialog-confirm",
                ),
            ],
            rtl=app.rtl,
            alignment=ft.MainAxisAlignment.END,
            vertical_alignment=ft.CrossAxisAlignment.CENTER,
            spacing=Space.S,
            run_spacing=Space.S,
            wrap=True,
        )
    )
    return ft.Column(
        rows,
        spacing=Space.L,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _read(typed: str) -> str | None:
    try:
        return read_router_address(typed)
    except RouterAddressInvalid:
        return None


def _told(app: AppState, info: RouterInfo, address: str) -> str:
    name = info.name or host_of(address)
    if info.needs_invite_to_ask:
        return app.strings("network.router_works_invited", name=name)
    return app.strings("network.router_works", name=name)
