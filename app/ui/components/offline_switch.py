"""The one switch that keeps everything on this device."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import card
from app.ui.components.setting_rows import switch
from app.ui.state.app import AppState


def offline_switch(app: AppState) -> ft.Control:
    """The switch, and what it means."""

    async def turn(event: ft.Event[ft.Switch]) -> None:
        await app.network.turn_offline(bool(event.control.value))

    on = app.settings.offline
    hint = app.strings("network.offline_on" if on else "network.offline_off")
    return switch(app, "offline", app.strings("network.offline"), hint, on, turn)


def offline_card(app: AppState) -> ft.Control:
    """The same as a card of its own, which cannot be overlooked while it is on."""
    shown = card(offline_switch(app))
    if app.settings.offline:
        shown.bgcolor = ft.Colors.TERTIARY_CONTAINER
        shown.border = ft.Border.all(1, ft.Colors.TERTIARY)
    return shown
