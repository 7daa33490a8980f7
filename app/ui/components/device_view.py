"""A device from near: who it is, whether that was made sure of, and what the user thinks of it."""

from __future__ import annotations

import flet as ft

from app.core.network.devices import Device
from app.ui.components.controls import marked, text_field
from app.ui.components.setting_rows import notice, remark, switch
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation
from app.ui.state.network import NetworkState
from app.ui.theme import Radius, Space, code_style
from network.trust import Standing


@ft.component
def DeviceBody(app: AppState, node: str, state: NetworkState) -> ft.Control:
    """The safety number first: it is why somebody looks here."""
    number, set_number = ft.use_state("")
    strings = app.strings
    device = next((one for one in state.devices if one.node == node), None)

    async def reckon() -> None:
        if device is not None:
            set_number(await app.network.safety_number(node))

    ft.use_effect(reckon, dependencies=[node])
    if device is None:
        return ft.Text(strings.error_named("DeviceMissing"), rtl=app.rtl)

    async def verify() -> None:
        await app.network.change_device(node, verified=not device.verified)

    async def block(event: ft.Event[ft.Switch]) -> None:
        await app.network.change_device(node, blocked=bool(event.control.value))

    async def rename(event: ft.Event[ft.TextField]) -> None:
        await app.network.change_device(node, alias=event.control.value)

    async def forget() -> None:
        await app.network.forget_device(node)

    def ask_forget() -> None:
        app.dialogs.show(
            Confirmation(
                strings("network.forget_title"),
                strings("network.forget_text", name=device.shown_name),
                strings("network.forget"),
                forget,
            )
        )

    return ft.Column(
        [
            ft.Text(
                strings.isolate(device.shown_name), theme_style=ft.TextThemeStyle.TITLE_MEDIUM, rtl=app.rtl
            ),
            _standing(app, device),
            *_trust(app, state.trust.get(node, {})),
            ft.Text(strings("network.safety_text"), rtl=app.rtl, color=ft.Colors.ON_SURFACE_VARIANT),
            _digits(app, number),
            ft.Row(
                [
                    marked(
                        (ft.OutlinedButton if device.verified else ft.FilledButton)(
                            strings("network.unverify")
                            if device.verified
                            else strings("network.verify_same"),
                            on_click=verify,
                        ),
                        identifier="device-verify",
                    )
                ],
                rtl=app.rtl,
            ),
            marked(
                text_field(
                    app,
                    strings("network.alias"),
                    device.alias,
                    lambda: None,
                    on_blur=rename,
                    on_submit=rename,
                    max_length=64,
                    counter="",
                ),
                identifier="device-alias",
            ),
            switch(
                app,
                "device-block",
                strings("network.block"),
                strings("network.block_hint"),
                device.blocked,
                block,
            ),
            ft.Row(
                [
                    marked(
                        ft.TextButton(
                            strings("network.forget"), icon=ft.Icons.DELETE_OUTLINE, on_click=ask_forget
                        ),
                        identifier="device-forget",
                    )
                ],
                rtl=app.rtl,
            ),
        ],
        spacing=Space.L,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _standing(app: AppState, device: Device) -> ft.Control:
    if device.blocked:
        icon, word, color = ft.Icons.BLOCK, "blocked", ft.Colors.ERROR
    elif device.verified:
        icon, word, color = ft.Icons.VERIFIED_USER_OUTLINED, "verified", ft.Colors.PRIMARY
    else:
        icon, word, color = ft.Icons.SHIELD_OUTLINED, "unverified", ft.Colors.ON_SURFACE_VARIANT
    return notice(app, icon, app.strings(f"network.is_{word}"), color, identifier="device-standing")


def _trust(app: AppState, models: dict[str, Standing]) -> list[ft.Control]:
    """What was seen of it, in words; nothing where nothing was."""
    strings = app.strings
    lines: list[ft.Control] = [
        remark(
            app,
            strings(
                "network.trust_model",
                model=model,
                share=strings.number(100 * standing.trust),
                answers=standing.questions,
                canaries=standing.canaries,
            ),
        )
        for model, standing in sorted(models.items())
    ]
    if any(standing.quarantined is not None for standing in models.values()):
        text = strings("network.quarantined")
        lines.insert(
            0, notice(app, ft.Icons.GPP_BAD_OUTLINED, text, ft.Colors.ERROR, identifier="quarantined")
        )
    if not lines:
        return []
    column = ft.Column(
        lines, spacing=Space.XS, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH
    )
    return [marked(column, identifier="device-trust")]


def _digits(app: AppState, number: str) -> ft.Control:
    """Three groups of five in a line, in the same digits on every device: two people compare them."""
    groups = number.split()
    lines = "\n".join("  ".join(groups[at : at + 3]) for at in range(0, len(groups), 3))
    return marked(
        ft.Container(
            ft.Text(
                lines or "\n\n\n",
                style=code_style(app.scale * 1.25),
                text_align=ft.TextAlign.CENTER,
                selectable=True,
                rtl=False,
            ),
            bgcolor=ft.Colors.SURFACE_CONTAINER,
            border_radius=Radius.M,
            padding=Space.L,
            alignment=ft.Alignment.CENTER,
        ),
        identifier="safety-number",
        label=number,  # a text that can be selected is not read out
    )
