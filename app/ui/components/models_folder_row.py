"""Where the models lie, what they take, and the way to another disk."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import marked
from app.ui.components.setting_rows import label_of, notice
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation, NamePrompt
from app.ui.state.models_folder import ModelsFolderState
from app.ui.theme import Space


@ft.component
def ModelsFolderRow(app: AppState, folder: ModelsFolderState) -> ft.Control:
    """The folder with its size and what is free; while it moves, how far that is."""
    strings, place = app.strings, folder.place
    ft.use_effect(app.models_folder.refresh, dependencies=[])

    def ask(wanted: str | None) -> None:
        if place is None:
            return
        target = app.models_folder.destination(wanted)

        async def move() -> None:
            await app.models_folder.move(wanted)

        app.dialogs.show(
            Confirmation(
                strings("folder.move_title"),
                strings("folder.move_text", folder=target, size=strings.size(place.bytes)),
                strings("folder.move_now"),
                move,
                destructive=False,
            )
        )

    async def choose() -> None:
        if app.models_folder.can_pick:
            wanted = await app.models_folder.pick()
            if wanted:
                try:
                    ask(wanted)
                except Exception as error:  # noqa: BLE001 - whatever was refused is told to the user
                    app.report(error)
            return

        async def typed(text: str) -> str | None:
            wrong = app.models_folder.why_not(text)
            if wrong is None:
                app.later(lambda: ask(text))  # when this dialog is closed
            return wrong

        app.dialogs.show(
            NamePrompt(strings("folder.move_title"), strings("folder.path"), strings("folder.next"), typed)
        )

    def back() -> None:
        try:
            ask(None)
        except Exception as error:  # noqa: BLE001 - as above
            app.report(error)

    def instead() -> None:
        app.dialogs.show(
            Confirmation(
                strings("folder.give_up"),
                strings("folder.give_up_text", folder=place.folder if place else ""),
                strings("folder.give_up_now"),
                app.models_folder.give_up,
                destructive=False,
            )
        )

    rows: list[ft.Control] = [label_of(app, strings("folder.title"))]
    if place is None:
        rows.append(ft.Row([ft.ProgressRing(width=18, height=18, stroke_width=2)], rtl=app.rtl))
    else:
        rows.append(
            ft.Row([ft.Text(strings.isolate(str(place.folder)), selectable=True, expand=True)], rtl=app.rtl)
        )
        if place.there:
            sizes = {"size": strings.size(place.bytes), "free": strings.size(place.free_bytes)}
            quiet = ft.Text(
                strings("folder.sizes", **sizes),
                theme_style=ft.TextThemeStyle.BODY_SMALL,
                color=ft.Colors.ON_SURFACE_VARIANT,
                expand=True,
            )
            rows.append(ft.Row([quiet], rtl=app.rtl))
        else:
            rows.append(
                notice(
                    app,
                    ft.Icons.WARNING_AMBER,
                    strings("folder.missing"),
                    ft.Colors.ERROR,
                    identifier="folder-missing",
                )
            )
            rows.append(
                ft.Row(
                    [
                        marked(
                            ft.OutlinedButton(strings("action.retry"), on_click=app.models_folder.refresh),
                            identifier="look-folder",
                        ),
                        marked(
                            ft.TextButton(strings("folder.give_up"), on_click=instead),
                            identifier="give-up-folder",
                        ),
                    ],
                    rtl=app.rtl,
                    wrap=True,
                    spacing=Space.S,
                    run_spacing=Space.S,
                )
            )
    if folder.moving_to is not None:
        rows.append(_moving(app, folder))
    elif place is not None and place.there and app.models_folder.movable:
        buttons: list[ft.Control] = [
            marked(ft.OutlinedButton(strings("folder.move"), on_click=choose), identifier="move-models")
        ]
        if not place.usual:
            buttons.append(
                marked(ft.TextButton(strings("folder.back"), on_click=back), identifier="move-models-back")
            )
        rows.append(ft.Row(buttons, rtl=app.rtl, wrap=True, spacing=Space.S, run_spacing=Space.S))
    return marked(
        ft.Column(rows, spacing=Space.S, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH),
        identifier="models-folder",
        container=True,
    )


def _moving(app: AppState, folder: ModelsFolderState) -> ft.Control:
    strings = app.strings
    percent = strings("folder.moving", percent=int(100 * folder.share))
    return ft.Column(
        [
            ft.Row(
                [
                    ft.Text(percent, theme_style=ft.TextThemeStyle.LABEL_LARGE, expand=True),
                    marked(
                        ft.TextButton(strings("action.cancel"), on_click=app.models_folder.cancel),
                        identifier="cancel-move",
                    ),
                ],
                rtl=app.rtl,
            ),
            ft.ProgressBar(value=folder.share, bar_height=4, border_radius=2),
        ],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
