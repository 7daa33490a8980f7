"""What the app is, what it keeps to itself, and what it is made of."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable

import flet as ft

from app import __version__
from app.core.strings import Strings
from app.ui.components.controls import card
from app.ui.state.app import AppState
from app.ui.theme import Radius, Space

LIBRARIES = ("flet", "llama-cpp-python", "apsw", "numpy", "pdfminer.six", "beautifulsoup4")
FONT_LICENCES = {
    "Vazirmatn": "SIL OFL 1.1",
    "JetBrains Mono": "SIL OFL 1.1",
    "Noto Emoji": "SIL OFL 1.1",
    "DejaVu Sans": "Bitstream Vera",
}
PRIVACY = (
    (ft.Icons.CLOUD_OFF_OUTLINED, "settings.privacy.network"),
    (ft.Icons.CHAT_BUBBLE_OUTLINE, "settings.privacy.questions"),
    (ft.Icons.MENU_BOOK_OUTLINED, "settings.privacy.documents"),
)


@ft.component
def About(app: AppState) -> ft.Control:
    """Privacy first, then versions and licences."""
    strings = app.strings
    quiet = ft.Colors.ON_SURFACE_VARIANT
    return card(
        ft.Column(
            [
                ft.Row(
                    [
                        ft.Image(src="icon.png", width=48, height=48, border_radius=Radius.M),
                        ft.Column(
                            [
                                ft.Text("DAI", theme_style=ft.TextThemeStyle.TITLE_LARGE),
                                ft.Text(
                                    strings("settings.version", version=__version__),
                                    theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                                    color=quiet,
                                ),
                            ],
                            spacing=0,
                            tight=True,
                        ),
                    ],
                    spacing=Space.L,
                ),
                ft.Text(strings("settings.about_text")),
                _heading(strings("settings.privacy")),
                *(_line(icon, strings(key)) for icon, key in PRIVACY),
                _line(
                    ft.Icons.FOLDER_OUTLINED,
                    strings("settings.privacy.stored_in", folder=str(app.services.paths.data)),
                ),
                _heading(strings("settings.versions")),
                _paragraph(_list(strings, (f"{name} {_version(name)}" for name in LIBRARIES))),
                _heading(strings("settings.fonts")),
                _paragraph(_list(strings, (f"{name}: {licence}" for name, licence in FONT_LICENCES.items()))),
            ],
            spacing=Space.M,
            tight=True,
            rtl=app.rtl,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        )
    )


def _list(strings: Strings, entries: Iterable[str]) -> str:
    """Entries beside each other, none broken at a line end, where right-to-left its parts change places."""
    return " · ".join(strings.isolate(entry.replace(" ", "\u00a0")) for entry in entries)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "–"


def _heading(text: str) -> ft.Control:
    return ft.Container(
        ft.Text(text, theme_style=ft.TextThemeStyle.TITLE_SMALL, color=ft.Colors.PRIMARY),
        padding=ft.Padding.only(top=Space.M),
    )


def _line(icon: ft.IconData, text: str) -> ft.Control:
    return ft.Row(
        [ft.Icon(icon, size=20, color=ft.Colors.ON_SURFACE_VARIANT), ft.Text(text, expand=True)],
        spacing=Space.M,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )


def _paragraph(text: str) -> ft.Control:
    return ft.Text(text, theme_style=ft.TextThemeStyle.BODY_SMALL, color=ft.Colors.ON_SURFACE_VARIANT)
