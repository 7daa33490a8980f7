"""A file among the models that cannot be used."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import card, icon_button, marked, remembered
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation
from app.ui.state.models import BrokenFile
from app.ui.theme import Space


@remembered
def BrokenFileCard(app: AppState, file: BrokenFile) -> ft.Control:
    """Its name, why it is no use, and the way to be rid of it."""
    strings = app.strings

    async def remove() -> None:
        freed = await app.models.remove_broken(file)
        if freed is not None:
            app.notify(strings("model.removed", size=strings.size(freed)))

    def ask() -> None:
        app.dialogs.show(
            Confirmation(
                strings("model.remove_broken_title"),
                strings("model.remove_broken_text", name=file.path.name, size=strings.size(file.bytes)),
                strings("model.remove"),
                remove,
            )
        )

    label = strings("model.remove_broken", name=file.path.name)
    words = ft.Column(
        [
            ft.Text(strings.isolate(file.path.name), theme_style=ft.TextThemeStyle.TITLE_SMALL),
            ft.Text(
                strings.error(file.error),
                theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                color=ft.Colors.ON_SURFACE_VARIANT,
            ),
        ],
        spacing=Space.XS,
        tight=True,
        expand=True,
    )
    remove_button = icon_button(ft.Icons.DELETE_OUTLINE, label, ask, identifier="remove-broken")
    return marked(
        card(
            ft.Row(
                [
                    ft.Icon(ft.Icons.BROKEN_IMAGE_OUTLINED, color=ft.Colors.ERROR),
                    words,
                    *([remove_button] if file.removable else []),
                ],
                rtl=app.rtl,
                spacing=Space.M,
            )
        ),
        identifier="broken-model",
        container=True,
    )
