"""This device as others see it, and the devices that it has seen."""

from __future__ import annotations

import flet as ft

from app.core.errors import DeviceNameInvalid
from app.core.network.devices import Device
from app.ui.components.controls import badge, icon_button, marked
from app.ui.components.setting_rows import label_of, remark, section
from app.ui.state.app import AppState
from app.ui.state.dialogs import CodeEntry, DeviceView, NamePrompt, OwnCode
from app.ui.state.network import NetworkState
from app.ui.theme import TOUCH, Radius, Space
from network.trust import Standing

_MOST_STRANGERS = 20
"""Volunteers come and go; those with a name or a word of the user's are all shown."""


def own_section(app: AppState, state: NetworkState) -> ft.Control:
    """Name, code, and where its keys are."""
    strings = app.strings

    async def save_name(name: str) -> str | None:
        try:
            await app.network.rename_self(name)
        except DeviceNameInvalid as error:
            return type(error).__name__
        return None

    def rename() -> None:
        title = strings("network.own_name")
        app.dialogs.show(NamePrompt(title, title, strings("action.save"), save_name, state.name))

    def show() -> None:
        app.dialogs.show(OwnCode())

    name = strings.isolate(state.name) if state.name else strings("network.own_nameless")
    rows: list[ft.Control] = [
        ft.Row(
            [
                ft.Container(label_of(app, name, strings("network.own_name_hint")), expand=True),
                icon_button(ft.Icons.EDIT_OUTLINED, strings("action.rename"), rename, identifier="own-name"),
                icon_button(ft.Icons.QR_CODE_2, strings("network.own_code"), show, identifier="own-show"),
            ],
            rtl=app.rtl,
        )
    ]
    if state.kept_in is not None:
        rows.append(
            marked(
                remark(app, strings(f"network.kept_{state.kept_in}")),
                identifier="kept-in",
            )
        )
    return section(app, strings("network.own"), rows)


def devices_section(app: AppState, state: NetworkState) -> ft.Control:
    """Verified ones first; strangers are many, and not all shown."""
    strings, devices = app.strings, state.devices
    known = [one for one in devices if one.verified or one.blocked or one.alias or one.name]
    strangers = [one for one in devices if one not in known]
    rows: list[ft.Control] = [
        _row(app, device, state.trust.get(device.node, {}))
        for device in (*known, *strangers[:_MOST_STRANGERS])
    ]
    if len(strangers) > _MOST_STRANGERS:
        rows.append(remark(app, strings("network.strangers", count=len(strangers) - _MOST_STRANGERS)))
    if not rows:
        rows.append(remark(app, strings("network.devices_none")))
    listed = ft.Column(rows, spacing=0, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    verify = ft.OutlinedButton(
        strings("network.verify_code"),
        icon=ft.Icons.VERIFIED_USER_OUTLINED,
        on_click=lambda: app.dialogs.show(CodeEntry()),
    )
    buttons = ft.Row([marked(verify, identifier="verify-code")], rtl=app.rtl)
    return section(app, strings("network.devices"), [listed, buttons])


def _row(app: AppState, device: Device, models: dict[str, Standing]) -> ft.Control:
    strings = app.strings
    marks = []
    if any(standing.quarantined is not None for standing in models.values()):
        marks.append(
            badge(strings("network.distrusted"), ft.Colors.ERROR_CONTAINER, ft.Colors.ON_ERROR_CONTAINER)
        )
    elif models:
        share = strings.number(100 * min(standing.trust for standing in models.values()))
        marks.append(
            badge(
                strings("network.trust", share=share),
                ft.Colors.SECONDARY_CONTAINER,
                ft.Colors.ON_SECONDARY_CONTAINER,
            )
        )
    if device.blocked:
        marks.append(
            badge(strings("network.blocked"), ft.Colors.ERROR_CONTAINER, ft.Colors.ON_ERROR_CONTAINER)
        )
    if device.verified:
        marks.append(
            badge(
                strings("network.is_verified_short"),
                ft.Colors.PRIMARY_CONTAINER,
                ft.Colors.ON_PRIMARY_CONTAINER,
            )
        )
    return marked(
        ft.Container(
            ft.Row(
                [
                    ft.Icon(ft.Icons.DEVICE_HUB, size=22, color=ft.Colors.ON_SURFACE_VARIANT),
                    ft.Text(
                        strings.isolate(device.shown_name),
                        theme_style=ft.TextThemeStyle.TITLE_SMALL,
                        expand=True,
                        max_lines=1,
                        overflow=ft.TextOverflow.ELLIPSIS,
                    ),
                    *marks,
                    ft.Icon(
                        ft.Icons.CHEVRON_RIGHT,
                        color=ft.Colors.ON_SURFACE_VARIANT,
                    ),
                ],
                rtl=app.rtl,
                spacing=Space.M,
            ),
            height=TOUCH * max(1.0, app.scale),
            border_radius=Radius.S,
            ink=True,
            on_click=lambda: app.dialogs.show(DeviceView(device.node)),
        ),
        identifier=f"device-{device.node}",
        button=True,
    )
