"""All conversations, the latest first."""

from __future__ import annotations

import re

import flet as ft

from app.core.messages import Conversation
from app.core.transcript import TranscriptForm
from app.ui.components.controls import SearchField, marked, menu, one_line, remembered
from app.ui.state.app import AppState
from app.ui.state.chat_state import ChatState
from app.ui.state.dialogs import Confirmation, ConversationOptions, NamePrompt
from app.ui.theme import Radius, Space

_MARKS = re.compile(r"`{3,}\w*|[*`~|]+|(?<!\w)_+|_+(?!\w)|(?<!\S)(?:#{1,6}|>|[-+])\s|\$\$?")


@ft.component
def ConversationList(app: AppState, chat: ChatState) -> ft.Control:
    """Search box and conversations."""
    strings = app.strings

    if chat.conversations:
        open_id = chat.open.id if chat.open else None
        body: ft.Control = ft.ListView(
            [
                ConversationItem(app, conversation, conversation.id == open_id, key=str(conversation.id))
                for conversation in chat.conversations
            ],
            expand=True,
            spacing=2,
            padding=ft.Padding.only(left=Space.S, right=Space.S, bottom=Space.L),
        )
    elif not chat.listed:
        body = ft.Container(expand=True)  # for a moment, as the app opens
    else:
        text = strings("chat.no_match", query=chat.query) if chat.query else strings("chat.empty_list")
        body = ft.Container(
            ft.Text(text, text_align=ft.TextAlign.CENTER, color=ft.Colors.ON_SURFACE_VARIANT),
            padding=Space.XL,
            alignment=ft.Alignment.TOP_CENTER,
            expand=True,
        )
    return ft.Column(
        [
            ft.Container(
                SearchField(
                    app,
                    strings("chat.search"),
                    app.chat.search,
                    identifier="search-conversations",
                    text=chat.query,
                    autofocus=chat.searches > 0,
                    key=f"search-{chat.searches}",
                ),
                padding=ft.Padding.only(left=Space.M, right=Space.M, bottom=Space.M),
            ),
            body,
        ],
        expand=True,
        spacing=0,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


@remembered
def ConversationItem(app: AppState, conversation: Conversation, is_open: bool) -> ft.Control:
    """Title, time and the beginning of the last message."""
    strings = app.strings
    title = conversation.title or strings("chat.untitled")

    async def show() -> None:
        await app.chat.open(conversation.id)
        app.go("/")

    quiet = ft.Colors.ON_SURFACE_VARIANT
    name = one_line(app, title, theme_style=ft.TextThemeStyle.TITLE_SMALL, expand=True)
    time = ft.Text(
        strings.time(conversation.updated_at), theme_style=ft.TextThemeStyle.LABEL_SMALL, color=quiet
    )
    preview = one_line(
        app, plain(conversation.preview), theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=quiet
    )
    # Mirrored by order, not by rtl=: below that, an English title would be cut at its beginning.
    first_line: list[ft.Control] = [name, time]
    words = ft.Column(
        [ft.Row(first_line[::-1] if app.rtl else first_line, spacing=Space.S), preview],
        spacing=0,
        tight=True,
        expand=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
    options = conversation_menu(app, conversation, size=20)
    options.rtl = app.rtl
    parts = [words, options]
    return marked(
        ft.Container(
            ft.Row(parts[::-1] if app.rtl else parts, spacing=0),
            ink=True,
            on_click=show,
            bgcolor=ft.Colors.SECONDARY_CONTAINER if is_open else None,
            border_radius=Radius.M,
            padding=ft.Padding.only(
                left=0 if app.rtl else Space.M,
                right=Space.M if app.rtl else 0,
                top=Space.S,
                bottom=Space.S,
            ),
        ),
        identifier=f"conversation-{conversation.id}",
        selected=is_open,
        container=True,
    )


def plain(preview: str) -> str:
    """The beginning of a message without the marks of Markdown."""
    return " ".join(_MARKS.sub(" ", preview).split())


def conversation_menu(
    app: AppState, conversation: Conversation, *, size: float = 22, is_open: bool = False
) -> ft.Control:
    """Rename, keep as a file and delete; the options of the one that is open."""
    strings = app.strings
    title = conversation.title or strings("chat.untitled")

    async def save(new: str) -> str | None:
        return await app.chat.rename(conversation.id, new)

    async def delete() -> None:
        await app.chat.delete(conversation.id)

    def rename() -> None:
        app.dialogs.show(
            NamePrompt(
                strings("chat.rename"),
                strings("chat.title"),
                strings("action.save"),
                save,
                conversation.title,
            )
        )

    def show_options() -> None:
        app.dialogs.show(ConversationOptions())

    async def save_transcript() -> None:
        if await app.chat.save_transcript(conversation.id, TranscriptForm.MARKDOWN, strings):
            app.notify(strings("chat.transcript_saved"))

    def ask_delete() -> None:
        app.dialogs.show(
            Confirmation(
                strings("chat.delete_title"),
                strings("chat.delete_text", title=title),
                strings("action.delete"),
                delete,
            )
        )

    return menu(
        app,
        strings("action.more"),
        [
            *([(ft.Icons.TUNE, strings("option.title"), show_options)] if is_open else []),
            (ft.Icons.EDIT_OUTLINED, strings("action.rename"), rename),
            (ft.Icons.SAVE_ALT, strings("chat.save_transcript"), save_transcript),
            (ft.Icons.DELETE_OUTLINE, strings("action.delete"), ask_delete),
        ],
        identifier=f"conversation-menu-{conversation.id}",
        size=size,
    )
