"""How the app looks: colours, type, spacing, radii. No other module names a colour or a size of its own."""

from __future__ import annotations

from enum import StrEnum

import flet as ft

from rag.model import CollectionColor

FONTS = {
    "Vazirmatn": "fonts/Vazirmatn-Regular.ttf",
    "Vazirmatn Medium": "fonts/Vazirmatn-Medium.ttf",
    "JetBrains Mono": "fonts/JetBrainsMono-Regular.ttf",
    "Noto Emoji": "fonts/NotoEmoji-Regular.ttf",
    "DejaVu Sans": "fonts/DejaVuSans.ttf",
}
"""Every font is bundled: nothing is fetched, and every script of the app has its letters."""

FALLBACK = ["Vazirmatn", "DejaVu Sans", "Noto Emoji"]

READING_WIDTH = 760
"""Longer lines are hard to read."""
LIST_WIDTH = 320
FORM_WIDTH = 720
DIALOG_WIDTH = 440
TOUCH = 48
"""Smallest target for a finger."""


class Space:
    """Distances, in logical pixels."""

    XS = 4
    S = 8
    M = 12
    L = 16
    XL = 24
    XXL = 40


class Radius:
    """Corners, in logical pixels."""

    S = 8
    M = 14
    L = 20
    FULL = 28


class Layout(StrEnum):
    """What fits beside each other."""

    PHONE = "phone"
    """A bar below, one pane."""
    TABLET = "tablet"
    """A rail at the side, one pane."""
    DESKTOP = "desktop"
    """A rail at the side, list and conversation beside each other."""


def layout_for(width: float) -> Layout:
    """The layout for a window of this width."""
    if width < 600:
        return Layout.PHONE
    return Layout.TABLET if width < 1000 else Layout.DESKTOP


LIGHT = ft.ColorScheme(
    primary="#0B6B66",
    on_primary="#FFFFFF",
    primary_container="#D3EBE6",
    on_primary_container="#06302D",
    secondary="#4A625F",
    on_secondary="#FFFFFF",
    secondary_container="#DCEAE6",
    on_secondary_container="#0F2B28",
    tertiary="#8A5A00",
    on_tertiary="#FFFFFF",
    tertiary_container="#FBE7C3",
    on_tertiary_container="#3A2500",
    error="#B3261E",
    on_error="#FFFFFF",
    error_container="#FBE4E1",
    on_error_container="#5C120D",
    surface="#FBFAF7",
    on_surface="#1B1D1C",
    on_surface_variant="#4B514E",
    surface_container_lowest="#FFFFFF",
    surface_container_low="#F6F5F0",
    surface_container="#F1F0EA",
    surface_container_high="#EBEAE3",
    surface_container_highest="#E5E4DC",
    surface_tint="#FBFAF7",
    outline="#757B78",
    outline_variant="#DCDBD3",
    inverse_surface="#2E3130",
    on_inverse_surface="#F1F1ED",
    inverse_primary="#7FD6CB",
    shadow="#000000",
    scrim="#000000",
)

DARK = ft.ColorScheme(
    primary="#7FD6CB",
    on_primary="#003733",
    primary_container="#17453F",
    on_primary_container="#CDF3EC",
    secondary="#B1CCC7",
    on_secondary="#1C3532",
    secondary_container="#29403C",
    on_secondary_container="#D3E9E4",
    tertiary="#F0BF70",
    on_tertiary="#452B00",
    tertiary_container="#4D3810",
    on_tertiary_container="#FFDFAE",
    error="#F2B8B5",
    on_error="#601410",
    error_container="#4A1C19",
    on_error_container="#F9DEDC",
    surface="#111413",
    on_surface="#E4E6E3",
    on_surface_variant="#BCC2BE",
    surface_container_lowest="#171B1A",
    surface_container_low="#161918",
    surface_container="#1C201F",
    surface_container_high="#242827",
    surface_container_highest="#2F3432",
    surface_tint="#111413",
    outline="#8A918D",
    outline_variant="#363C3A",
    inverse_surface="#E4E6E3",
    on_inverse_surface="#2B2F2D",
    inverse_primary="#0B6B66",
    shadow="#000000",
    scrim="#000000",
)
_COLLECTION_COLORS = {
    CollectionColor.TEAL: ("#0B6B66", "#7FD6CB"),
    CollectionColor.BLUE: ("#1B5FA8", "#90C2F5"),
    CollectionColor.VIOLET: ("#6A4CB3", "#C4B1F2"),
    CollectionColor.ROSE: ("#A83A78", "#F0A8CF"),
    CollectionColor.RED: ("#B3261E", "#F2A39D"),
    CollectionColor.ORANGE: ("#9A5B00", "#F0BF70"),
    CollectionColor.GREEN: ("#2F6F3E", "#A5D6A7"),
    CollectionColor.GREY: ("#5F6663", "#B4BAB7"),
}
"""On light and on dark ground; each can be told from every surface by at least 4.5 to 1."""


def collection_color(color: CollectionColor, *, dark: bool) -> str:
    """How the colour of a collection looks."""
    return _COLLECTION_COLORS[color][dark]


