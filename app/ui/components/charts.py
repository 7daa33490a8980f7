"""Charts that are drawn from plain controls, so that they mirror, follow the theme, and are read out.

Every value stands beside its bar as a text. Why not flet-charts: docs/decisions/0022-own-charts.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import flet as ft
import flet.canvas as cv

from app.ui.components.controls import marked, remembered
from app.ui.state.app import AppState
from app.ui.theme import Radius, Space

_BAR_HEIGHT = 10
_LINE_HEIGHT = 150
_STEPS = 1000
_FIRST_WIDTH = 320
"""Until the canvas has told its width."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it is of, how long it is, and the value in words."""

    label: str
    value: float
    text: str
    strong: bool = True


@dataclass(frozen=True, slots=True)
class LinePoint:
    """One point of a line."""

    at: float
    value: float


def bar_chart(app: AppState, title: str, bars: Sequence[Bar], hint: str = "") -> ft.Control:
    """Bars under each other, on one scale that begins at zero."""
    longest = max((bar.value for bar in bars), default=0.0)
    return ft.Column(
        [_title(app, title, hint), *(_bar(app, bar, longest) for bar in bars)],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _title(app: AppState, title: str, hint: str) -> ft.Control:
    lines: list[ft.Control] = [ft.Text(title, theme_style=ft.TextThemeStyle.TITLE_SMALL)]
    if hint:
        lines.append(
            ft.Text(hint, theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=ft.Colors.ON_SURFACE_VARIANT)
        )
    return ft.Row([ft.Column(lines, spacing=0, tight=True, expand=True)], rtl=app.rtl)


def _bar(app: AppState, bar: Bar, longest: float) -> ft.Control:
    filled = min(_STEPS - 1, max(1, round(_STEPS * bar.value / longest))) if longest > 0 else 1
    color = ft.Colors.PRIMARY if bar.strong else ft.Colors.OUTLINE
    return ft.Column(
        [
            ft.Row(
                [
                    ft.Text(
                        bar.label,
                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                        color=ft.Colors.ON_SURFACE_VARIANT,
                        expand=True,
                    ),
                    ft.Text(bar.text, theme_style=ft.TextThemeStyle.LABEL_LARGE),
                ],
                rtl=app.rtl,
                spacing=Space.M,
            ),
            ft.Container(
                ft.Row(
                    [
                        ft.Container(
                            height=_BAR_HEIGHT, bgcolor=color, border_radius=Radius.S, expand=filled
                        ),
                        ft.Container(height=_BAR_HEIGHT, expand=_STEPS - filled),
                    ],
                    rtl=app.rtl,
                    spacing=0,
                ),
                bgcolor=ft.Colors.SURFACE_CONTAINER_HIGH,
                border_radius=Radius.S,
            ),
        ],
        spacing=Space.XS,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


@remembered
def LineChart(
    app: AppState,
    title: str,
    points: tuple[LinePoint, ...],
    summary: str,
    highest: str,
    begin: str,
    end: str,
) -> ft.Control:
    """A line over time on a scale that begins at zero; time runs in the direction of the language.

    `summary` says in words what the line shows; `highest` stands at the top of the scale, `begin` and `end`
    below it.
    """
    width, set_width = ft.use_state(float(_FIRST_WIDTH))

    def resized(event: cv.CanvasResizeEvent) -> None:
        set_width(event.width)

    quiet = ft.Colors.ON_SURFACE_VARIANT
    canvas = cv.Canvas(
        _shapes(points, width, mirrored=app.rtl),
        height=_LINE_HEIGHT,
        on_resize=resized,
    )
    return ft.Column(
        [
            _title(app, title, summary),
            ft.Row([ft.Text(highest, theme_style=ft.TextThemeStyle.LABEL_SMALL, color=quiet)], rtl=app.rtl),
            marked(canvas, identifier="line-chart", label=summary, image=True),
            ft.Row(
                [
                    ft.Text(begin, theme_style=ft.TextThemeStyle.LABEL_SMALL, color=quiet, expand=True),
                    ft.Text(end, theme_style=ft.TextThemeStyle.LABEL_SMALL, color=quiet),
                ],
                rtl=app.rtl,
            ),
        ],
        spacing=Space.XS,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _shapes(points: Sequence[LinePoint], width: float, *, mirrored: bool) -> list[cv.Shape]:
    grid = ft.Paint(color=ft.Colors.OUTLINE_VARIANT, stroke_width=1)
    lines: list[cv.Shape] = [
        cv.Line(0, height, width, height, paint=grid) for height in (1, _LINE_HEIGHT / 2, _LINE_HEIGHT - 1)
    ]
    places = place(points, width, _LINE_HEIGHT, mirrored=mirrored)
    if not places:
        return lines
    line = ft.Paint(
        color=ft.Colors.PRIMARY,
        stroke_width=2.5,
        style=ft.PaintingStyle.STROKE,
        stroke_join=ft.StrokeJoin.ROUND,
        stroke_cap=ft.StrokeCap.ROUND,
    )
    if len(places) == 1:
        return [*lines, cv.Circle(*places[0], 3, paint=ft.Paint(color=ft.Colors.PRIMARY))]
    steps: list[cv.Path.PathElement] = [cv.Path.MoveTo(*places[0])]
    steps += [cv.Path.LineTo(*there) for there in places[1:]]
    return [*lines, cv.Path(steps, paint=line)]


def place(
    points: Sequence[LinePoint], width: float, height: float, *, mirrored: bool
) -> list[tuple[float, float]]:
    """Where points lie on a canvas whose zero is at the bottom of the starting side."""
    last = max((point.at for point in points), default=0.0) or 1.0
    highest = max((point.value for point in points), default=0.0) or 1.0
    found = []
    for point in points:
        across = width * point.at / last
        found.append((width - across if mirrored else across, height - height * point.value / highest))
    return found
