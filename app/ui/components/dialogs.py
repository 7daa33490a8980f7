"""The open dialog: a sheet from below on phones, a box in the middle elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import flet as ft

from app.core.set_aside import SetAside
from app.ui.components.collection_look import CollectionColorBody
from app.ui.components.collection_sharing import CollectionSharingBody
from app.ui.components.confirmation import ConfirmationBody
from app.ui.components.controls import icon_button, marked
from app.ui.components.conversation_options import ConversationOptionsBody
from app.ui.components.departure_preview import DeparturePreviewBody
from app.ui.components.device_codes import CodeEntryBody, OwnCodeBody
from app.ui.components.device_view import DeviceBody
from app.ui.components.group_dialogs import GroupCodeBody, GroupStartBody
from app.ui.components.level_choice import LevelChoiceBody
from app.ui.components.move_document import MoveDocumentBody
from app.ui.components.name_prompt import NamePromptBody
from app.ui.components.page_prompt import PagePromptBody
from app.ui.components.passage_view import PassageBody
from app.ui.components.router_form import RouterForm
from app.ui.components.source_choice import SourceChoiceBody
from app.ui.components.token_form import TokenForm
from app.ui.state.app import AppState
from app.ui.state.dialogs import (
    CodeEntry,
    CollectionLook,
    CollectionSharing,
    Confirmation,
    ConversationOptions,
    DeparturePreview,
    DeviceView,
    DialogState,
    GroupCode,
    GroupStart,
    LevelChoice,
    MoveDocument,
    NamePrompt,
    OwnCode,
    PagePrompt,
    PassageView,
    RouterEntry,
    SetAsideNotice,
    SourceChoice,
    TokenEntry,
)
from app.ui.theme import DIALOG_WIDTH, LIST_WIDTH, READING_WIDTH, Layout, Radius, Space


@ft.component
def Dialogs(app: AppState, dialogs: DialogState) -> ft.Control:
    """Shows the dialog that the state describes; occupies no room itself."""
    ft.use_dialog(_dialog(app, dialogs))
    return ft.Container(width=0, height=0)


def _dialog(app: AppState, dialogs: DialogState) -> ft.DialogControl | None:
    shown = dialogs.current

    def dismissed() -> None:
        if dialogs.current is shown:  # the word of a dialog that is closing comes after the next has opened
            dialogs.close()

    strings = app.strings
    match dialogs.current:
        case None:
            return None
        case Confirmation() as confirmation:
            return _box(app, confirmation.title, ConfirmationBody(app, confirmation), dismissed)
        case NamePrompt() as prompt:
            return _box(app, prompt.title, NamePromptBody(app, prompt), dismissed)
        case PagePrompt():
            return _box(app, strings("page.title"), PagePromptBody(app), dismissed)
        case PassageView(citation, givers):
            title = strings("citation.title")
            return _sheet(app, title, PassageBody(app, citation, givers), dismissed)
        case SourceChoice():
            return _sheet(app, strings("chat.sources"), SourceChoiceBody(app, app.chat.state), dismissed)
        case LevelChoice():
            return _sheet(app, strings("level.title"), LevelChoiceBody(app, app.chat.state), dismissed)
        case DeparturePreview() as preview:

            def refused() -> None:
                preview.decide(None)
                dismissed()

            shown_as = _sheet if app.layout is Layout.PHONE else _box  # a box has its own way to say no
            return shown_as(app, strings("departure.title"), DeparturePreviewBody(app, preview), refused)
        case MoveDocument(document):
            # A box on phones, too: a name is asked for in its place, and a sheet would stay behind that.
            body = MoveDocumentBody(app, document, app.knowledge.state)
            return _box(app, strings("knowledge.move_title"), body, dismissed)
        case CollectionSharing(number):
            body = CollectionSharingBody(app, number, app.knowledge.state)
            return _sheet(app, strings("sharing.title"), body, dismissed)
        case CollectionLook(number):
            body = CollectionColorBody(app, number, app.knowledge.state)
            return _sheet(app, strings("color.title"), body, dismissed)
        case TokenEntry() as entry:
            return _box(app, strings("token.title"), TokenForm(app, entry, app.token.state), dismissed)
        case ConversationOptions():
            body = ConversationOptionsBody(app, app.chat.state, app.options.state)
            return _sheet(app, strings("option.conversation_title"), body, dismissed)
        case RouterEntry(address):
            return _box(app, strings("network.router_add"), RouterForm(app, address), dismissed)
        case GroupStart(kind):
            return _box(app, strings(f"network.start_{kind}"), GroupStartBody(app, kind), dismissed)
        case GroupCode(group):
            return _box(app, strings("network.code_title"), GroupCodeBody(app, group), dismissed, closes=True)
        case OwnCode():
            return _box(app, strings("network.own_code"), OwnCodeBody(app), dismissed, closes=True)
        case DeviceView(node):
            body = DeviceBody(app, node, app.network.state)
            return _box(app, strings("network.device"), body, dismissed, closes=True)
        case CodeEntry():
            return _box(app, strings("network.verify_code"), CodeEntryBody(app), dismissed)
        case SetAsideNotice(found):
            return _box(app, strings("set_aside.title"), _set_aside(app, found), dismissed, closes=True)


def _set_aside(app: AppState, found: Sequence[SetAside]) -> ft.Control:
    sentences: list[ft.Control] = [ft.Text(one.told(app.strings)) for one in found]
    column = ft.Column(sentences, spacing=Space.M, tight=True, rtl=app.rtl)
    return marked(column, identifier="set-aside", container=True)


def _title(app: AppState, title: str) -> ft.Control:
    return ft.Row([ft.Text(title, theme_style=ft.TextThemeStyle.TITLE_LARGE, expand=True)], rtl=app.rtl)


def _box(
    app: AppState, title: str, body: ft.Control, dismissed: Callable[[], None], *, closes: bool = False
) -> ft.AlertDialog:
    """With `closes`, it has a button for that; else its body has one.

    Whatever leads to another dialog is a box on phones, too: a sheet would stay behind that.
    """
    return ft.AlertDialog(
        title=_title(app, title),
        content=ft.Container(body, width=DIALOG_WIDTH),
        on_dismiss=dismissed,
        scrollable=True,
        inset_padding=Space.XL,
        actions=[_close(app)] if closes else [],
        actions_alignment=ft.MainAxisAlignment.END,
    )


def _sheet(app: AppState, title: str, body: ft.Control, dismissed: Callable[[], None]) -> ft.DialogControl:
    if app.layout is not Layout.PHONE:
        return ft.AlertDialog(
            title=_title(app, title),
            content=ft.Container(body, width=READING_WIDTH - LIST_WIDTH // 2),
            on_dismiss=dismissed,
            scrollable=True,
            inset_padding=Space.XL,
            actions=[_close(app)],
            actions_alignment=ft.MainAxisAlignment.END,
        )
    return ft.BottomSheet(
        ft.Container(
            ft.Column(
                [
                    ft.Row(
                        [
                            ft.Container(_title(app, title), expand=True),
                            icon_button(
                                ft.Icons.CLOSE,
                                app.strings("action.close"),
                                app.dialogs.close,
                                identifier="dialog-close",
                            ),
                        ],
                        rtl=app.rtl,
                    ),
                    body,
                ],
                tight=True,
                spacing=Space.M,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            ),
            padding=ft.Padding.only(left=Space.XL, right=Space.XL, bottom=Space.XL),
        ),
        on_dismiss=dismissed,
        show_drag_handle=True,
        scrollable=True,
        draggable=True,
        use_safe_area=True,
        shape=ft.RoundedRectangleBorder(radius=ft.BorderRadius.only(top_left=Radius.L, top_right=Radius.L)),
    )


def _close(app: AppState) -> ft.Control:
    return marked(
        ft.TextButton(app.strings("action.close"), on_click=app.dialogs.close), identifier="dialog-close"
    )
