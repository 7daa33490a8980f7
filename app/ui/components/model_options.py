"""The section of a model's page in which it is tuned."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from app.ui.components.controls import card, marked, remembered
from app.ui.components.fit import fit_badge
from app.ui.components.model_adapters import AdaptersCard
from app.ui.components.option_row import OptionRow
from app.ui.components.setting_rows import section
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation
from app.ui.state.options import ModelTuning, OptionsState, Tunable
from app.ui.theme import Space
from engines.library import InstalledModel

BASICS = ("temperature", "context_tokens", "max_answer_tokens", "thinking", "system_prompt")
GROUPS = {
    "words": ("top_k", "top_p", "min_p", "seed"),
    "repeating": (
        "repeat_penalty",
        "presence_penalty",
        "frequency_penalty",
        "repeat_last_n",
        "dry_multiplier",
        "dry_base",
        "dry_allowed_length",
    ),
    "ending": ("stop",),
    "machine": (
        "kv_cache_type",
        "flash_attention",
        "threads",
        "gpu_layers",
        "batch_tokens",
        "use_mmap",
        "use_mlock",
    ),
}
"""The options for those who know what they do, by what they are about."""


@remembered
def ModelOptionsSection(app: AppState, model: InstalledModel) -> ft.Control:
    """All options of an installed model, and its adapters."""
    return OptionCards(app, model, app.options.state)


@ft.component
def OptionCards(app: AppState, model: InstalledModel, state: OptionsState) -> ft.Control:
    """The cards, as soon as the options are looked up."""

    async def look_up() -> None:
        await app.options.show_model(model)

    ft.use_effect(look_up, dependencies=[model.id, app.settings])
    tuning = state.model
    if tuning is None or tuning.model.id != model.id:
        return card(ft.Row([ft.ProgressRing()], alignment=ft.MainAxisAlignment.CENTER))
    tunable = tuning.tunable
    rows: list[ft.Control] = [
        *([_reset(app, model)] if tunable.has_own else []),
        *_rows(app, tunable, BASICS[:2]),
        _memory(app, tuning),
        *_rows(app, tunable, BASICS[2:]),
        Advanced(app, tunable, tuple(GROUPS), key="advanced"),
    ]
    return ft.Column(
        [
            marked(section(app, app.strings("option.title"), rows), "model-options", container=True),
            AdaptersCard(app, tuning, state.adding),
        ],
        spacing=Space.M,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


@remembered
def Advanced(app: AppState, tunable: Tunable, groups: Sequence[str]) -> ft.Control:
    """The groups of options that hardly anybody needs, folded away until they are wanted."""
    is_open, set_open = ft.use_state(initial=False)
    strings = app.strings
    button = marked(
        ft.TextButton(
            strings("option.advanced"),
            icon=ft.Icons.EXPAND_LESS if is_open else ft.Icons.EXPAND_MORE,
            on_click=lambda: set_open(not is_open),
        ),
        identifier="advanced",
        expanded=is_open,
    )
    shown: list[ft.Control] = []
    for group in groups if is_open else ():
        shown.append(
            ft.Row(
                [
                    ft.Text(
                        strings(f"option.group.{group}"),
                        theme_style=ft.TextThemeStyle.LABEL_LARGE,
                        color=ft.Colors.PRIMARY,
                    )
                ],
                rtl=app.rtl,
            )
        )
        shown += _rows(app, tunable, GROUPS[group])
    return ft.Column(
        [ft.Row([button], rtl=app.rtl), *shown],
        spacing=Space.XL,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _rows(app: AppState, tunable: Tunable, names: Sequence[str]) -> list[ft.Control]:
    return [OptionRow(app, tunable, name, key=name) for name in names if tunable.offers(name)]


def _memory(app: AppState, tuning: ModelTuning) -> ft.Control:
    """What the model needs like this, and whether it will be loaded again."""
    strings = app.strings
    lines: list[ft.Control] = [
        ft.Row(
            [
                ft.Text(strings("option.memory", size=strings.size(tuning.memory_bytes))),
                fit_badge(app, tuning.fit),
            ],
            wrap=True,
            spacing=Space.S,
            rtl=app.rtl,
        )
    ]
    if tuning.loads_again:
        lines.append(
            marked(
                ft.Row(
                    [
                        ft.Icon(ft.Icons.REFRESH, size=18, color=ft.Colors.PRIMARY),
                        ft.Text(strings("option.loads_again"), color=ft.Colors.PRIMARY, expand=True),
                    ],
                    rtl=app.rtl,
                    spacing=Space.S,
                ),
                identifier="loads-again",
                live_region=True,
            )
        )
    return marked(
        ft.Column(lines, spacing=Space.S, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH),
        identifier="memory-needed",
        container=True,
    )


def _reset(app: AppState, model: InstalledModel) -> ft.Control:
    strings = app.strings

    async def reset() -> None:
        await app.options.reset_model(model)

    def ask() -> None:
        app.dialogs.show(
            Confirmation(
                strings("option.reset_all"),
                strings("option.reset_all_text", name=model.name),
                strings("option.reset"),
                reset,
            )
        )

    return ft.Row(
        [
            marked(
                ft.OutlinedButton(strings("option.reset_all"), icon=ft.Icons.UNDO, on_click=ask),
                identifier="reset-all",
            )
        ],
        rtl=app.rtl,
    )
