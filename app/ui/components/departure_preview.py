"""What is about to leave this device, word for word, before it does."""

from __future__ import annotations

import flet as ft

from app.core.departed_amounts import amounts
from app.core.network.departure import Departure
from app.core.provenance import PrivacyLevel
from app.ui.components.controls import marked, text_field
from app.ui.components.said_words import said_words
from app.ui.components.setting_rows import notice
from app.ui.state.app import AppState
from app.ui.state.dialogs import Consent, DeparturePreview
from app.ui.theme import Radius, Space

TALLEST = 320
"""Logical pixels of the text before it scrolls."""


@ft.component
def DeparturePreviewBody(app: AppState, preview: DeparturePreview) -> ft.Control:
    """Every turn as it is sent, what can be hidden in it, and the two ways on."""
    hides, set_hides = ft.use_state(preview.departure.level is PrivacyLevel.PUBLIC)
    names, set_names = ft.use_state("")
    not_yet = False
    remember, set_remember = ft.use_state(not_yet)
    strings = app.strings
    departure = preview.departure.redacted(_words_of(names), numbers=hides)
    public = departure.level is PrivacyLevel.PUBLIC
    # Without a look, nobody would hide anything the next time.
    may_remember = not (public or hides or _words_of(names))

    def send() -> None:
        preview.decide(Consent(departure.approve(), remember and may_remember))

    controls: list[ft.Control] = [
        ft.Text(strings(f"departure.{departure.level}_text"), rtl=app.rtl),
        _words(app, departure),
        ft.Row(
            [
                marked(
                    ft.Text(
                        amounts(strings, departure.departed),
                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                        color=ft.Colors.ON_SURFACE_VARIANT,
                        expand=True,
                    ),
                    identifier="departure-amounts",
                    expand=True,
                )
            ],
            rtl=app.rtl,
        ),
        ft.Row(
            [
                ft.Text(strings("departure.hide"), expand=True),
                marked(
                    ft.Switch(value=hides, on_change=lambda event: set_hides(event.control.value)),
                    identifier="departure-hide",
                    label=strings("departure.hide"),
                ),
            ],
            rtl=app.rtl,
        ),
        marked(
            text_field(app, strings("departure.names"), names, lambda event: set_names(event.control.value)),
            identifier="departure-names",
        ),
    ]
    if public:
        controls.insert(
            1,
            notice(
                app,
                ft.Icons.PUBLIC,
                strings("departure.public_notice"),
                ft.Colors.ERROR,
                identifier="departure-public",
            ),
        )
    else:
        controls.append(
            ft.Row(
                [
                    ft.Text(strings("departure.remember"), expand=True),
                    marked(
                        ft.Checkbox(
                            value=remember and may_remember,
                            disabled=not may_remember,
                            on_change=lambda event: set_remember(bool(event.control.value)),
                        ),
                        identifier="departure-remember",
                        label=strings("departure.remember"),
                    ),
                ],
                rtl=app.rtl,
            )
        )
    buttons: list[ft.Control] = [
        marked(
            ft.TextButton(strings("action.cancel"), on_click=lambda: preview.decide(None)),
            identifier="departure-cancel",
        ),
        marked(
            ft.FilledButton(
                strings("departure.send"),
                icon=ft.Icons.ARROW_UPWARD_ROUNDED,
                on_click=send,
                style=ft.ButtonStyle(bgcolor=ft.Colors.ERROR, color=ft.Colors.ON_ERROR) if public else None,
            ),
            identifier="departure-send",
        ),
    ]
    controls.append(ft.Row(buttons, rtl=app.rtl, alignment=ft.MainAxisAlignment.END, spacing=Space.S))
    return ft.Column(
        controls, spacing=Space.M, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH
    )


def _words_of(names: str) -> list[str]:
    words = [word.strip() for part in names.split(",") for word in part.split("،")]
    return [word for word in words if word]


def _words(app: AppState, departure: Departure) -> ft.Control:
    turns = ft.Column(
        [
            said_words(
                app,
                app.strings(f"departure.role.{turn.role}"),
                turn.text,
                ft.TextThemeStyle.LABEL_SMALL,
            )
            for turn in departure.turns
        ],
        spacing=Space.M,
        scroll=ft.ScrollMode.AUTO,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
    long = sum(len(turn.text) for turn in departure.turns) > 600
    return marked(
        ft.Container(
            turns,
            height=TALLEST if long else None,
            bgcolor=ft.Colors.SURFACE_CONTAINER_LOW,
            border=ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
            border_radius=Radius.M,
            padding=Space.M,
        ),
        identifier="departure-words",
        container=True,
    )
