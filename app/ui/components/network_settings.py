"""How downloads reach the model hub; folded, because hardly anybody needs it."""

from __future__ import annotations

import flet as ft

from app.core.settings import Settings
from app.ui.components.controls import marked
from app.ui.components.text_setting import TextSetting
from app.ui.state.app import AppState
from app.ui.theme import Space

_USUAL = Settings().hub_endpoint


@ft.component
def NetworkSettings(app: AppState) -> ft.Control:
    """A mirror of the hub, and a proxy."""
    strings, settings = app.strings, app.settings
    open_, set_open = ft.use_state(settings.hub_endpoint != _USUAL or settings.proxy is not None)
    head = ft.Row(
        [
            marked(
                ft.TextButton(
                    strings("settings.network"),
                    icon=ft.Icons.EXPAND_LESS if open_ else ft.Icons.EXPAND_MORE,
                    on_click=lambda: set_open(not open_),
                ),
                identifier="network-settings",
                expanded=open_,
            )
        ],
        rtl=app.rtl,
    )
    if not open_:
        return head
    return ft.Column(
        [
            head,
            TextSetting(
                app,
                "hub_endpoint",
                strings("settings.hub_endpoint"),
                strings("settings.hub_endpoint_hint"),
                settings.hub_endpoint,
                _USUAL,
                lambda text: _address(text, "https") or _USUAL,
                strings("settings.address_wrong", example=_USUAL),
            ),
            TextSetting(
                app,
                "proxy",
                strings("settings.proxy"),
                strings("settings.proxy_hint"),
                settings.proxy or "",
                "",
                lambda text: _address(text, "http") or None,
                strings("settings.address_wrong", example="http://proxy.example.org:3128"),
            ),
        ],
        spacing=Space.L,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _address(text: str, scheme: str) -> str:
    """What people type for an address, in full."""
    text = text.strip().rstrip("/")
    return f"{scheme}://{text}" if text and "://" not in text else text
