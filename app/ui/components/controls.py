"""Small controls in the app's own style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flet as ft

from app.core.direction import is_right_to_left
from app.ui.state.app import AppState
from app.ui.theme import READING_WIDTH, TOUCH, Radius, Space, field_border

Handler = Callable[..., Any]


def marked(content: ft.Control, identifier: str, **properties: Any) -> ft.Control:
    """A control with a stable identifier in the accessibility tree; tests and tools find it by that."""
    return ft.Semantics(content=content, identifier=identifier, **properties)


def remembered(component: Callable[..., Any]) -> Callable[..., ft.Control]:
    """A component that is rendered again only when one of its arguments has changed."""
    memoise: Callable[..., Callable[..., ft.Control]] = ft.memo
    return memoise(ft.component(component))


def icon_button(
    icon: ft.IconData, label: str, on_click: Handler, *, identifier: str, disabled: bool = False
) -> ft.Control:
    """A round button with an icon; its label is read out and shown as a tooltip."""
    return marked(
        ft.IconButton(
            icon,
            tooltip=label,
            on_click=on_click,
            disabled=disabled,
            icon_size=22,
            icon_color=ft.Colors.ON_SURFACE_VARIANT,
            size_constraints=ft.BoxConstraints(min_width=TOUCH, min_height=TOUCH),
        ),
        identifier=identifier,
    )


def small_button(icon: ft.IconData, label: str, on_click: Handler, *, identifier: str) -> ft.Control:
    """A quiet icon button for the line under an answer."""
    return marked(
        ft.IconButton(
            icon,
            tooltip=label,
            on_click=on_click,
            icon_size=18,
            icon_color=ft.Colors.ON_SURFACE_VARIANT,
            size_constraints=ft.BoxConstraints(min_width=TOUCH, min_height=TOUCH),
        ),
        identifier=identifier,
    )


def menu(
    app: AppState,
    label: str,
    items: Sequence[tuple[ft.IconData, str, Handler]],
    *,
    identifier: str,
    size: float = 22,
    icon: ft.IconData = ft.Icons.MORE_VERT,
) -> ft.Control:
    """A button, by itself with three dots, that opens a menu of (icon, label, action)."""
    return marked(
        ft.PopupMenuButton(
            icon=icon,
            icon_size=size,
            icon_color=ft.Colors.ON_SURFACE_VARIANT,
            tooltip=label,
            shape=ft.RoundedRectangleBorder(radius=Radius.M),
            items=[
                ft.PopupMenuItem(
                    content=ft.Row(
                        [ft.Icon(icon, size=20, color=ft.Colors.ON_SURFACE_VARIANT), ft.Text(text)],
                        rtl=app.rtl,
                        spacing=Space.M,
                    ),
                    on_click=action,
                )
                for icon, text, action in items
            ],
        ),
        identifier=identifier,
    )


def text_field(app: AppState, label: str, value: str, on_change: Handler, **properties: Any) -> ft.TextField:
    """A field for one line."""
    return ft.TextField(
        value=value,
        label=label,
        on_change=on_change,
        rtl=app.rtl,
        border=field_border(),
        content_padding=ft.Padding.symmetric(horizontal=Space.L, vertical=Space.M),
        **properties,
    )


def focus_at_first(field: ft.TextField) -> None:
    """Give a field with `autofocus` the cursor when it appears, also where another one has it."""

    async def focus() -> None:
        if field.autofocus:
            await field.focus()  # type: ignore[no-untyped-call]  # as Flet has it

    ft.use_effect(focus, dependencies=[])


@remembered
def SearchField(
    app: AppState,
    label: str,
    on_search: Callable[[str], Any],
    *,
    identifier: str,
    text: str = "",
    autofocus: bool = False,
) -> ft.Control:
    """A field to search with. `text` is what stands in it at first.

    What is rendered is what the field holds already: a text from the app's state would be one event
    old while its answer is computed, and undo the letters that were typed meanwhile.
    """
    shown: ft.MutableRef[ft.TextField | None] = ft.use_ref(None)

    async def changed(event: ft.Event[ft.TextField]) -> None:
        await on_search(event.control.value)

    field = text_field(
        app,
        label,
        text if shown.current is None else shown.current.value,
        changed,
        prefix_icon=ft.Icon(ft.Icons.SEARCH, size=20, color=ft.Colors.ON_SURFACE_VARIANT),
        dense=True,
        autofocus=autofocus,
    )
    shown.current = field
    focus_at_first(field)
    return marked(field, identifier=identifier)


def in_reading_width(content: ft.Control, width: float = READING_WIDTH) -> ft.Control:
    """Content in the middle, no wider than is good to read."""
    return ft.Container(
        ft.Container(content, width=width),
        alignment=ft.Alignment.TOP_CENTER,
        padding=ft.Padding.symmetric(horizontal=Space.L),
    )


def badge(text: str, color: str, on_color: str) -> ft.Control:
    """A short word on a tinted ground."""
    return ft.Container(
        ft.Text(text, theme_style=ft.TextThemeStyle.LABEL_SMALL, color=on_color),
        bgcolor=color,
        border_radius=Radius.S,
        padding=ft.Padding.symmetric(horizontal=Space.S, vertical=2),
    )


def card(content: ft.Control, **properties: Any) -> ft.Container:
    """Content on its own ground."""
    return ft.Container(
        content,
        bgcolor=ft.Colors.SURFACE_CONTAINER_LOWEST,
        border=ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
        border_radius=Radius.L,
        padding=Space.L,
        **properties,
    )


def one_line(app: AppState, text: str, **properties: Any) -> ft.Text:
    """A text of the user's on one line, cut at its own end where it is too long, whichever way it runs.

    Where the app runs right to left, that needs a place which is not under a right-to-left control.
    """
    return ft.Text(
        text,
        rtl=is_right_to_left(text),
        text_align=ft.TextAlign.RIGHT if app.rtl else ft.TextAlign.LEFT,
        max_lines=1,
        overflow=ft.TextOverflow.ELLIPSIS,
        **properties,
    )


def title_row(app: AppState, name: str, *buttons: ft.Control) -> ft.Control:
    """The first row of a card: whose it is, and what can be done with that."""
    return ft.Row(
        [
            ft.Text(app.strings.isolate(name), theme_style=ft.TextThemeStyle.TITLE_MEDIUM, expand=True),
            *buttons,
        ],
        rtl=app.rtl,
        spacing=Space.S,
    )


def empty_state(
    app: AppState, icon: ft.IconData, title: str, text: str, actions: Sequence[ft.Control] = ()
) -> ft.Control:
    """What stands where nothing is yet, with the way on."""
    return ft.Container(
        ft.Column(
            [
                ft.Container(
                    ft.Icon(icon, size=30, color=ft.Colors.PRIMARY),
                    bgcolor=ft.Colors.PRIMARY_CONTAINER,
                    border_radius=Radius.FULL,
                    padding=Space.L,
                ),
                ft.Text(title, theme_style=ft.TextThemeStyle.HEADLINE_SMALL, text_align=ft.TextAlign.CENTER),
                ft.Text(text, text_align=ft.TextAlign.CENTER, color=ft.Colors.ON_SURFACE_VARIANT),
                *actions,
            ],
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
            spacing=Space.M,
            tight=True,
            rtl=app.rtl,
        ),
        padding=Space.XL,
        width=440,
    )
