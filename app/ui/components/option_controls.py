"""The controls that set an option which is no number: switch, choice, text, list of texts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import flet as ft

from app.core.direction import is_right_to_left
from app.ui.components.controls import icon_button, marked, remembered, text_field
from app.ui.components.option_values import meant, shown
from app.ui.components.setting_rows import chips
from app.ui.components.typed_text import use_typed_text
from app.ui.state.app import AppState
from app.ui.theme import Radius, Space, field_border

Change = Callable[..., Awaitable[bool]]
"""Takes the value, and whether it is finished; tells whether it was accepted."""


@ft.component
def SwitchControl(app: AppState, name: str, value: bool, change: Change, disabled: bool) -> ft.Control:
    """On or off."""

    async def turn(event: ft.Event[ft.Switch]) -> None:
        await change(bool(event.control.value))

    return marked(
        ft.Switch(value=value, on_change=turn, disabled=disabled),
        identifier=f"switch-{name}",
        label=app.strings(f"option.{name}"),
        container=True,
    )


@remembered
def ChoiceControl(
    app: AppState, name: str, values: Sequence[str], value: str | None, change: Change
) -> ft.Control:
    """One of several values, each with a name in plain words."""
    names = {each: app.strings(f"option.{name}.{each}") for each in values}
    return chips(app, name, names, value or "", change)


@remembered
def TextControl(app: AppState, name: str, value: str, change: Change) -> ft.Control:
    """A text of several lines, kept while it is written."""
    typed = use_typed_text()
    _, redraw = ft.use_state(0)
    text = typed.text(value)

    async def writing() -> None:
        typed.going_on = True
        redraw(lambda count: count + 1)
        await typed.keep(change)

    async def written() -> None:
        if typed.going_on and await change(typed.text(value)):
            typed.going_on = False
            redraw(lambda count: count + 1)

    return marked(
        typed.shows(
            ft.TextField(
                value=text,
                on_change=writing,
                on_blur=written,
                hint_text=app.strings(f"option.{name}.example"),
                multiline=True,
                min_lines=2,
                max_lines=8,
                rtl=is_right_to_left(text) if text.strip() else app.rtl,
                border=field_border(),
                content_padding=Space.M,
            )
        ),
        identifier=f"field-{name}",
        label=app.strings(f"option.{name}"),
    )


@remembered
def StopControl(app: AppState, values: Sequence[str], change: Change) -> ft.Control:
    """A list of texts; each can be taken out, and one more put in."""
    typed = use_typed_text()
    _, redraw = ft.use_state(0)
    text = typed.text("")
    strings = app.strings

    def writing() -> None:
        typed.going_on = True
        redraw(lambda count: count + 1)

    async def add() -> None:
        new = meant(typed.text(""))
        if new and await change(tuple(dict.fromkeys([*values, new]))):
            typed.going_on = False
            redraw(lambda count: count + 1)

    def remover(removed: str) -> Callable[[], Awaitable[None]]:
        async def remove() -> None:
            await change(tuple(each for each in values if each != removed))

        return remove

    there: list[ft.Control] = [
        ft.Container(
            ft.Row(
                [
                    ft.Text(strings.isolate(shown(each)), theme_style=ft.TextThemeStyle.LABEL_LARGE),
                    icon_button(
                        ft.Icons.CLOSE,
                        strings("option.stop.remove", text=shown(each)),
                        remover(each),
                        identifier=f"remove-stop-{number}",
                    ),
                ],
                tight=True,
                spacing=0,
                rtl=app.rtl,
            ),
            bgcolor=ft.Colors.SECONDARY_CONTAINER,
            border_radius=Radius.L,
            padding=ft.Padding.only(left=0 if app.rtl else Space.M, right=Space.M if app.rtl else 0),
        )
        for number, each in enumerate(values)
    ]
    field = marked(
        typed.shows(text_field(app, strings("option.stop.add"), text, writing, on_submit=add, dense=True)),
        identifier="field-stop",
    )
    button = icon_button(
        ft.Icons.ADD, strings("option.stop.add"), add, identifier="add-stop", disabled=not text
    )
    return ft.Column(
        [
            *([ft.Row(there, wrap=True, spacing=Space.S, run_spacing=Space.S, rtl=app.rtl)] if there else []),
            ft.Row([ft.Container(field, expand=True), button], rtl=app.rtl, spacing=Space.S),
        ],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
