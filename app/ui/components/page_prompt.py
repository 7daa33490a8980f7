"""Asks for the address of a page of the web, and says who is asked for it before anybody is."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import marked, text_field
from app.ui.components.dialog_actions import dialog_actions
from app.ui.state.app import AppState
from app.ui.theme import Space
from rag.errors import WebAddressInvalid
from rag.web.address import read_address


@ft.component
def PagePromptBody(app: AppState) -> ft.Control:
    """A field for the address; below it, what fetching means for this one."""
    value, set_value = ft.use_state("")
    strings = app.strings

    def changed(event: ft.Event[ft.TextField]) -> None:
        set_value(event.control.value)

    async def fetch() -> None:
        if _host(value) is not None:
            app.dialogs.close()
            await app.knowledge.add_page(value.strip(), strings("knowledge.first_name"))

    host = _host(value)
    if host is not None:
        note = strings("page.asked", host=host)
    elif value.strip():
        note = strings.error_named("WebAddressInvalid", name=value.strip())
    else:
        note = strings("page.about")
    return ft.Column(
        [
            marked(
                text_field(
                    app,
                    strings("page.address"),
                    value,
                    changed,
                    on_submit=fetch,
                    autofocus=True,
                    keyboard_type=ft.KeyboardType.URL,
                    autocorrect=False,
                    hint_text="\u2066https://\u2069",  # runs left to right in every language
                ),
                identifier="page-address",
            ),
            marked(
                ft.Text(note, rtl=app.rtl, color=ft.Colors.ON_SURFACE_VARIANT),
                identifier="page-note",
                live_region=True,
            ),
            dialog_actions(app, strings("page.fetch"), fetch, disabled=host is None),
        ],
        spacing=Space.L,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _host(typed: str) -> str | None:
    """The host that would be asked, as people read it."""
    if "." not in typed and "://" not in typed:
        return None  # the beginning of a name
    try:
        return read_address(typed).host
    except WebAddressInvalid:
        return None
