"""Language, looks, answering, privacy, and what the app is made of."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from app.ui.components.about import About
from app.ui.components.controls import Handler, card, in_reading_width, marked
from app.ui.components.header import header
from app.ui.state.app import AppState
from app.ui.theme import FORM_WIDTH, TOUCH, Radius, Space

LANGUAGES = {"en": "English", "fa": "فارسی"}
"""Each in its own language, so that everyone finds the way back."""
THEMES = ("system", "light", "dark")
CONTEXT_WINDOWS = (2048, 4096, 8192, 16384, 32768)


@ft.component
def SettingsScreen(app: AppState) -> ft.Control:
    """All settings, and the page about the app below them."""
    sections = [_appearance(app), _answering(app), About(app)]
    return ft.Column(
        [
            header(app, app.strings("nav.settings"), width=FORM_WIDTH),
            ft.ListView(
                [in_reading_width(section, FORM_WIDTH) for section in sections],
                expand=True,
                spacing=Space.L,
                padding=ft.Padding.only(top=Space.S, bottom=Space.XXL),
            ),
        ],
        expand=True,
        spacing=0,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
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
        _choice(app, "language", strings("settings.language"), LANGUAGES, settings.language, set_language),
        _choice(
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
            _switch(
                app,
                "persian-digits",
                strings("settings.persian_digits"),
                strings("settings.persian_digits_hint"),
                settings.persian_digits,
                set_digits,
            )
        )
    return _section(app, strings("settings.appearance"), rows)


def _answering(app: AppState) -> ft.Control:
    strings, settings = app.strings, app.settings

    async def set_context(tokens: str) -> None:
        await app.change_settings(context_tokens=int(tokens))

    async def set_thinking(event: ft.Event[ft.Switch]) -> None:
        await app.change_settings(thinking=event.control.value)

    windows = sorted({*CONTEXT_WINDOWS, settings.context_tokens})
    return _section(
        app,
        strings("settings.answering"),
        [
            _choice(
                app,
                "context",
                strings("settings.context"),
                {str(tokens): strings.number(tokens) for tokens in windows},
                str(settings.context_tokens),
                set_context,
                hint=strings("settings.context_hint"),
            ),
            _switch(
                app,
                "thinking",
                strings("settings.thinking"),
                strings("settings.thinking_hint"),
                settings.thinking,
                set_thinking,
            ),
        ],
    )


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
            _label(app, strings("settings.text_size")),
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


def _section(app: AppState, title: str, rows: Sequence[ft.Control]) -> ft.Control:
    return card(
        ft.Column(
            [
                ft.Row(
                    [ft.Text(title, theme_style=ft.TextThemeStyle.TITLE_MEDIUM, color=ft.Colors.PRIMARY)],
                    rtl=app.rtl,
                ),
                *rows,
            ],
            spacing=Space.XL,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        )
    )


def _label(app: AppState, text: str, hint: str = "") -> ft.Control:
    return ft.Column(
        [
            ft.Text(text, theme_style=ft.TextThemeStyle.TITLE_SMALL),
            *(
                [
                    ft.Text(
                        hint,
                        theme_style=ft.TextThemeStyle.BODY_SMALL,
                        color=ft.Colors.ON_SURFACE_VARIANT,
                    )
                ]
                if hint
                else []
            ),
        ],
        spacing=0,
        tight=True,
        rtl=app.rtl,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _choice(
    app: AppState,
    name: str,
    label: str,
    options: dict[str, str],
    chosen: str,
    on_choose: Handler,
    hint: str = "",
) -> ft.Control:
    def pick(value: str) -> Handler:
        async def choose() -> None:
            await on_choose(value)

        return choose

    chips = [
        marked(
            ft.Container(
                ft.Row(
                    [
                        *(
                            [ft.Icon(ft.Icons.CHECK, size=16, color=ft.Colors.ON_SECONDARY_CONTAINER)]
                            if value == chosen
                            else []
                        ),
                        ft.Text(text, theme_style=ft.TextThemeStyle.LABEL_LARGE),
                    ],
                    tight=True,
                    spacing=Space.XS,
                ),
                height=TOUCH * max(1.0, app.scale),
                ink=True,
                on_click=pick(value),
                bgcolor=ft.Colors.SECONDARY_CONTAINER if value == chosen else ft.Colors.SURFACE_CONTAINER_LOW,
                border_radius=Radius.L,
                padding=ft.Padding.symmetric(horizontal=Space.L),
            ),
            identifier=f"{name}-{value}",
            button=True,
            selected=value == chosen,
        )
        for value, text in options.items()
    ]
    return ft.Column(
        [
            _label(app, label, hint),
            ft.Row(chips, wrap=True, spacing=Space.S, run_spacing=Space.S, rtl=app.rtl),
        ],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _switch(app: AppState, name: str, label: str, hint: str, value: bool, on_change: Handler) -> ft.Control:
    return ft.Row(
        [
            ft.Container(_label(app, label, hint), expand=True),
            marked(ft.Switch(value=value, on_change=on_change), identifier=name, label=label, container=True),
        ],
        rtl=app.rtl,
        spacing=Space.L,
    )
