"""What keys do, for those who have a keyboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import flet as ft

from app.ui.state.app import AppState

_SAME_KEY = {"د": "N", "خ": "O", "ن": "K", "و": ","}
"""Keys of the Persian layout, and what the Latin one has in their place."""
_APPLE = (ft.PagePlatform.MACOS, ft.PagePlatform.IOS)


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Keys that do something wherever one is, unless a dialog is open."""

    label: str
    """Key of what it does, in the catalogue."""
    key: str
    act: Callable[[AppState], None]
    shift: bool = False
    command: bool = True
    """Together with Ctrl, or ⌘ on a Mac."""


def _new(app: AppState) -> None:
    app.chat.new()
    app.go("/")


def _search(app: AppState) -> None:
    app.go("/" if app.shows_list else "/conversations")
    app.chat.begin_search()


SHORTCUTS = (
    Shortcut("chat.new", "O", _new, shift=True),
    Shortcut("chat.new", "N", _new),  # a browser keeps this one for itself
    Shortcut("chat.search", "K", _search),
    Shortcut("nav.settings", ",", lambda app: app.go("/settings")),
    Shortcut("chat.stop", "Escape", lambda app: app.chat.stop(), command=False),
)


def pressed(app: AppState, event: ft.KeyboardEvent) -> None:
    """Do what the keys that were pressed stand for."""
    if app.dialogs.current is not None:
        return
    command = event.meta if app.page.platform in _APPLE else event.ctrl
    key = _SAME_KEY.get(event.key, event.key.upper() if len(event.key) == 1 else event.key)
    for shortcut in SHORTCUTS:
        keys = (shortcut.key, shortcut.shift, shortcut.command)
        if (key, event.shift, command) == keys and not event.alt:
            shortcut.act(app)
            return


def shown(app: AppState) -> list[tuple[str, str]]:
    """What can be done here with which keys, for people; of two that do the same, the one that works."""
    command, shift = ("⌘", "⇧") if app.page.platform in _APPLE else ("Ctrl+", "Shift+")
    escape = {"Escape": "Esc"}
    lines = {
        shortcut.label: (command if shortcut.command else "")
        + (shift if shortcut.shift else "")
        + escape.get(shortcut.key, shortcut.key)
        for shortcut in SHORTCUTS
        if not (app.page.web and shortcut.key == "N")
    }
    return [("chat.send", "Enter"), ("shortcut.new_line", f"{shift}Enter"), *lines.items()]
