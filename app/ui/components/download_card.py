"""A model on its way to this device."""

from __future__ import annotations

import flet as ft

from app.core.download import Download, DownloadState
from app.ui.components.controls import card, icon_button, marked, remembered
from app.ui.components.hub_problem import problem_actions
from app.ui.state.app import AppState
from app.ui.theme import Space


@remembered
def DownloadCard(app: AppState, download: Download) -> ft.Control:
    """Its name, how far it is and why it does not go on, and what can be done."""
    strings = app.strings

    async def pause() -> None:
        await app.store.pause(download)

    async def go_on() -> None:
        await app.store.go_on(download)

    async def cancel() -> None:
        await app.store.cancel(download)

    failed = download.state is DownloadState.FAILED
    buttons = []
    if download.state.active:
        buttons.append(icon_button(ft.Icons.PAUSE, strings("download.pause"), pause, identifier="pause"))
    if not download.state.active or download.state is DownloadState.WAITING:
        buttons.append(icon_button(ft.Icons.PLAY_ARROW, strings("download.go_on"), go_on, identifier="go-on"))
    buttons.append(
        icon_button(ft.Icons.CLOSE, strings("download.cancel"), cancel, identifier="cancel-download")
    )
    lines: list[ft.Control] = [
        ft.Text(strings.isolate(download.name), theme_style=ft.TextThemeStyle.TITLE_SMALL),
        ft.Text(
            _details(app, download),
            theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
            color=ft.Colors.ERROR if failed else ft.Colors.ON_SURFACE_VARIANT,
        ),
        ft.ProgressBar(value=download.fraction, bar_height=4, border_radius=2),
    ]
    if download.problem is not None:
        url = download.problem.values.get("url", "")
        actions = problem_actions(app, download.problem.name, str(url), go_on)
        if actions:
            lines.append(ft.Row(actions, rtl=app.rtl, wrap=True, spacing=Space.S, run_spacing=Space.S))
    return marked(
        card(
            ft.Row(
                [ft.Column(lines, spacing=Space.S, tight=True, expand=True), *buttons],
                rtl=app.rtl,
                spacing=Space.S,
            )
        ),
        identifier=f"download-{download.id}",
        container=True,
    )


def _details(app: AppState, download: Download) -> str:
    strings = app.strings
    if download.problem is not None:
        return strings.error_named(download.problem.name, **download.problem.values)
    if download.state is not DownloadState.RUNNING:
        return strings(f"download.state.{download.state}")
    parts = [strings.size(download.done_bytes)]
    if download.total_bytes:
        total = strings.size(download.total_bytes)
        parts = [strings("download.progress", done=parts[0], total=total)]
    if download.bytes_per_second:
        parts.append(strings("download.speed", size=strings.size(int(download.bytes_per_second))))
    if download.seconds_left is not None:
        parts.append(strings.time_left(download.seconds_left))
    return " · ".join(parts)
