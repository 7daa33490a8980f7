"""The form for a model of a server: which program serves it, and where."""

from __future__ import annotations

import sys

import flet as ft

from app.core.server_presets import PRESETS, ServerPreset
from app.ui.components.controls import marked
from app.ui.components.setting_rows import choice, entry, notice, section
from app.ui.state.app import AppState
from app.ui.state.servers import ServerForm


def _runs_programs() -> bool:
    """Whether other programs may serve models on this very device."""
    return sys.platform not in ("android", "ios")


def program_section(app: AppState, form: ServerForm) -> ft.Control:
    """Which program serves the model: fills in where it usually listens."""
    strings = app.strings

    async def take(chosen: str) -> None:
        preset = next(preset for preset in PRESETS if preset.id == chosen)
        app.servers.take(preset, preset.here if _runs_programs() else "")

    names = {preset.id: preset.name or strings("server.preset.other") for preset in PRESETS}
    return section(
        app,
        strings("server.program"),
        [
            choice(
                app,
                "preset",
                strings("server.program_hint"),
                names,
                form.preset.id if form.preset else "",
                take,
            )
        ],
    )


def address_section(app: AppState, form: ServerForm) -> ft.Control:
    """Address and key; below the address, where questions would go."""
    strings = app.strings

    def typed_address(event: ft.Event[ft.TextField]) -> None:
        app.servers.type_address(event.control.value)

    def typed_key(event: ft.Event[ft.TextField]) -> None:
        app.servers.type_key(event.control.value)

    async def forget() -> None:
        await app.servers.forget_key()

    rows = [
        entry(
            app,
            "server-address",
            strings("server.address"),
            form.url,
            typed_address,
            hint=strings("server.address_hint"),
            hint_text=_example(form.preset),
            keyboard_type=ft.KeyboardType.URL,
        ),
        *_where(app, form),
        entry(
            app,
            "server-key",
            strings("server.key"),
            form.key,
            typed_key,
            hint=strings("server.key_kept" if form.keys_last else "server.key_session"),
            hint_text=strings("server.key_known") if form.key_known else None,
            password=True,
            can_reveal_password=True,
        ),
        *(
            [
                ft.Row(
                    [
                        marked(
                            ft.TextButton(strings("server.forget_key"), on_click=forget),
                            identifier="forget-key",
                        )
                    ],
                    rtl=app.rtl,
                )
            ]
            if form.key_known and form.editing
            else []
        ),
    ]
    return section(app, strings("server.where"), rows)


def _where(app: AppState, form: ServerForm) -> list[ft.Control]:
    strings, address = app.strings, form.address
    if address is None:
        if not form.url.strip():
            return []
        return [
            notice(
                app,
                ft.Icons.ERROR_OUTLINE,
                strings.error_named("RemoteAddressInvalid", host=form.url.strip().rpartition("@")[2][:100]),
                ft.Colors.ERROR,
                identifier="server-where",
            )
        ]
    if address.local:
        icon, text, color = ft.Icons.LOCK_OUTLINE, strings("server.stays"), ft.Colors.PRIMARY
    elif address.encrypted:
        icon, color = ft.Icons.CLOUD_UPLOAD_OUTLINED, ft.Colors.ON_SURFACE_VARIANT
        text = strings("server.leaves", host=address.host)
    else:
        icon, color = ft.Icons.LOCK_OPEN, ft.Colors.ERROR
        text = strings("server.leaves_open", host=address.host)
    return [notice(app, icon, text, color, identifier="server-where")]


def _example(preset: ServerPreset | None) -> str:
    if preset is None:
        return PRESETS[0].here if _runs_programs() else PRESETS[0].example
    return (preset.here if _runs_programs() else "") or preset.example