_SIZES: dict[str, float] = {
    "display_large": 44,
    "display_medium": 38,
    "display_small": 32,
    "headline_large": 28,
    "headline_medium": 24,
    "headline_small": 21,
    "title_large": 19,
    "title_medium": 16,
    "title_small": 14.5,
    "body_large": 16,
    "body_medium": 15,
    "body_small": 13,
    "label_large": 14,
    "label_medium": 12.5,
    "label_small": 11.5,
}


def text_style(role: str, scale: float, color: str | None = None) -> ft.TextStyle:
    """The style of a text role, such as "body_medium"."""
    strong = role.startswith(("title", "headline", "display", "label_large"))
    return ft.TextStyle(
        font_family="Vazirmatn Medium" if strong else "Vazirmatn",
        font_family_fallback=FALLBACK,
        size=_SIZES[role] * scale,
        height=1.6 if role.startswith("body") else 1.4,
        weight=ft.FontWeight.W_500 if strong else ft.FontWeight.W_400,
        letter_spacing=0,
        color=color,
    )


def code_style(scale: float) -> ft.TextStyle:
    """The style of code."""
    return ft.TextStyle(
        font_family="JetBrains Mono",
        font_family_fallback=FALLBACK,
        size=13 * scale,
        height=1.55,
        color=ft.Colors.ON_SURFACE,
    )


def make_theme(colors: ft.ColorScheme, scale: float) -> ft.Theme:
    """The Material theme for a set of colours and a text size."""
    rounded = ft.RoundedRectangleBorder(radius=Radius.L)
    button = ft.ButtonStyle(
        text_style=text_style("label_large", scale),
        padding=ft.Padding.symmetric(horizontal=Space.L, vertical=Space.M),
        shape=ft.RoundedRectangleBorder(radius=Radius.M),
    )
    return ft.Theme(
        color_scheme_seed=colors.primary,
        color_scheme=colors,
        font_family="Vazirmatn",
        text_theme=ft.TextTheme(**{role: text_style(role, scale, colors.on_surface) for role in _SIZES}),
        divider_color=colors.outline_variant,
        filled_button_theme=ft.FilledButtonTheme(style=button),
        outlined_button_theme=ft.OutlinedButtonTheme(style=button),
        text_button_theme=ft.TextButtonTheme(style=button),
        dialog_theme=ft.DialogTheme(bgcolor=colors.surface_container_lowest, shape=rounded, elevation=3),
        bottom_sheet_theme=ft.BottomSheetTheme(bgcolor=colors.surface_container_lowest, elevation=3),
        snackbar_theme=ft.SnackBarTheme(
            behavior=ft.SnackBarBehavior.FLOATING, shape=ft.RoundedRectangleBorder(radius=Radius.M)
        ),
        navigation_bar_theme=ft.NavigationBarTheme(
            bgcolor=colors.surface_container_low,
            elevation=0,
            height=68,
            label_text_style=text_style("label_medium", 1, colors.on_surface_variant),
        ),
        navigation_rail_theme=ft.NavigationRailTheme(bgcolor=colors.surface_container_low),
        appbar_theme=ft.AppBarTheme(bgcolor=colors.surface, elevation=0),
        divider_theme=ft.DividerTheme(color=colors.outline_variant, thickness=1, space=1),
        scrollbar_theme=ft.ScrollbarTheme(thickness=6, radius=3),
    )


_INK = {
    "keyword": ("#8A3FA0", "#D3A4EA"),
    "string": ("#2F6F3E", "#A5D6A7"),
    "comment": ("#6F7672", "#8F9893"),
    "number": ("#9A5B00", "#F0BF70"),
    "title": ("#1B5FA8", "#90C2F5"),
    "built_in": ("#0B6B66", "#7FD6CB"),
    "literal": ("#9A5B00", "#F0BF70"),
    "type": ("#0B6B66", "#7FD6CB"),
    "attr": ("#1B5FA8", "#90C2F5"),
    "meta": ("#6F7672", "#8F9893"),
    "params": ("#1B1D1C", "#E4E6E3"),
}
"""Colours of code on light and on dark ground; each has a contrast of at least 4.5 to 1."""


def code_theme(*, dark: bool) -> ft.MarkdownCustomCodeTheme:
    """How code is highlighted; the block it stands in gives the ground."""
    styles = {kind: ft.TextStyle(color=pair[dark]) for kind, pair in _INK.items()}
    root = ft.TextStyle(color=_INK["params"][dark], bgcolor=ft.Colors.SURFACE_CONTAINER)
    return ft.MarkdownCustomCodeTheme(root=root, **styles)


def field_border() -> dict[ft.ControlState, ft.InputBorder]:
    """The outline of a text field: quiet until it is used."""
    quiet = ft.OutlineInputBorder(
        border_radius=Radius.M, side=ft.BorderSide(width=1, color=ft.Colors.OUTLINE_VARIANT)
    )
    used = ft.OutlineInputBorder(
        border_radius=Radius.M, side=ft.BorderSide(width=1.5, color=ft.Colors.PRIMARY)
    )
    return {ft.ControlState.DEFAULT: quiet, ft.ControlState.FOCUSED: used}
