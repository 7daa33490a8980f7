"""The codes that devices are verified with: this device's own, and those of others."""

from __future__ import annotations

import flet as ft

from app.ui.components.code_picture import code_picture
from app.ui.components.controls import marked
from app.ui.components.dialog_actions import dialog_actions, problem_above
from app.ui.components.setting_rows import entry, notice
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation
from app.ui.theme import Space


@ft.component
def OwnCodeBody(app: AppState) -> ft.Control:
    """This device's own code, for others to scan."""
    code, set_code = ft.use_state("")
    problem, set_problem = ft.use_state("")
    strings = app.strings

    async def fetch() -> None:
        try:
            set_code(await app.network.own_code())
        except Exception as error:  # noqa: BLE001 - a locked keyring: told in its place
            set_problem(strings.error(error))

    ft.use_effect(fetch, dependencies=[])

    async def renew() -> None:
        await app.network.renew()

    def ask_renew() -> None:
        app.dialogs.show(
            Confirmation(
                strings("network.renew_title"),
                strings("network.renew_text"),
                strings("network.renew"),
                renew,
            )
        )

    body: ft.Control = ft.ProgressBar()
    if problem:
        body = notice(app, ft.Icons.ERROR_OUTLINE, problem, ft.Colors.ERROR, identifier="own-problem")
    elif code:
        body = code_picture(app, code, identifier="own-code")
    return ft.Column(
        [
            ft.Text(strings("network.own_code_text"), rtl=app.rtl),
            body,
            ft.Row(
                [
                    marked(
                        ft.TextButton(strings("network.renew"), icon=ft.Icons.AUTORENEW, on_click=ask_renew),
                        identifier="renew",
                    )
                ],
                rtl=app.rtl,
            ),
        ],
        spacing=Space.L,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


@ft.component
def CodeEntryBody(app: AppState) -> ft.Control:
    """Takes the code of another device: the one who has scanned it sends or types it."""
    code, set_code = ft.use_state("")
    wrong, set_wrong = ft.use_state("")
    strings = app.strings

    def changed(event: ft.Event[ft.TextField]) -> None:
        set_code(event.control.value)
        set_wrong("")

    async def verify() -> None:
        try:
            device = await app.network.verify_code(code)
        except Exception as error:  # noqa: BLE001 - it stands in the form, next to what can be changed
            set_wrong(strings.error(error))
            return
        app.dialogs.close()
        app.notify(strings("network.verified", name=device.shown_name))

    return ft.Column(
        [
            entry(
                app,
                "device-code",
                strings("network.device_code"),
                code,
                changed,
                hint=strings("network.device_code_hint"),
                hint_text="\u2066DAI1:…\u2069",
                autofocus=True,
            ),
            *problem_above(app, wrong, identifier="code-problem"),
            dialog_actions(app, strings("network.verify"), verify, disabled=not code.strip()),
        ],
        spacing=Space.L,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
