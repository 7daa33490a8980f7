"""The adapters of a model: which there are, how strong each is, and how to add one."""

from __future__ import annotations

import flet as ft

from app.core.errors import OptionError
from app.core.model_options import AdapterUse
from app.ui.components.controls import icon_button, marked, remembered
from app.ui.components.option_values import number_text, problem, read_number
from app.ui.components.setting_rows import remark, section
from app.ui.components.typed_text import use_typed_text
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation
from app.ui.state.options import ModelTuning
from app.ui.theme import Space, field_border
from engines.library import InstalledModel

_SCALE_WIDTH = 132


@ft.component
def AdaptersCard(app: AppState, tuning: ModelTuning, adding: str | None) -> ft.Control:
    """One line an adapter."""
    strings = app.strings

    async def add() -> None:
        await app.options.add_adapter(tuning.model)

    rows: list[ft.Control] = [
        remark(app, strings("adapter.text")),
        *(
            AdapterRow(app, tuning.model, use, use.name in tuning.missing, key=use.name)
            for use in tuning.adapters
        ),
    ]
    if adding is not None:
        rows.append(
            ft.Row(
                [
                    ft.ProgressRing(width=18, height=18, stroke_width=2),
                    ft.Text(strings("model.adding", name=adding), expand=True),
                ],
                rtl=app.rtl,
                spacing=Space.M,
            )
        )
    rows.append(
        ft.Row(
            [
                marked(
                    ft.OutlinedButton(
                        strings("adapter.add"), icon=ft.Icons.ADD, on_click=add, disabled=adding is not None
                    ),
                    identifier="add-adapter",
                )
            ],
            rtl=app.rtl,
        )
    )
    return marked(section(app, strings("adapter.title"), rows), identifier="model-adapters", container=True)


@remembered
def AdapterRow(app: AppState, model: InstalledModel, use: AdapterUse, missing: bool) -> ft.Control:
    """Name, strength, on or off, and a way out."""
    typed = use_typed_text()
    wrong, set_wrong = ft.use_state("")
    strings = app.strings

    def writing() -> None:
        typed.going_on = True
        set_wrong("")

    async def written() -> None:
        if not typed.going_on:
            return
        try:
            scale = read_number("scale", typed.text(""), whole=False)
            error = await app.options.turn_adapter(model, use.name, scale=1.0 if scale is None else scale)
        except OptionError as refused:
            error = refused
        typed.going_on = error is not None
        set_wrong(problem(strings, error) if error is not None else "")

    async def turn(event: ft.Event[ft.Switch]) -> None:
        await app.options.turn_adapter(model, use.name, enabled=bool(event.control.value))

    async def remove() -> None:
        await app.options.remove_adapter(model, use.name)

    def ask() -> None:
        app.dialogs.show(
            Confirmation(
                strings("adapter.remove_title"),
                strings("adapter.remove_text", name=use.name),
                strings("model.remove"),
                remove,
            )
        )

    said = wrong or (strings("adapter.missing") if missing else "")
    return marked(
        ft.Column(
            [
                ft.Row(
                    [
                        ft.Text(
                            strings.isolate(use.name),
                            theme_style=ft.TextThemeStyle.TITLE_SMALL,
                            expand=True,
                        ),
                        marked(
                            ft.Switch(value=use.enabled, on_change=turn),
                            identifier="adapter-enabled",
                            label=use.name,
                            container=True,
                        ),
                        icon_button(
                            ft.Icons.DELETE_OUTLINE,
                            strings("adapter.remove", name=use.name),
                            ask,
                            identifier="remove-adapter",
                        ),
                    ],
                    rtl=app.rtl,
                    spacing=Space.S,
                ),
                ft.Row(
                    [
                        marked(
                            typed.shows(
                                ft.TextField(
                                    value=typed.text(number_text(strings, use.scale)),
                                    label=strings("adapter.scale"),
                                    on_change=writing,
                                    on_blur=written,
                                    on_submit=written,
                                    rtl=app.rtl,
                                    dense=True,
                                    width=_SCALE_WIDTH * max(1.0, app.scale),
                                    border=field_border(),
                                    content_padding=Space.M,
                                )
                            ),
                            identifier="adapter-scale",
                        ),
                    ],
                    rtl=app.rtl,
                ),
                *(
                    [
                        ft.Row(
                            [
                                ft.Text(
                                    said,
                                    color=ft.Colors.ERROR,
                                    theme_style=ft.TextThemeStyle.BODY_SMALL,
                                    expand=True,
                                )
                            ],
                            rtl=app.rtl,
                        )
                    ]
                    if said
                    else []
                ),
            ],
            spacing=Space.S,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        identifier=f"adapter-{use.name}",
        container=True,
    )
