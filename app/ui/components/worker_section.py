"""Answering others' questions: the switch, how it stands, a pause, and below it the rules and the log."""

from __future__ import annotations

import flet as ft

from app.core.network.work_status import WorkState
from app.core.network.work_words import standing_of
from app.ui.components.controls import card, marked
from app.ui.components.setting_rows import switch
from app.ui.components.worker_log import worker_log
from app.ui.components.worker_rules import worker_rules
from app.ui.state.app import AppState
from app.ui.state.working import WorkingState
from app.ui.theme import Space

_GOOD = (WorkState.READY, WorkState.WORKING)
_WAITING = (WorkState.CONNECTING, WorkState.PAUSED, WorkState.ELSEWHERE, WorkState.OFFLINE)


@ft.component
def WorkerSection(app: AppState, state: WorkingState) -> ft.Control:
    """One card; rules and log are folded."""
    ft.use_effect(app.working.enter, dependencies=[], cleanup=app.working.leave)
    opened, set_opened = ft.use_state("")
    strings, policy = app.strings, state.policy

    async def turned(event: ft.Event[ft.Switch]) -> None:
        await app.working.change(enabled=event.control.value)

    def fold(name: str, label: str) -> ft.Control:
        is_open = opened == name
        return marked(
            ft.TextButton(
                label,
                icon=ft.Icons.EXPAND_LESS if is_open else ft.Icons.EXPAND_MORE,
                on_click=lambda: set_opened("" if is_open else name),
            ),
            identifier=f"work-{name}",
            expanded=is_open,
        )

    rows: list[ft.Control] = [
        switch(app, "work-enabled", strings("working.title"), strings("working.hint"), policy.enabled, turned)
    ]
    if policy.enabled:
        rows.append(_standing(app, state))
    buttons = [fold("rules", strings("working.rules")), fold("log", strings("working.log"))]
    if policy.enabled:
        buttons.insert(0, _pause(app, paused=policy.paused))
    rows.append(ft.Row(buttons, rtl=app.rtl, wrap=True, spacing=Space.S, run_spacing=Space.S))
    if opened == "rules":
        rows.append(worker_rules(app, state))
    elif opened == "log":
        rows.append(worker_log(app, state))
    return marked(
        card(
            ft.Column(
                rows,
                spacing=Space.M,
                tight=True,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            )
        ),
        identifier="worker-section",
        container=True,
    )


def _standing(app: AppState, state: WorkingState) -> ft.Control:
    """How it stands in a sentence, what was done today, and which routers make trouble."""
    strings, status = app.strings, state.status
    color = ft.Colors.PRIMARY if status.state in _GOOD else ft.Colors.ON_SURFACE_VARIANT
    icon = ft.Icons.CHECK_CIRCLE_OUTLINE if status.state in _GOOD else ft.Icons.SCHEDULE
    if status.state not in (*_GOOD, *_WAITING):
        color, icon = ft.Colors.ERROR, ft.Icons.ERROR_OUTLINE
    today = strings("working.today", count=status.today.questions, tokens=strings.number(status.today.tokens))
    if status.model is not None:
        today = f"{strings.isolate(status.model)} · {today}"
    lines: list[ft.Control] = [
        marked(
            ft.Text(standing_of(status, strings), theme_style=ft.TextThemeStyle.BODY_MEDIUM, color=color),
            identifier="work-state",
            live_region=True,
        ),
        marked(
            ft.Text(today, theme_style=ft.TextThemeStyle.BODY_SMALL, color=ft.Colors.ON_SURFACE_VARIANT),
            identifier="work-today",
        ),
    ]
    for router in status.routers:
        if router.connection.error is not None:
            text = f"{strings.isolate(router.name)}: {strings.error(router.connection.error)}"
            lines.append(
                ft.Text(text, theme_style=ft.TextThemeStyle.BODY_SMALL, color=ft.Colors.ON_SURFACE_VARIANT)
            )
    return ft.Row(
        [
            ft.Icon(icon, size=20, color=color),
            ft.Column(
                lines,
                spacing=2,
                tight=True,
                expand=True,
                rtl=app.rtl,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            ),
        ],
        rtl=app.rtl,
        spacing=Space.M,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )


def _pause(app: AppState, *, paused: bool) -> ft.Control:
    async def pause() -> None:
        await app.working.change(paused=not paused)

    return marked(
        ft.OutlinedButton(
            app.strings("working.resume") if paused else app.strings("working.pause"),
            icon=ft.Icons.PLAY_ARROW if paused else ft.Icons.PAUSE,
            on_click=pause,
        ),
        identifier="work-pause",
    )
