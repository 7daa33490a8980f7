"""Which collections, and which of their documents, a conversation asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import flet as ft

from app.ui.components.collection_look import collection_dot
from app.ui.components.controls import icon_button, marked
from app.ui.state.app import AppState
from app.ui.state.chat_state import ChatState
from app.ui.theme import TOUCH, Radius, Space
from rag.model import Collection, Document


@ft.component
def SourceChoiceBody(app: AppState, chat: ChatState) -> ft.Control:
    """One line a collection; a tap chooses or leaves it out. Opened, one line a document."""
    strings = app.strings
    if not chat.collections:

        def go() -> None:
            app.dialogs.close()
            app.go("/knowledge")

        return ft.Column(
            [
                ft.Text(strings("chat.sources_empty"), rtl=app.rtl),
                ft.Row(
                    [
                        marked(
                            ft.FilledButton(strings("chat.open_documents"), on_click=go),
                            identifier="open-documents",
                        )
                    ],
                    rtl=app.rtl,
                ),
            ],
            spacing=Space.L,
            tight=True,
        )
    return ft.Column(
        [
            ft.Text(strings("chat.sources_hint"), rtl=app.rtl, color=ft.Colors.ON_SURFACE_VARIANT),
            *(row for collection in chat.collections for row in _lines(app, chat, collection)),
        ],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _lines(app: AppState, chat: ChatState, collection: Collection) -> list[ft.Control]:
    documents = chat.opened_sources.get(collection.id)
    lines = [_collection(app, chat, collection, is_open=documents is not None)]
    if documents is not None:
        lines += [_document(app, chat, document) for document in documents]
    return lines


def _collection(app: AppState, chat: ChatState, collection: Collection, *, is_open: bool) -> ft.Control:
    strings = app.strings
    whole = collection.id in chat.collection_ids
    some = sum(document.collection_id == collection.id for document in chat.chosen_documents)
    chosen = whole or some > 0
    count = strings("knowledge.documents", count=collection.documents)
    if some:
        count = strings("chat.sources_some", chosen=some, count=collection.documents)

    async def toggle() -> None:
        await app.chat.sources.toggle_collection(collection)

    async def toggle_open() -> None:
        await app.chat.sources.toggle_open(collection)

    icon = ft.Icons.CHECK_CIRCLE if whole else ft.Icons.RADIO_BUTTON_UNCHECKED
    line = marked(
        _box(
            app,
            [
                _sign(ft.Icons.REMOVE_CIRCLE if some else icon, chosen=chosen),
                ft.Column(
                    [
                        ft.Text(strings.isolate(collection.name), theme_style=ft.TextThemeStyle.TITLE_SMALL),
                        ft.Text(
                            count,
                            theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                            color=ft.Colors.ON_SURFACE_VARIANT,
                        ),
                    ],
                    spacing=0,
                    tight=True,
                    expand=True,
                ),
                collection_dot(app, collection),
            ],
            toggle,
            chosen=chosen,
        ),
        identifier=f"source-{collection.id}",
        button=True,
        checked=chosen,
        expand=True,
    )
    opener = icon_button(
        ft.Icons.EXPAND_LESS if is_open else ft.Icons.EXPAND_MORE,
        strings("chat.sources_close" if is_open else "chat.sources_open", name=collection.name),
        toggle_open,
        identifier=f"open-source-{collection.id}",
    )
    # An empty collection has nothing to open; its line ends where the others end.
    beside = opener if collection.documents else ft.Container(width=TOUCH)
    return ft.Row([line, beside], rtl=app.rtl, spacing=Space.S)


def _document(app: AppState, chat: ChatState, document: Document) -> ft.Control:
    whole = document.collection_id in chat.collection_ids
    chosen = whole or any(other.id == document.id for other in chat.chosen_documents)

    async def toggle() -> None:
        await app.chat.sources.toggle_document(document)

    title = ft.Text(
        app.strings.isolate(document.title),
        theme_style=ft.TextThemeStyle.BODY_MEDIUM,
        max_lines=2,
        overflow=ft.TextOverflow.ELLIPSIS,
        expand=True,
    )
    line = marked(
        _box(app, [_sign(_box_icon(chosen=chosen), chosen=chosen), title], toggle, chosen=chosen),
        identifier=f"source-document-{document.id}",
        button=True,
        checked=chosen,
    )
    indent = {"right" if app.rtl else "left": Space.XL}
    return ft.Container(line, padding=ft.Padding.only(**indent))


def _box_icon(*, chosen: bool) -> ft.IconData:
    return ft.Icons.CHECK_BOX if chosen else ft.Icons.CHECK_BOX_OUTLINE_BLANK


def _sign(icon: ft.IconData, *, chosen: bool) -> ft.Control:
    return ft.Icon(icon, color=ft.Colors.PRIMARY if chosen else ft.Colors.OUTLINE)


def _box(
    app: AppState, controls: list[ft.Control], toggle: Callable[[], Awaitable[None]], *, chosen: bool
) -> ft.Control:
    return ft.Container(
        ft.Row(controls, rtl=app.rtl, spacing=Space.M),
        ink=True,
        on_click=toggle,
        bgcolor=ft.Colors.SECONDARY_CONTAINER if chosen else ft.Colors.SURFACE_CONTAINER_LOW,
        border_radius=Radius.M,
        padding=Space.M,
    )
