"""Where questions are written."""

from __future__ import annotations

import flet as ft

from app.core.any_model import AnyModel
from app.core.direction import is_right_to_left
from app.core.model_options import AnswerOptions
from app.core.provenance import PrivacyLevel
from app.core.servers import ServerModel
from app.ui.components.attachments import WaitingFiles
from app.ui.components.controls import Handler, focus_at_first, icon_button, in_reading_width, marked
from app.ui.components.level_choice import level_button
from app.ui.components.setting_rows import notice
from app.ui.state.app import AppState
from app.ui.state.chat_state import ChatState
from app.ui.state.dialogs import ConversationOptions, SourceChoice
from app.ui.theme import TOUCH, Layout, Radius, Space

NO_OPTIONS = AnswerOptions()


@ft.component
def Composer(app: AppState, chat: ChatState, model: AnyModel | None) -> ft.Control:
    """The field, the documents to ask, and the button that sends or stops."""
    text, set_text = ft.use_state(app.chat.draft)
    strings = app.strings

    def changed(event: ft.Event[ft.TextField]) -> None:
        app.chat.draft = event.control.value  # what the field holds now; `text` may be one event old
        set_text(app.chat.draft)

    async def send() -> None:
        nobody = app.models.state.known and app.models.state.answering is None
        if nobody and chat.level is PrivacyLevel.DEVICE:
            app.notify(strings("first.send"))  # the question stays, until there is somebody to ask
            return
        if not app.attaching.state.ready:
            app.notify(strings("attachment.not_ready"))
            return
        question, app.chat.draft = app.chat.draft, ""
        files = app.attaching.take()
        set_text("")
        if not await app.chat.send(question, files):
            app.chat.draft = question
            app.attaching.give_back(files)
            set_text(question)

    field = ft.TextField(
        value=text,
        hint_text=strings("chat.message"),
        on_change=changed,
        on_submit=send,
        shift_enter=True,
        autofocus=app.shows_list and not chat.searches,  # a phone's keyboard would cover the screen
        multiline=True,
        min_lines=1,
        max_lines=7,
        rtl=is_right_to_left(text) if text.strip() else app.rtl,
        border=ft.NoInputBorder(),
        content_padding=ft.Padding.only(left=Space.L, right=Space.L, top=Space.M, bottom=0),
    )
    focus_at_first(field)
    # What does not fit beside the button of a narrow phone can be scrolled to.
    chips = ft.Row(
        [_attach(app), level_button(app, chat), _sources(app, chat), _options(app, chat)],
        scroll=ft.ScrollMode.HIDDEN,
        spacing=Space.XS,
        expand=True,
        rtl=app.rtl,
    )
    row = [
        chips,
        _button(app, chat, bool(text.strip()), send),
    ]
    box = ft.Container(
        ft.Column(
            [
                WaitingFiles(app, app.attaching.state),
                marked(field, identifier="composer", label=strings("chat.message")),
                ft.Container(
                    ft.Row(row[::-1] if app.rtl else row, vertical_alignment=ft.CrossAxisAlignment.CENTER),
                    padding=ft.Padding.only(left=Space.S, right=Space.S, bottom=Space.S),
                ),
            ],
            spacing=0,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        bgcolor=ft.Colors.SURFACE_CONTAINER_LOWEST,
        border=ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
        border_radius=Radius.FULL,
        shadow=ft.BoxShadow(
            blur_radius=18, offset=ft.Offset(0, 4), color=ft.Colors.with_opacity(0.06, ft.Colors.SHADOW)
        ),
    )
    return in_reading_width(
        ft.Column(
            [*_gone(app, chat), box, _privacy(app, chat, model)],
            spacing=Space.S,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        )
    )


def _gone(app: AppState, chat: ChatState) -> list[ft.Control]:
    """What was chosen is not asked any more, which nobody should find out from the answers."""
    if not chat.documents_gone:
        return []
    text = app.strings("chat.documents_gone", count=chat.documents_gone)
    icon = ft.Icons.INFO_OUTLINE
    return [notice(app, icon, text, ft.Colors.ON_SURFACE_VARIANT, identifier="documents-gone")]


def _attach(app: AppState) -> ft.Control:
    async def choose() -> None:
        await app.attaching.choose()

    return icon_button(ft.Icons.ATTACH_FILE, app.strings("attachment.add"), choose, identifier="attach-file")


def _button(app: AppState, chat: ChatState, ready: bool, send: Handler) -> ft.Control:
    if chat.answering:
        button = ft.IconButton(
            ft.Icons.STOP_ROUNDED,
            tooltip=app.strings("chat.stop"),
            on_click=app.chat.stop,
            icon_color=ft.Colors.ON_SURFACE,
            style=ft.ButtonStyle(bgcolor=ft.Colors.SURFACE_CONTAINER_HIGHEST),
            size_constraints=ft.BoxConstraints(min_width=TOUCH, min_height=TOUCH),
        )
        return marked(button, identifier="stop")
    button = ft.IconButton(
        ft.Icons.ARROW_UPWARD_ROUNDED,
        tooltip=app.strings("chat.send"),
        on_click=send,
        disabled=not ready,
        icon_color=ft.Colors.ON_PRIMARY if ready else ft.Colors.OUTLINE,
        style=ft.ButtonStyle(bgcolor=ft.Colors.PRIMARY if ready else ft.Colors.SURFACE_CONTAINER_HIGH),
        size_constraints=ft.BoxConstraints(min_width=TOUCH, min_height=TOUCH),
    )
    return marked(button, identifier="send")


def _sources(app: AppState, chat: ChatState) -> ft.Control:
    known = {collection.id: collection.name for collection in chat.collections}
    chosen = [known[number] for number in chat.collection_ids if number in known]
    documents = [document.title for document in chat.chosen_documents]
    if len(chosen) + len(documents) == 1:
        label = app.strings.isolate((chosen + documents)[0])
    elif documents:
        label = app.strings("knowledge.documents", count=len(documents))
        if chosen:
            collections = app.strings("chat.sources_chosen", count=len(chosen))
            label = app.strings("chat.sources_both", collections=collections, documents=label)
    elif chosen:
        label = app.strings("chat.sources_chosen", count=len(chosen))
    else:
        label = app.strings("chat.sources_none")
    chosen += documents
    color = ft.Colors.ON_SECONDARY_CONTAINER if chosen else ft.Colors.ON_SURFACE_VARIANT
    shown: list[ft.Control] = [ft.Icon(ft.Icons.MENU_BOOK_OUTLINED, size=18, color=color)]
    if chosen or app.layout is not Layout.PHONE:
        name = ft.Text(
            label,
            theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
            color=color,
            max_lines=1,
            overflow=ft.TextOverflow.ELLIPSIS,
        )
        shown.append(name)
    return marked(
        ft.Container(
            ft.Row(
                shown,
                spacing=Space.S,
                tight=True,
                rtl=app.rtl,
            ),
            height=TOUCH,
            ink=True,
            tooltip=app.strings("chat.sources"),
            on_click=lambda: app.dialogs.show(SourceChoice()),
            bgcolor=ft.Colors.SECONDARY_CONTAINER if chosen else None,
            border_radius=Radius.L,
            padding=ft.Padding.symmetric(horizontal=Space.M),
        ),
        identifier="sources",
        button=True,
        label=label,
    )


def _options(app: AppState, chat: ChatState) -> ft.Control:
    """Opens the options of this conversation; tinted where it has any of its own."""
    own = chat.options != NO_OPTIONS
    return marked(
        ft.IconButton(
            ft.Icons.TUNE,
            tooltip=app.strings("option.conversation_title"),
            on_click=lambda: app.dialogs.show(ConversationOptions()),
            icon_size=20,
            icon_color=ft.Colors.ON_SECONDARY_CONTAINER if own else ft.Colors.ON_SURFACE_VARIANT,
            style=ft.ButtonStyle(bgcolor=ft.Colors.SECONDARY_CONTAINER) if own else None,
            size_constraints=ft.BoxConstraints(min_width=TOUCH, min_height=TOUCH),
        ),
        identifier="conversation-options-button",
        selected=own,
    )


def _privacy(app: AppState, chat: ChatState, model: AnyModel | None) -> ft.Control:
    """Whether what is written here stays on this device, and where it goes if not."""
    strings = app.strings
    icon, color, text = ft.Icons.LOCK_OUTLINE, ft.Colors.ON_SURFACE_VARIANT, strings("chat.private")
    if chat.level is not PrivacyLevel.DEVICE:
        icon, text = ft.Icons.OUTBOUND_OUTLINED, strings(f"level.{chat.level}_leaves")
        color = ft.Colors.ERROR if chat.level is PrivacyLevel.PUBLIC else ft.Colors.PRIMARY
    elif isinstance(model, ServerModel) and not model.local:
        icon, color = ft.Icons.OUTBOUND_OUTLINED, ft.Colors.PRIMARY
        text = strings("chat.leaves", host=model.host)
        if not model.encrypted:
            icon, color = ft.Icons.LOCK_OPEN, ft.Colors.ERROR
            text = strings("chat.leaves_open", host=model.host)
    return ft.Row(
        [
            ft.Icon(icon, size=14, color=color),
            marked(
                ft.Text(text, theme_style=ft.TextThemeStyle.LABEL_SMALL, color=color), identifier="privacy"
            ),
        ],
        alignment=ft.MainAxisAlignment.CENTER,
        spacing=Space.XS,
        rtl=app.rtl,
    )
