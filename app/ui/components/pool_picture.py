"""Who is there for everybody at a router, as a picture: a dot for each place, and bars by model."""

from __future__ import annotations

import flet as ft

from app.ui.components.charts import Bar, bar_chart
from app.ui.components.controls import marked
from app.ui.state.app import AppState
from app.ui.theme import Space
from network.protocol.routers import Pool

_MOST_DOTS = 60
_MOST_MODELS = 6
_DOT = 14


def pool_picture(app: AppState, pool: Pool) -> ft.Control:
    """Dots for what runs, is free and waits, with the numbers in words below."""
    strings = app.strings
    if not pool.workers:
        return ft.Row(
            [
                marked(
                    ft.Text(
                        strings("network.pool_empty"),
                        theme_style=ft.TextThemeStyle.BODY_SMALL,
                        color=ft.Colors.ON_SURFACE_VARIANT,
                    ),
                    identifier="pool-empty",
                    expand=True,
                )
            ],
            rtl=app.rtl,
        )
    summary = strings(
        "network.pool_summary",
        workers=pool.workers,
        running=pool.running,
        free=pool.free,
        waiting=pool.waiting,
    )
    parts: list[ft.Control] = [
        marked(
            ft.Row(_dots(pool), rtl=app.rtl, wrap=True, spacing=6, run_spacing=6),
            identifier="pool-picture",
            label=summary,
            image=True,
        ),
        _legend(app, pool),
    ]
    if pool.models:
        bars = [
            Bar(
                strings.isolate(model.model),
                model.workers,
                strings("network.pool_model", count=model.workers, free=model.free),
                strong=model.free > 0,
            )
            for model in pool.models[:_MOST_MODELS]
        ]
        parts.append(bar_chart(app, strings("network.pool_models"), bars))
    return ft.Column(parts, spacing=Space.M, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _dots(pool: Pool) -> list[ft.Control]:
    """In the proportion of the numbers, where there are too many for one dot each."""
    numbers = (pool.running, pool.free, pool.waiting)
    total = sum(numbers)
    scale = min(1.0, _MOST_DOTS / total) if total else 0.0
    return [
        _dot(filled=filled, waiting=waiting)
        for number, filled, waiting in zip(numbers, (True, False, True), (False, False, True), strict=True)
        for _ in range(max(1, round(number * scale)) if number else 0)
    ]


def _dot(*, filled: bool, waiting: bool = False) -> ft.Container:
    color = ft.Colors.TERTIARY if waiting else ft.Colors.PRIMARY
    return ft.Container(
        width=_DOT,
        height=_DOT,
        border_radius=_DOT / 2,
        bgcolor=color if filled else None,
        border=ft.Border.all(2, color),
    )


def _legend(app: AppState, pool: Pool) -> ft.Control:
    entries = (
        (_dot(filled=True), app.strings("network.pool_running", count=pool.running)),
        (_dot(filled=False), app.strings("network.pool_free", count=pool.free)),
        (_dot(filled=True, waiting=True), app.strings("network.pool_waiting", count=pool.waiting)),
    )
    return ft.Row(
        [
            ft.Row(
                [dot, ft.Text(text, theme_style=ft.TextThemeStyle.LABEL_MEDIUM)],
                rtl=app.rtl,
                spacing=Space.S,
                tight=True,
            )
            for dot, text in entries
        ],
        rtl=app.rtl,
        wrap=True,
        spacing=Space.L,
        run_spacing=Space.XS,
    )
