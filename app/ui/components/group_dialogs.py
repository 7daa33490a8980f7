"""Making a group, joining one, and showing its code."""

from __future__ import annotations

import flet as ft

from app.core.network.groups import Group, GroupKind
from app.ui.components.code_picture import code_picture
from app.ui.components.controls import marked, text_field
from app.ui.components.dialog_actions import dialog_actions, problem_above
from app.ui.components.setting_rows import entry, notice
from app.ui.state.app import AppState
from app.ui.state.dialogs import GroupCode, RouterEntry
from app.ui.theme import Space


@ft.component
def GroupStartBody(app: AppState, kind: GroupKind) -> ft.Control:
    """A name, and a code if another device has one: without a code a new group begins."""
    strings = app.strings
    usual = strings("network.my_devices") if kind is GroupKind.MINE else ""
    name, set_name = ft.use_state(usual)
    code, set_code = ft.use_state("")
    wrong, set_wrong = ft.use_state("")
    joining = bool(code.strip())

    def name_changed(event: ft.Event[ft.TextField]) -> None:
        set_name(event.control.value)
        set_wrong("")

    def code_changed(event: ft.Event[ft.TextField]) -> None:
        set_code(event.control.value)
        set_wrong("")

    async def go_on() -> None:
        try:
            if joining:
                group, router = await app.network.join_group(code, name, kind)
            else:
                group, router = await app.network.create_group(name, kind), ""
        except Exception as error:  # noqa: BLE001 - it stands in the form, next to what can be changed
            set_wrong(strings.error(error))
            return
        if not joining:
            app.dialogs.show(GroupCode(group))
        elif router:
            app.dialogs.show(RouterEntry(router))
        else:
            app.dialogs.close()
        if joining:
            app.notify(strings("network.joined", name=group.name))

    return ft.Column(
        [
            ft.Text(strings(f"network.start_{kind}_text"), rtl=app.rtl, color=ft.Colors.ON_SURFACE_VARIANT),
            marked(
                text_field(app, strings("network.group_name"), name, name_changed, max_length=64, counter=""),
                identifier="group-name",
            ),
            entry(
                app,
                "group-code-entry",
                strings("network.group_code"),
                code,
                code_changed,
                hint=strings("network.group_code_hint"),
                hint_text="\u2066DAIG1:…\u2069",
            ),
            *problem_above(app, wrong, identifier="group-problem"),
            dialog_actions(
                app,
                strings("network.join") if joining else strings("network.create"),
                go_on,
                disabled=not name.strip(),
            ),
        ],
        spacing=Space.L,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


@ft.component
def GroupCodeBody(app: AppState, group: Group) -> ft.Control:
    """What to do with the code, whom not to show it, and the code."""
    strings = app.strings
    return ft.Column(
        [
            ft.Text(strings("network.code_text", name=group.name), rtl=app.rtl),
            code_picture(app, app.network.group_code(group), identifier="group-code"),
            notice(
                app,
                ft.Icons.WARNING_AMBER,
                strings("network.code_warning"),
                ft.Colors.TERTIARY,
                identifier="code-warning",
            ),
            *(
                []
                if app.network.meeting_address
                else [
                    notice(
                        app,
                        ft.Icons.INFO_OUTLINE,
                        strings("network.code_without_router"),
                        ft.Colors.ON_SURFACE_VARIANT,
                        identifier="code-without-router",
                    )
                ]
            ),
        ],
        spacing=Space.L,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
