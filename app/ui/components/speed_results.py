"""Results of speed tests: one as a card, and several side by side."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from app.core.strings import Strings
from app.ui.components.charts import Bar, LineChart, bar_chart
from app.ui.components.controls import card, icon_button, marked, remembered
from app.ui.components.model_card import fact
from app.ui.components.setting_rows import section
from app.ui.components.speed_figures import (
    Figure,
    conditions,
    figures,
    moment_of,
    name_of,
    rate,
    sustained_points,
    sustained_summary,
)
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation
from app.ui.theme import Space
from engines.benchmark import BenchmarkResult, Speed

_LEAST_SAMPLES = 2


@remembered
def SpeedResultCard(
    app: AppState, result: BenchmarkResult, chosen: bool, *, named: bool = True
) -> ft.Control:
    """One result with its figures; `named` where results of several models stand together."""
    strings = app.strings

    def choose() -> None:
        app.speed.choose(result.id)

    def remove() -> None:
        ask_to_remove(app, result)

    title = name_of(strings, result) if named else conditions(strings, result)
    heading: list[ft.Control] = [ft.Text(title, theme_style=ft.TextThemeStyle.TITLE_SMALL)]
    if named:
        heading.append(
            ft.Text(
                conditions(strings, result),
                theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                color=ft.Colors.ON_SURFACE_VARIANT,
            )
        )
    compare = strings("speed.compare_one", name=name_of(strings, result))
    rows: list[ft.Control] = [
        ft.Row(
            [
                marked(
                    ft.Checkbox(value=chosen, on_change=choose, tooltip=compare),
                    identifier=f"choose-{result.id}",
                ),
                ft.Column(heading, spacing=0, tight=True, expand=True),
                icon_button(
                    ft.Icons.DELETE_OUTLINE, strings("speed.remove"), remove, identifier=f"remove-{result.id}"
                ),
            ],
            rtl=app.rtl,
            spacing=Space.XS,
        ),
        ft.Row(
            [fact(figure.label, figure.text) for figure in figures(strings, result)],
            wrap=True,
            spacing=Space.XL,
            run_spacing=Space.S,
            rtl=app.rtl,
        ),
    ]
    if len(result.sustained) >= _LEAST_SAMPLES:
        rows.append(_sustained(app, result))
    return marked(
        card(
            ft.Column(
                rows,
                spacing=Space.S,
                tight=True,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            )
        ),
        identifier=f"result-{result.id}",
        container=True,
    )


def ask_to_remove(app: AppState, result: BenchmarkResult) -> None:
    """Forget a result, once the user has confirmed it."""
    strings = app.strings

    async def remove() -> None:
        await app.speed.remove(result)

    app.dialogs.show(
        Confirmation(
            strings("speed.remove"),
            strings("speed.remove_text", name=name_of(strings, result), time=conditions(strings, result)),
            strings("action.delete"),
            remove,
        )
    )


def comparison(app: AppState, results: Sequence[BenchmarkResult]) -> ft.Control:
    """Figure by figure, each result as a bar; ratios are to the first one."""
    strings, base = app.strings, {figure.key: figure for figure in figures(app.strings, results[0])}
    labels = [f"{name_of(strings, result)} · {moment_of(strings, result)}" for result in results]
    charts = []
    for key, first in base.items():
        bars = []
        for number, (label, result) in enumerate(zip(labels, results, strict=True)):
            figure = next((it for it in figures(strings, result) if it.key == key), None)
            if figure is not None:
                text = _with_ratio(strings, figure, first) if number else figure.text
                bars.append(Bar(label, figure.value, text, strong=number == 0))
        if len(bars) > 1:
            charts.append(bar_chart(app, first.label, bars))

    end = marked(
        ft.TextButton(strings("speed.end_comparison"), on_click=app.speed.choose_none),
        identifier="end-comparison",
    )
    return marked(
        section(app, strings("speed.comparison"), [*charts, ft.Row([end], rtl=app.rtl)]),
        identifier="comparison",
        container=True,
    )


def overview(app: AppState, results: Sequence[BenchmarkResult]) -> ft.Control:
    """The newest result of every model: speeds and memory."""
    strings = app.strings
    names = [name_of(strings, result) for result in results]
    hint = strings("speed.more_is_better")
    charts = [
        _speeds(app, strings("speed.chart.generation"), names, [it.generation for it in results], hint),
        _speeds(app, strings("speed.chart.prompt"), names, [it.prompt for it in results], hint),
    ]
    memory = [
        Bar(name, result.peak_memory_bytes, strings.size(result.peak_memory_bytes))
        for name, result in zip(names, results, strict=True)
        if result.peak_memory_bytes is not None
    ]
    if memory:
        charts.append(bar_chart(app, strings("speed.chart.memory"), memory, strings("speed.less_is_better")))
    return marked(
        section(app, strings("speed.overview"), charts), identifier="speed-overview", container=True
    )


def _speeds(
    app: AppState, title: str, names: Sequence[str], speeds: Sequence[Speed], hint: str
) -> ft.Control:
    bars = [
        Bar(name, speed.median, rate(app.strings, speed.median))
        for name, speed in zip(names, speeds, strict=True)
    ]
    return bar_chart(app, title, bars, hint)


def _with_ratio(strings: Strings, figure: Figure, first: Figure) -> str:
    if not first.value:
        return figure.text
    return strings("speed.ratio", value=figure.text, ratio=strings.number(figure.value / first.value, 2))


def _sustained(app: AppState, result: BenchmarkResult) -> ft.Control:
    strings = app.strings
    rates = [sample.tokens_per_second for sample in result.sustained]
    minutes = result.sustained[-1].seconds / 60
    return LineChart(
        app,
        strings("speed.sustained"),
        sustained_points(result),
        sustained_summary(strings, result),
        rate(strings, max(rates)),
        strings("speed.minute", number=strings.number(0)),
        strings("speed.minute", number=strings.number(minutes, 1 if minutes < 9.95 else 0)),
    )
