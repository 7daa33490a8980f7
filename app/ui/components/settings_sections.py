"""Sections of the settings: answers, models, documents."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import Handler
from app.ui.components.models_folder_row import ModelsFolderRow
from app.ui.components.setting_rows import choice, section, switch
from app.ui.components.text_setting import TextSetting
from app.ui.state.app import AppState
from engines.embedders.opening import EmbedderChoice

CONTEXT_WINDOWS = (2048, 4096, 8192, 16384, 32768)
ANSWER_LENGTHS = (256, 512, 1024, 2048, 4096)
IDLE_MINUTES = (0, 5, 10, 30, 60)
PASSAGES = (3, 6, 9, 12)


def answering_section(app: AppState) -> ft.Control:
    """How questions are answered, unless a model or a conversation has options of its own."""
    strings, settings = app.strings, app.settings

    async def set_context(tokens: str) -> None:
        await app.change_settings(context_tokens=int(tokens))

    async def set_length(tokens: str) -> None:
        await app.change_settings(max_answer_tokens=int(tokens))

    async def set_thinking(event: ft.Event[ft.Switch]) -> None:
        await app.change_settings(thinking=event.control.value)

    return section(
        app,
        strings("settings.answering"),
        [
            _numbers(
                app,
                "context",
                CONTEXT_WINDOWS,
                settings.context_tokens,
                set_context,
                strings("settings.context"),
                strings("settings.context_hint"),
            ),
            _numbers(
                app,
                "length",
                ANSWER_LENGTHS,
                settings.max_answer_tokens,
                set_length,
                strings("settings.length"),
                strings("settings.length_hint"),
            ),
            switch(
                app,
                "thinking",
                strings("settings.thinking"),
                strings("settings.thinking_hint"),
                settings.thinking,
                set_thinking,
            ),
            TextSetting(
                app,
                "system_prompt",
                strings("settings.system_prompt"),
                strings("settings.system_prompt_hint"),
                settings.system_prompt,
                "",
                str.strip,
                strings("settings.system_prompt_wrong"),
                prose=True,
            ),
        ],
    )


def models_section(app: AppState) -> ft.Control:
    """When models leave the memory, and where their files lie."""
    strings, settings = app.strings, app.settings

    async def set_idle(minutes: str) -> None:
        await app.change_settings(unload_after_minutes=int(minutes))

    chosen = settings.unload_after_minutes
    options = {
        str(minutes): strings("settings.minutes", count=minutes) if minutes else strings("settings.never")
        for minutes in sorted({*IDLE_MINUTES, chosen}, key=lambda minutes: minutes or 10**6)
    }
    return section(
        app,
        strings("nav.models"),
        [
            choice(
                app,
                "idle",
                strings("settings.idle"),
                options,
                str(chosen),
                set_idle,
                hint=strings("settings.idle_hint"),
            ),
            ModelsFolderRow(app, app.models_folder.state),
        ],
    )


@ft.component
def DocumentsSection(app: AppState) -> ft.Control:
    """How much of the documents goes into a question, and what reads them."""
    strings, settings = app.strings, app.settings
    none: tuple[EmbedderChoice, ...] = ()
    embedders, set_embedders = ft.use_state(none)

    async def look() -> None:
        set_embedders(await app.embedders())

    ft.use_effect(look, dependencies=[settings.models_folder])

    async def set_passages(count: str) -> None:
        await app.change_settings(passages=int(count))

    async def set_embedder(name: str) -> None:
        await app.change_settings(embedder=name)

    names = {"auto": strings("settings.embedder.auto")}
    names |= {one.name: strings.isolate(one.model) for one in embedders}
    names.setdefault(settings.embedder, settings.embedder)  # chosen, but not installed any more
    return section(
        app,
        strings("nav.knowledge"),
        [
            _numbers(
                app,
                "passages",
                PASSAGES,
                settings.passages,
                set_passages,
                strings("settings.passages"),
                strings("settings.passages_hint"),
            ),
            choice(
                app,
                "embedder",
                strings("settings.embedder"),
                names,
                settings.embedder,
                set_embedder,
                hint=strings("settings.embedder_hint"),
            ),
        ],
    )


def _numbers(
    app: AppState,
    name: str,
    usual: tuple[int, ...],
    chosen: int,
    set_number: Handler,
    label: str,
    hint: str,
) -> ft.Control:
    options = {str(number): app.strings.number(number) for number in sorted({*usual, chosen})}
    return choice(app, name, label, options, str(chosen), set_number, hint=hint)
