"""Where a speed test begins."""

from __future__ import annotations

import flet as ft

from app.core.benchmarking import PLANS
from app.ui.components.controls import marked
from app.ui.components.setting_rows import choice
from app.ui.state.app import AppState
from app.ui.theme import Space
from engines.library import InstalledModel


@ft.component
def SpeedStart(app: AppState, models: tuple[InstalledModel, ...], busy: bool) -> ft.Control:
    """How long to measure, and of several models which one; nothing begins while other work is done."""
    plan, set_plan = ft.use_state("quick")
    model_id, set_model_id = ft.use_state("")
    strings = app.strings
    model = next((model for model in models if model.id == model_id), models[0])

    async def start() -> None:
        await app.jobs.measure_speed(model, plan)

    async def choose_model(wanted: str) -> None:
        set_model_id(wanted)

    async def choose_plan(wanted: str) -> None:
        set_plan(wanted)

    rows = []
    if len(models) > 1:
        names = {one.id: strings.isolate(f"{one.name} {one.quantisation}") for one in models}
        rows.append(choice(app, "speed-model", strings("speed.model"), names, model.id, choose_model))
    rows.append(
        choice(
            app,
            "speed-plan",
            strings("speed.plan"),
            {name: strings(f"speed.plan.{name}") for name in PLANS},
            plan,
            choose_plan,
            hint=strings(f"speed.plan_hint.{plan}"),
        )
    )
    rows.append(
        ft.Row(
            [
                marked(
                    ft.FilledButton(
                        strings("speed.start"), icon=ft.Icons.SPEED, on_click=start, disabled=busy
                    ),
                    identifier="start-speed",
                )
            ],
            rtl=app.rtl,
        )
    )
    return ft.Column(rows, spacing=Space.L, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
