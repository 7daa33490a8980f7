"""Language, looks, answering, privacy, and what the app is made of."""

from __future__ import annotations

import flet as ft

from app.ui.components.about import About
from app.ui.components.controls import marked
from app.ui.components.header import header
from app.ui.components.network_settings import NetworkSettings
from app.ui.components.offline_switch import offline_switch
from app.ui.components.page import page, reading_list
from app.ui.components.setting_rows import choice, label_of, section, switch
from app.ui.components.settings_sections import DocumentsSection, answering_section, models_section
from app.ui.components.token_form import TokenRow
from app.ui.shortcuts import shown
from app.ui.state.app import AppState
from app.ui.theme import FORM_WIDTH, Layout, Space, code_style

LANGUAGES = {"en": "English", "fa": "فارسی"}
"""Each in its own language, so that everyone finds the way back."""
THEMES = ("system", "light", "dark")


@ft.component
def SettingsScreen(app: AppState) -> ft.Control:
    """All settings, and the page about the app below them."""
    sections = [
        _appearance(app),
        answering_section(app),
        models_section(app),
        DocumentsSection(app),
        section(app, app.strings("nav.network"), [offline_switch(app)]),
        _hub(app),
        *([_keyboard(app)] if app.layout is not Layout.PHONE else []),
        About(app),
    ]
    return page(
        header(app, app.strings("nav.settings"), width=FORM_WIDTH),
        reading_list(sections, width=FORM_WIDTH),
    )


def _appearance(app: AppState) -> ft.Control:
    strings, settings = app.strings, app.settings

    async def set_language(language: str) -> None:
        await app.change_settings(language=language)

    async def set_theme(theme: str) -> None:
        await app.change_settings(theme=theme)

    async def set_digits(event: ft.Event[ft.Switch]) -> None:
        await app.change_settings(persian_digits=event.control.value)

    rows = [
        choice(app, "language", strings("settings.language"), LANGUAGES, settings.language, set_language),
        choice(
            app,
            "theme",
            strings("settings.theme"),
            {theme: strings(f"settings.theme.{theme}") for theme in THEMES},
            settings.theme,
            set_theme,
        ),
        TextSize(app),
    ]
    if settings.language == "fa":
        rows.append(
            switch(
                app,
                "persian-digits",
                strings("settings.persian_digits"),
                strings("settings.persian_digits_hint"),
                settings.persian_digits,
                set_digits,
            )
        )
    return section(app, strings("settings.appearance"), rows)


def _hub(app: AppState) -> ft.Control:
    rows = [TokenRow(app, app.token.state), NetworkSettings(app)]
    return section(app, app.strings("settings.hub"), rows)


def _keyboard(app: AppState) -> ft.Control:
    rows: list[ft.Control] = [
        ft.Row(
            [
                ft.Text(app.strings(label), expand=True),
                ft.Text(app.strings.isolate(keys), style=code_style(app.scale)),
            ],
            rtl=app.rtl,
        )
        for label, keys in shown(app)
    ]
    body = marked(ft.Column(rows, spacing=Space.M, tight=True), identifier="shortcuts", container=True)
    return section(app, app.strings("settings.keyboard"), [body])


@ft.component
def TextSize(app: AppState) -> ft.Control:
    """A slider with a sample that grows with it; kept when the slider is let go."""
    scale, set_scale = ft.use_state(app.settings.text_scale)
    strings = app.strings

    def moving(event: ft.Event[ft.Slider]) -> None:
        set_scale(round(event.control.value or 1.0, 2))

    async def keep(event: ft.Event[ft.Slider]) -> None:
        await app.change_settings(text_scale=round(event.control.value or 1.0, 2))

    return ft.Column(
        [
            label_of(app, strings("settings.text_size")),
            ft.Row(
                [
                    ft.Text("A", size=13),
                    marked(
                        ft.Slider(
                            value=scale,
                            min=0.85,
                            max=1.6,
                            divisions=15,
                            on_change=moving,
                            on_change_end=keep,
                            rtl=app.rtl,
                        ),
                        identifier="text-size",
                        label=strings("settings.text_size"),
                        expand=True,
                    ),
                    ft.Text("A", size=24),
                ],
                rtl=app.rtl,
            ),
            ft.Text(strings("settings.text_size_sample"), size=15 * scale, rtl=app.rtl),
        ],
        spacing=Space.XS,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
