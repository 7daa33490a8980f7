"""A collection that is being written to a file, or read from one."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import card, icon_button, marked
from app.ui.state.app import AppState
from app.ui.state.collection_files import TransferState
from app.ui.theme import Space


@ft.component
def TransferRow(app: AppState, transfers: TransferState) -> ft.Control:
    """How far it is, and the way to end it; nothing where nothing is going on."""
    transfer = transfers.current
    if transfer is None:
        return ft.Container(visible=False)
    strings = app.strings
    counts = strings("knowledge.progress", done=transfer.done, count=transfer.total) if transfer.total else ""
    share = transfer.done / transfer.total if transfer.total else None
    return marked(
        card(
            ft.Row(
                [
                    ft.Icon(
                        ft.Icons.ARCHIVE_OUTLINED
                        if transfer.kind == "export"
                        else ft.Icons.UNARCHIVE_OUTLINED,
                        color=ft.Colors.PRIMARY,
                    ),
                    ft.Column(
                        [
                            ft.Text(
                                strings(f"knowledge.transfer.{transfer.kind}", name=transfer.name),
                                theme_style=ft.TextThemeStyle.TITLE_SMALL,
                            ),
                            *(
                                [
                                    ft.Text(
                                        counts,
                                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                                        color=ft.Colors.ON_SURFACE_VARIANT,
                                    )
                                ]
                                if counts
                                else []
                            ),
                            ft.ProgressBar(value=share, bar_height=4, border_radius=2),
                        ],
                        spacing=Space.S,
                        tight=True,
                        expand=True,
                        rtl=app.rtl,
                        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
                    ),
                    icon_button(
                        ft.Icons.CLOSE,
                        strings("action.cancel"),
                        app.collection_files.cancel,
                        identifier="cancel-transfer",
                    ),
                ],
                rtl=app.rtl,
                spacing=Space.M,
            )
        ),
        identifier="transfer",
        container=True,
    )
