"""Whether a model fits into this device's memory, as a badge."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import badge
from app.ui.state.app import AppState
from engines.memory import MemoryFit

FIT_COLORS = {
    MemoryFit.FITS: (ft.Colors.PRIMARY_CONTAINER, ft.Colors.ON_PRIMARY_CONTAINER),
    MemoryFit.TIGHT: (ft.Colors.TERTIARY_CONTAINER, ft.Colors.ON_TERTIARY_CONTAINER),
    MemoryFit.TOO_LARGE: (ft.Colors.ERROR_CONTAINER, ft.Colors.ON_ERROR_CONTAINER),
}


def fit_badge(app: AppState, fit: MemoryFit) -> ft.Control:
    """Fits, tight or too large."""
    return badge(app.strings(f"model.fit.{fit}"), *FIT_COLORS[fit])


def plain_badge(text: str) -> ft.Control:
    """A fact."""
    return badge(text, ft.Colors.SURFACE_CONTAINER_HIGH, ft.Colors.ON_SURFACE_VARIANT)


def best_badge(app: AppState) -> ft.Control:
    """The one to take."""
    return badge(app.strings("store.best"), ft.Colors.PRIMARY, ft.Colors.ON_PRIMARY)
