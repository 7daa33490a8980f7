"""What the form for a model of a server says of its work: that it goes on, what it brought or what failed."""

from __future__ import annotations

import flet as ft

from app.core.servers import TRIAL_QUESTION
from app.ui.components.controls import Handler, marked
from app.ui.components.setting_rows import notice, remark
from app.ui.state.app import AppState
from app.ui.state.servers import ServerForm, Work
from app.ui.theme import Space
from engines.errors import RemoteRefused


def outcome(app: AppState, form: ServerForm) -> list[ft.Control]:
    """What a trial sends, what it has brought, or what went wrong."""
    strings = app.strings

    def stop() -> None:
        app.servers.stop()

    if form.problem is not None and form.failed is not Work.LOOKING:
        return [problem_notice(app, form, form.problem)]
    if form.work is Work.TRYING:
        waiting = working(app, strings("server.trying"), stop)
        return [ft.Row(waiting, rtl=app.rtl, spacing=Space.M, run_spacing=Space.S, wrap=True)]
    if form.seconds is not None:
        shown = strings.number(form.seconds, 2 if form.seconds < 1 else 1)
        seconds = strings("bench.seconds", number=shown)
        text = strings("server.works", seconds=seconds)
        icon, color = ft.Icons.CHECK_CIRCLE_OUTLINE, ft.Colors.PRIMARY
        return [notice(app, icon, text, color, identifier="server-works")]
    return [remark(app, strings("server.try_hint", question=TRIAL_QUESTION))]


def problem_notice(app: AppState, form: ServerForm, problem: Exception) -> ft.Control:
    """What went wrong, and what the user can do about it."""
    text = app.strings.error(problem)
    if isinstance(problem, RemoteRefused) and not (form.key or form.key_known):
        text = app.strings("server.wants_key", host=problem.host)
    return notice(app, ft.Icons.ERROR_OUTLINE, text, ft.Colors.ERROR, identifier="server-problem")


def working(app: AppState, text: str, stop: Handler) -> list[ft.Control]:
    """Work that goes on, and a button that ends it."""
    return [
        ft.ProgressRing(width=18, height=18, stroke_width=2),
        ft.Text(text, theme_style=ft.TextThemeStyle.LABEL_LARGE),
        marked(
            ft.TextButton(app.strings("action.cancel"), on_click=stop),
            identifier="stop-server",
        ),
    ]
