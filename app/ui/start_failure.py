"""What is shown where the app cannot open its data: why, and the ways on. Nothing is changed before a tap."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import flet as ft

from app.core.paths import Paths
from app.core.set_aside import set_database_aside
from app.core.settings import SettingsStore
from app.core.strings import Strings
from app.ui.components.controls import marked
from app.ui.root import apply_settings
from app.ui.theme import DIALOG_WIDTH, Space
from rag.errors import DatabaseDamaged


def show_start_failure(page: ft.Page, error: Exception, retry: Callable[[], Awaitable[None]]) -> None:
    """Fill the page with it. `retry` opens the app; it is called after a tap."""
    settings = SettingsStore(Paths.default().settings).current
    apply_settings(page, settings)
    strings = Strings(settings.language, persian_digits=settings.persian_digits)
    sentences = [strings.error(error)]
    again = ft.OutlinedButton(strings("action.retry"), on_click=retry)
    buttons: list[ft.Control] = [marked(again, identifier="start-retry")]
    if isinstance(error, DatabaseDamaged) and _is_ours(error.path):
        damaged = error.path

        async def set_aside() -> None:
            try:
                set_database_aside(damaged)
            except OSError as refused:
                show_start_failure(page, refused, retry)
                return
            await retry()

        sentences.append(strings("start.set_aside_text"))
        button = ft.FilledButton(strings("start.set_aside"), on_click=set_aside)
        buttons.append(marked(button, identifier="start-set-aside"))
    texts: list[ft.Control] = [
        ft.Text(sentence, text_align=ft.TextAlign.CENTER, selectable=True) for sentence in sentences
    ]
    column = ft.Column(
        [
            ft.Icon(ft.Icons.REPORT_OUTLINED, size=48, color=ft.Colors.ERROR),
            ft.Text(
                strings("start.failed"),
                theme_style=ft.TextThemeStyle.TITLE_LARGE,
                text_align=ft.TextAlign.CENTER,
            ),
            *texts,
            ft.Row(
                buttons,
                rtl=strings.right_to_left,
                alignment=ft.MainAxisAlignment.CENTER,
                wrap=True,
                spacing=Space.M,
                run_spacing=Space.M,
            ),
        ],
        spacing=Space.L,
        tight=True,
        rtl=strings.right_to_left,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
    )
    shown = ft.Container(column, padding=Space.XL, width=DIALOG_WIDTH)
    page.views = [
        ft.View(
            controls=[marked(shown, identifier="start-failed", container=True)],
            vertical_alignment=ft.MainAxisAlignment.CENTER,
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        )
    ]
    page.update()


def _is_ours(path: Path) -> bool:
    paths = Paths.default()
    return path in (paths.conversations, paths.knowledge)
