"""Smaller copies of a model: how small, how good, and making one."""

from __future__ import annotations

import flet as ft

from app.core.format_advice import FormatAdvice
from app.core.trade_off_store import TradeOffTable
from app.ui.components.controls import badge, icon_button, marked, remembered
from app.ui.components.fit import fit_badge
from app.ui.components.setting_rows import label_of, section
from app.ui.components.trade_off_table import trade_off_table
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation
from app.ui.theme import Space
from engines.library import InstalledModel

_ORIGINAL = frozenset({"F32", "F16", "BF16"})


@remembered
def CompressionSection(
    app: AppState,
    model: InstalledModel,
    advice: list[FormatAdvice] | None,
    table: TradeOffTable | None,
    looking: bool,
    busy: bool,
) -> ft.Control:
    """The formats with their predicted sizes, and below what was measured of them."""
    strings = app.strings
    rows: list[ft.Control] = [_text(app, strings("compress.text"))]
    if model.quantisation not in _ORIGINAL:
        rows.append(_text(app, strings("compress.again")))
    rows += _formats(app, model, advice, looking, busy)
    rows += [ft.Divider(), *_measured(app, model, table, busy)]
    return marked(
        section(app, strings("compress.title"), rows), identifier="compression-section", container=True
    )


def _formats(
    app: AppState, model: InstalledModel, advice: list[FormatAdvice] | None, looking: bool, busy: bool
) -> list[ft.Control]:
    strings = app.strings

    async def look_up() -> None:
        await app.compression.look_up(model)

    if looking:
        return [ft.Row([ft.ProgressRing(width=20, height=20, stroke_width=2)], rtl=app.rtl)]
    if advice is None:
        button = ft.OutlinedButton(strings("compress.look_up"), icon=ft.Icons.COMPRESS, on_click=look_up)
        return [ft.Row([marked(button, "look-up-sizes")], rtl=app.rtl)]
    if not advice:
        return [_text(app, strings("compress.nothing_smaller"))]
    hint = (
        [] if any(one.recommended for one in advice) else [_text(app, strings("compress.none_recommended"))]
    )
    return [*hint, *(_format(app, model, one, busy) for one in advice)]


def _format(app: AppState, model: InstalledModel, advice: FormatAdvice, busy: bool) -> ft.Control:
    strings = app.strings
    badges = [fit_badge(app, advice.fit)]
    if advice.recommended:
        badges.insert(0, badge(strings("compress.recommended"), ft.Colors.PRIMARY, ft.Colors.ON_PRIMARY))
    facts = strings(
        "compress.format_facts",
        size=strings.size(advice.bytes),
        share=strings("job.percent", percent=round(100 * advice.bytes / model.bytes)),
        memory=strings.size(advice.needed_bytes),
    )
    lines = ft.Column(
        [
            ft.Row(
                [ft.Text(strings.isolate(advice.format), theme_style=ft.TextThemeStyle.TITLE_SMALL), *badges],
                wrap=True,
                spacing=Space.S,
                run_spacing=Space.XS,
            ),
            ft.Text(facts, theme_style=ft.TextThemeStyle.LABEL_MEDIUM),
            ft.Text(
                strings(f"compress.quality.{advice.quality}"),
                theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                color=ft.Colors.ON_SURFACE_VARIANT,
            ),
        ],
        spacing=Space.XS,
        tight=True,
        expand=True,
        rtl=app.rtl,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
    make = icon_button(
        ft.Icons.COMPRESS,
        strings("compress.make", format=advice.format),
        lambda: _ask_to_make(app, model, advice),
        identifier=f"compress-{advice.format}",
        disabled=busy,
    )
    return marked(
        ft.Row([lines, make], rtl=app.rtl, spacing=Space.S),
        identifier=f"format-{advice.format}",
        container=True,
    )


def _ask_to_make(app: AppState, model: InstalledModel, advice: FormatAdvice) -> None:
    strings = app.strings

    async def make() -> None:
        await app.jobs.compress(model, advice.format)

    app.dialogs.show(
        Confirmation(
            strings("compress.make", format=advice.format),
            strings("compress.make_text", name=model.name, size=strings.size(advice.bytes)),
            strings("compress.make_action"),
            make,
            destructive=False,
        )
    )


def _measured(
    app: AppState, model: InstalledModel, table: TradeOffTable | None, busy: bool
) -> list[ft.Control]:
    strings = app.strings

    async def measure() -> None:
        await app.jobs.measure_trade_offs(model)

    button = ft.OutlinedButton(
        strings("compress.measure_again" if table else "compress.measure"),
        icon=ft.Icons.SPEED,
        on_click=measure,
        disabled=busy,
    )
    return [
        ft.Row(
            [
                ft.Container(
                    label_of(app, strings("compress.cost_title"), strings("compress.cost_text")), expand=True
                )
            ],
            rtl=app.rtl,
        ),
        *([] if table is None else trade_off_table(app, table)),
        ft.Row([marked(button, "measure-trade-offs")], rtl=app.rtl),
    ]


def _text(app: AppState, text: str) -> ft.Control:
    return ft.Row([ft.Text(text, color=ft.Colors.ON_SURFACE_VARIANT, expand=True)], rtl=app.rtl)
