"""What compressing a model was measured to cost: each format with its numbers, and the numbers as charts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import flet as ft

from app.core.trade_off_store import TradeOff, TradeOffTable
from app.ui.components.charts import Bar, bar_chart
from app.ui.components.controls import marked
from app.ui.components.model_card import fact
from app.ui.state.app import AppState
from app.ui.theme import Radius, Space


def trade_off_table(app: AppState, table: TradeOffTable) -> list[ft.Control]:
    """The table, and below a chart for each kind of number; the model as it is stands first in all."""
    strings = app.strings
    moment = strings.time(datetime.fromisoformat(table.measured_at))
    when = ft.Text(
        strings("compress.measured_at", time=moment),
        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
        color=ft.Colors.ON_SURFACE_VARIANT,
        expand=True,
    )
    languages = [found.language for found in table.rows[0].perplexity] if table.rows else []
    charts = [
        _chart(
            app,
            table,
            strings("tradeoffs.size"),
            lambda row: row.bytes,
            lambda value: strings.size(int(value)),
            less=True,
        ),
        _chart(
            app,
            table,
            strings("tradeoffs.writing"),
            lambda row: row.generation_tokens_per_second,
            lambda value: strings.number(value, 1),
            less=False,
        ),
        *(
            _chart(
                app,
                table,
                strings(f"tradeoffs.{_NAMES[language]}"),
                partial(_perplexity, language),
                lambda value: strings.number(value, 2),
                less=True,
            )
            for language in languages
        ),
    ]
    return [
        ft.Row([when], rtl=app.rtl),
        marked(
            ft.Column(
                [_row(app, row) for row in table.rows],
                spacing=Space.S,
                tight=True,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            ),
            identifier="trade-offs",
            container=True,
        ),
        *charts,
    ]


_NAMES = {"en": "english", "fa": "persian"}


def _row(app: AppState, row: TradeOff) -> ft.Control:
    strings = app.strings
    name = strings.isolate(row.format)
    if row.installed:
        name = strings("compress.as_it_is", format=row.format)
    facts = [
        (strings("tradeoffs.size"), strings.size(row.bytes)),
        (strings("tradeoffs.writing"), strings.number(row.generation_tokens_per_second, 1)),
        (strings("tradeoffs.reading"), strings.number(row.prompt_tokens_per_second, 1)),
    ]
    if row.peak_memory_bytes is not None:
        facts.append((strings("tradeoffs.memory"), strings.size(row.peak_memory_bytes)))
    facts += [
        (strings(f"tradeoffs.{_NAMES[found.language]}"), strings.number(found.value, 2))
        for found in row.perplexity
    ]
    return ft.Container(
        ft.Column(
            [
                ft.Text(name, theme_style=ft.TextThemeStyle.TITLE_SMALL),
                ft.Row([fact(*named) for named in facts], wrap=True, spacing=Space.L, run_spacing=Space.S),
            ],
            spacing=Space.XS,
            tight=True,
            rtl=app.rtl,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        bgcolor=ft.Colors.SURFACE_CONTAINER_LOW,
        border_radius=Radius.M,
        padding=Space.M,
    )


def _chart(
    app: AppState,
    table: TradeOffTable,
    title: str,
    value_of: Callable[[TradeOff], float],
    written: Callable[[float], str],
    *,
    less: bool,
) -> ft.Control:
    bars = [
        Bar(app.strings.isolate(row.format), value_of(row), written(value_of(row)), strong=row.installed)
        for row in table.rows
    ]
    hint = app.strings("speed.less_is_better" if less else "speed.more_is_better")
    return bar_chart(app, title, bars, hint)


def _perplexity(language: str, row: TradeOff) -> float:
    return next((found.value for found in row.perplexity if found.language == language), 0.0)
