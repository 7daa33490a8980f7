"""The open conversation, and on a wide window the list of conversations beside it."""

from __future__ import annotations

import flet as ft

from app.core.provenance import PrivacyLevel
from app.ui.components.composer import Composer
from app.ui.components.controls import icon_button, one_line
from app.ui.components.conversation_list import ConversationList, conversation_menu
from app.ui.components.first_model import FirstModel
from app.ui.components.header import header
from app.ui.components.message_list import MessageList
from app.ui.components.page import page
from app.ui.components.welcome import Welcome
from app.ui.state.app import AppState
from app.ui.state.chat_state import ChatState
from app.ui.state.models import ModelsState
from app.ui.theme import LIST_WIDTH, Layout, Space


@ft.component
def ChatScreen(app: AppState) -> ft.Control:
    """One pane, or two from 1000 pixels on."""
    pane = ConversationPane(app, app.chat.state, app.models.state)
    if app.layout is not Layout.DESKTOP:
        return pane
    panes = [
        ft.Container(ListPane(app), width=LIST_WIDTH, bgcolor=ft.Colors.SURFACE_CONTAINER_LOW),
        ft.VerticalDivider(width=1, color=ft.Colors.OUTLINE_VARIANT),
        ft.Container(pane, expand=True),
    ]
    return ft.Row(
        panes[::-1] if app.rtl else panes,
        expand=True,
        spacing=0,
        vertical_alignment=ft.CrossAxisAlignment.STRETCH,
    )


@ft.component
def ListPane(app: AppState) -> ft.Control:
    """The list of conversations as a pane or a screen of its own."""
    strings = app.strings

    def back() -> None:
        app.go("/")

    leading = None
    if app.layout is not Layout.DESKTOP:
        leading = icon_button(ft.Icons.ARROW_BACK, strings("action.close"), back, identifier="back")
    return ft.Column(
        [
            header(
                app,
                strings("chat.conversations"),
                leading=leading,
                actions=[new_button(app)],
            ),
            ConversationList(app, app.chat.state),
        ],
        expand=True,
        spacing=0,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


@ft.component
def ConversationPane(app: AppState, chat: ChatState, models: ModelsState) -> ft.Control:
    """Header, messages, composer."""
    no_model = models.known and models.answering is None and chat.level is PrivacyLevel.DEVICE
    if not chat.messages and no_model:
        body: ft.Control = FirstModel(app, models, app.store.state)
    elif not chat.messages:
        body = Welcome(app, models.answering, chat.level)
    else:
        body = MessageList(app, chat)
    composer = ft.Container(
        Composer(app, chat, models.answering),
        padding=ft.Padding.only(bottom=Space.S),
        key=f"composer-{chat.drafts}",
    )
    controls = [_header(app, chat, models), body, composer]
    return page(*controls)


def new_button(app: AppState) -> ft.Control:
    """Begins a new conversation."""

    def new() -> None:
        app.chat.new()
        app.go("/")

    return icon_button(
        ft.Icons.ADD_COMMENT_OUTLINED, app.strings("chat.new"), new, identifier="new-conversation"
    )


def _header(app: AppState, chat: ChatState, models: ModelsState) -> ft.Control:
    strings = app.strings
    leading = None
    actions: list[ft.Control] = []
    if app.layout is not Layout.DESKTOP:
        leading = icon_button(
            ft.Icons.MENU,
            strings("chat.conversations"),
            lambda: app.go("/conversations"),
            identifier="conversations",
        )
        actions.append(new_button(app))
    if chat.open is not None:
        actions.append(conversation_menu(app, chat.open, is_open=True))
    title = (chat.open.title if chat.open else "") or strings("chat.untitled")
    subtitle = None
    if models.answering is not None:
        subtitle = one_line(
            app,
            models.answering.name,
            theme_style=ft.TextThemeStyle.LABEL_SMALL,
            color=ft.Colors.ON_SURFACE_VARIANT,
        )
    return header(app, title, subtitle=subtitle, leading=leading, actions=actions)
