"""A folder that a collection follows."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import card, icon_button, marked, remembered
from app.ui.state.app import AppState
from app.ui.theme import Space
from rag.model import WatchedFolder


@remembered
def WatchedRow(app: AppState, folder: WatchedFolder) -> ft.Control:
    """Where it is, how many files it has or what is wrong with it, and the way to end that."""
    strings = app.strings

    async def stop() -> None:
        await app.knowledge.unwatch(folder.id)

    if folder.error:
        details = strings.error_named(folder.error, path=folder.path)
    else:
        details = strings("folder.watched", count=folder.files)
    color = ft.Colors.ERROR if folder.error else ft.Colors.ON_SURFACE_VARIANT
    return marked(
        card(
            ft.Row(
                [
                    ft.Icon(
                        ft.Icons.FOLDER_OFF_OUTLINED if folder.error else ft.Icons.FOLDER_OUTLINED,
                        color=ft.Colors.ERROR if folder.error else ft.Colors.PRIMARY,
                    ),
                    ft.Column(
                        [
                            ft.Text(
                                strings.isolate(str(folder.path)),
                                theme_style=ft.TextThemeStyle.TITLE_SMALL,
                                max_lines=2,
                                overflow=ft.TextOverflow.ELLIPSIS,
                            ),
                            marked(
                                ft.Text(details, theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=color),
                                identifier=f"folder-state-{folder.id}",
                                live_region=bool(folder.error),
                            ),
                        ],
                        spacing=Space.XS,
                        tight=True,
                        expand=True,
                        rtl=app.rtl,
                        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
                    ),
                    icon_button(
                        ft.Icons.CLOSE, strings("folder.unwatch"), stop, identifier=f"unwatch-{folder.id}"
                    ),
                ],
                rtl=app.rtl,
                spacing=Space.M,
            )
        ),
        identifier=f"folder-{folder.id}",
        container=True,
    )
