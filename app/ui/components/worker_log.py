"""What this device has done for others, one line each."""

from __future__ import annotations

import flet as ft

from app.core.network.work_records import Outcome, WorkEntry
from app.core.network.work_words import asked_by, facts_of
from app.ui.components.controls import badge, marked
from app.ui.components.setting_rows import label_of
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation
from app.ui.state.working import WorkingState
from app.ui.theme import Space

_DONE = (Outcome.ANSWERED, Outcome.CUT_OFF)


def worker_log(app: AppState, state: WorkingState) -> ft.Control:
    """The newest first; how the owner empties it."""
    strings = app.strings
    if state.log is None:
        return ft.Row([ft.ProgressRing(width=18, height=18, stroke_width=2)], rtl=app.rtl)
    if not state.log:
        return marked(
            label_of(app, strings("working.log_empty"), strings("working.log_empty_hint")),
            identifier="work-log-empty",
        )

    def clear() -> None:
        app.dialogs.show(
            Confirmation(
                strings("working.clear_title"),
                strings("working.clear_text"),
                strings("working.clear"),
                app.working.clear_log,
            )
        )

    return ft.Column(
        [
            *(_entry(app, entry) for entry in state.log),
            ft.Row(
                [
                    marked(
                        ft.TextButton(strings("working.clear"), icon=ft.Icons.DELETE_OUTLINE, on_click=clear),
                        identifier="work-clear-log",
                    )
                ],
                rtl=app.rtl,
            ),
        ],
        spacing=Space.M,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _entry(app: AppState, entry: WorkEntry) -> ft.Control:
    strings = app.strings
    done = entry.outcome in _DONE
    lines: list[ft.Control] = [
        ft.Row(
            [
                ft.Text(
                    asked_by(entry, strings),
                    theme_style=ft.TextThemeStyle.BODY_MEDIUM,
                    expand=True,
                ),
                badge(
                    strings(f"working.outcome.{entry.outcome}"),
                    ft.Colors.SECONDARY_CONTAINER if done else ft.Colors.SURFACE_CONTAINER_HIGH,
                    ft.Colors.ON_SECONDARY_CONTAINER if done else ft.Colors.ON_SURFACE_VARIANT,
                ),
            ],
            rtl=app.rtl,
            spacing=Space.S,
        ),
        ft.Text(
            facts_of(entry, strings),
            theme_style=ft.TextThemeStyle.BODY_SMALL,
            color=ft.Colors.ON_SURFACE_VARIANT,
        ),
    ]
    lines += [
        ft.Text(strings.isolate(text), theme_style=ft.TextThemeStyle.BODY_SMALL, max_lines=4)
        for text in (entry.question, entry.answer)
        if text
    ]
    return marked(
        ft.Column(
            lines, spacing=2, tight=True, rtl=app.rtl, horizontal_alignment=ft.CrossAxisAlignment.STRETCH
        ),
        identifier=f"work-entry-{entry.id}",
        container=True,
    )
