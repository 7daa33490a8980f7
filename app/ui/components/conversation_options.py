"""How the answers of one conversation are written, where that differs from its model's options."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import marked
from app.ui.components.model_options import BASICS, GROUPS, Advanced
from app.ui.components.option_row import OptionRow
from app.ui.state.app import AppState
from app.ui.state.chat_state import ChatState
from app.ui.state.options import OptionsState
from app.ui.theme import Space


@ft.component
def ConversationOptionsBody(app: AppState, chat: ChatState, options: OptionsState) -> ft.Control:
    """The options that need no loading of the model; they hold for the next answer."""
    strings = app.strings
    number = None if chat.open is None else chat.open.id

    async def look_up() -> None:
        await app.options.show_conversation()

    async def reset() -> None:
        await app.options.reset_conversation()

    ft.use_effect(look_up, dependencies=[number, app.settings])
    tunable = options.conversation
    if tunable is None:
        return ft.Row([ft.ProgressRing()], alignment=ft.MainAxisAlignment.CENTER)
    there = [name for name in BASICS if name != "context_tokens"]
    groups = [group for group in GROUPS if group != "machine"]
    return marked(
        ft.Column(
            [
                ft.Text(strings("option.conversation_text"), rtl=app.rtl, color=ft.Colors.ON_SURFACE_VARIANT),
                *(
                    [
                        ft.Row(
                            [
                                marked(
                                    ft.OutlinedButton(
                                        strings("option.reset_all"), icon=ft.Icons.UNDO, on_click=reset
                                    ),
                                    identifier="reset-all",
                                )
                            ],
                            rtl=app.rtl,
                        )
                    ]
                    if tunable.has_own
                    else []
                ),
                *(OptionRow(app, tunable, name, key=f"{number}-{name}") for name in there),
                Advanced(app, tunable, groups, key=f"{number}-advanced"),
            ],
            spacing=Space.XL,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        identifier="conversation-options",
        container=True,
    )
