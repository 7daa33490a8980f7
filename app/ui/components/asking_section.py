"""How other devices are asked, unless a conversation has it otherwise."""

from __future__ import annotations

import flet as ft

from app.ui.components.asking_wishes import JOININGS
from app.ui.components.setting_rows import choice, section
from app.ui.state.app import AppState

_ANSWERS = (1, 2, 3, 5)
_PATIENCE = (15, 45, 120, 300)


def asking_section(app: AppState) -> ft.Control:
    """How many answer, what becomes of their answers, and how long they may take."""
    strings, settings = app.strings, app.settings

    async def set_answers(count: str) -> None:
        await app.change_settings(network_answers=int(count))

    async def set_joining(joining: str) -> None:
        await app.change_settings(network_joining=joining)

    async def set_patience(seconds: str) -> None:
        await app.change_settings(network_patience_seconds=int(seconds))

    def numbers(usual: tuple[int, ...], chosen: int) -> dict[str, str]:
        return {str(number): strings.number(number) for number in sorted({*usual, chosen})}

    joinings: dict[str, str] = {one: strings(f"level.joining.{one}") for one in JOININGS}
    return section(
        app,
        strings("network.asking"),
        [
            choice(
                app,
                "asking-answers",
                strings("network.asking_answers"),
                numbers(_ANSWERS, settings.network_answers),
                str(settings.network_answers),
                set_answers,
                strings("network.asking_answers_hint"),
            ),
            choice(
                app,
                "asking-joining",
                strings("network.asking_joining"),
                joinings,
                settings.network_joining,
                set_joining,
                strings("network.asking_joining_hint"),
            ),
            choice(
                app,
                "asking-patience",
                strings("network.asking_patience"),
                numbers(_PATIENCE, settings.network_patience_seconds),
                str(settings.network_patience_seconds),
                set_patience,
                strings("network.asking_patience_hint"),
            ),
        ],
    )
