"""The owner's rules: whom this device answers, with what, when, and how much."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from app.core.network.work_policy import WorkHours
from app.ui.components.controls import Handler, marked
from app.ui.components.setting_rows import choice, label_of, switch
from app.ui.state.app import AppState
from app.ui.state.working import WorkingState
from app.ui.theme import TOUCH, Radius, Space

IDLE_MINUTES = (0, 2, 5, 15, 60)
DAILY_QUESTIONS = (20, 50, 200, 1000, 0)
LONGEST_ANSWERS = (256, 512, 1024, 2048, 4096)
HOTTEST = (70, 85, 0)
HOURS = (None, WorkHours(22 * 60, 7 * 60), WorkHours(18 * 60, 8 * 60), WorkHours(8 * 60, 18 * 60))
_AS_IN_CHAT = "-"


def worker_rules(app: AppState, state: WorkingState) -> ft.Control:
    """All of them; each holds as soon as it is chosen."""
    strings, policy = app.strings, state.policy

    def switched(name: str) -> Handler:
        async def turned(event: ft.Event[ft.Switch]) -> None:
            await app.working.change(**{name: event.control.value})

        return turned

    def untold(condition: bool | None) -> str:
        """What to know where the device does not tell how it is."""
        looked = bool(state.status.routers)
        return strings("working.not_told") if condition is None and looked else ""

    def numbers(name: str, values: Sequence[int], present: int, *, none: str, some: str) -> ft.Control:
        """One of some numbers; a present one that is none of them is offered, too."""
        known = values if present in values else (*values, present)

        async def choose(value: str) -> None:
            await app.working.change(**{name: int(value)})

        return choice(
            app,
            f"work-{name}",
            strings(f"working.{name}"),
            {str(each): strings(some, count=each) if each else strings(none) for each in known},
            str(present),
            choose,
        )

    return ft.Column(
        [
            _whom(app, state),
            switch(
                app,
                "work-public",
                strings("working.public"),
                strings("working.public_hint"),
                policy.public,
                switched("public"),
            ),
            _model(app, state),
            switch(
                app,
                "work-charging",
                strings("working.only_charging"),
                untold(state.status.conditions.charging),
                policy.only_charging,
                switched("only_charging"),
            ),
            switch(
                app,
                "work-unmetered",
                strings("working.only_unmetered"),
                untold(state.status.conditions.metered),
                policy.only_unmetered,
                switched("only_unmetered"),
            ),
            numbers(
                "idle_minutes",
                IDLE_MINUTES,
                policy.idle_minutes,
                none="working.idle_none",
                some="working.minutes",
            ),
            _hours(app, policy.hours),
            numbers(
                "daily_questions",
                DAILY_QUESTIONS,
                policy.daily_questions,
                none="working.no_limit",
                some="working.a_day",
            ),
            numbers(
                "max_answer_tokens",
                LONGEST_ANSWERS,
                policy.max_answer_tokens,
                none="working.no_limit",
                some="working.tokens",
            ),
            numbers(
                "hottest_celsius",
                HOTTEST,
                policy.hottest_celsius,
                none="working.no_limit",
                some="working.celsius",
            ),
            switch(
                app,
                "work-contents",
                strings("working.keep_contents"),
                strings("working.keep_contents_hint"),
                policy.keep_contents,
                switched("keep_contents"),
            ),
        ],
        spacing=Space.XL,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _whom(app: AppState, state: WorkingState) -> ft.Control:
    """The groups; several may be chosen."""
    strings, chosen = app.strings, state.policy.groups
    hint = strings("working.groups_hint") if state.groups else strings("working.groups_none")
    return ft.Column(
        [
            label_of(app, strings("working.groups"), hint),
            ft.Row(
                [
                    _group(app, group.id, group.name, chosen=chosen is None or group.id in chosen)
                    for group in state.groups
                ],
                wrap=True,
                spacing=Space.S,
                run_spacing=Space.S,
                rtl=app.rtl,
            ),
        ],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _group(app: AppState, id: str, name: str, *, chosen: bool) -> ft.Control:
    async def toggle() -> None:
        await app.working.toggle_group(id)

    return marked(
        ft.Container(
            ft.Row(
                [
                    ft.Icon(
                        ft.Icons.CHECK_BOX if chosen else ft.Icons.CHECK_BOX_OUTLINE_BLANK,
                        size=18,
                        color=ft.Colors.ON_SECONDARY_CONTAINER if chosen else ft.Colors.ON_SURFACE_VARIANT,
                    ),
                    ft.Text(app.strings.isolate(name), theme_style=ft.TextThemeStyle.LABEL_LARGE),
                ],
                tight=True,
                spacing=Space.XS,
                rtl=app.rtl,
            ),
            height=TOUCH * max(1.0, app.scale),
            ink=True,
            on_click=toggle,
            bgcolor=ft.Colors.SECONDARY_CONTAINER if chosen else ft.Colors.SURFACE_CONTAINER_LOW,
            border=ft.Border.all(1, ft.Colors.SECONDARY_CONTAINER if chosen else ft.Colors.OUTLINE_VARIANT),
            border_radius=Radius.L,
            padding=ft.Padding.symmetric(horizontal=Space.L),
        ),
        identifier=f"work-group-{id}",
        button=True,
        checked=chosen,
    )


def _model(app: AppState, state: WorkingState) -> ft.Control:
    async def choose(value: str) -> None:
        await app.working.change(model_id=None if value == _AS_IN_CHAT else value)

    names = {model.id: app.strings.isolate(model.name) for model in state.models}
    return choice(
        app,
        "work-model",
        app.strings("working.model"),
        {_AS_IN_CHAT: app.strings("working.model_of_chat"), **names},
        state.policy.model_id or _AS_IN_CHAT,
        choose,
        app.strings("working.model_hint"),
    )


def _hours(app: AppState, present: WorkHours | None) -> ft.Control:
    known = HOURS if present in HOURS else (*HOURS, present)
    named = {hours_text(each): each for each in known}

    async def choose(value: str) -> None:
        await app.working.change(hours=named[value])

    shown = {
        name: app.strings("working.always")
        if each is None
        else app.strings(
            "working.from_until", start=app.strings.clock(each.start), end=app.strings.clock(each.end)
        )
        for name, each in named.items()
    }
    return choice(app, "work-hours", app.strings("working.hours"), shown, hours_text(present), choose)


def hours_text(hours: WorkHours | None) -> str:
    """A part of the day in a form that is the same in every language; empty for all of it."""
    if hours is None:
        return ""
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (hours.start, hours.end))
