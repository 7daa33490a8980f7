"""Collections, their documents, and a search in them."""

from __future__ import annotations

import flet as ft

from app.ui.components.collection_bar import collection_bar, import_button, new_collection_button
from app.ui.components.controls import empty_state, icon_button, in_reading_width, marked
from app.ui.components.document_row import DocumentRow, FetchRow, ReembeddingRow, UploadRow
from app.ui.components.header import header
from app.ui.components.page import page, reading_list
from app.ui.components.search_results import search_results, searched_document
from app.ui.components.transfer_row import TransferRow
from app.ui.components.watched_row import WatchedRow
from app.ui.state.app import AppState
from app.ui.state.dialogs import PagePrompt
from app.ui.state.knowledge import KnowledgeState
from app.ui.theme import READING_WIDTH, Space


@ft.component
def KnowledgeScreen(app: AppState, knowledge: KnowledgeState) -> ft.Control:
    """The documents of one collection; chips on top change to another."""
    strings = app.strings
    filled = knowledge.documents or knowledge.uploads or knowledge.fetches
    actions = [_page_button(app), _add_button(app)] if filled else []
    if knowledge.open is None:
        actions += [import_button(app), new_collection_button(app)]
    controls: list[ft.Control] = [
        header(app, strings("nav.knowledge"), actions=actions, width=READING_WIDTH),
        in_reading_width(TransferRow(app, app.collection_files.state)),
    ]
    if knowledge.open is None:
        if knowledge.loaded:
            controls.append(_nothing_yet(app, "knowledge.empty_title", "knowledge.empty_text"))
    else:
        controls += [*collection_bar(app, knowledge, knowledge.open), _documents(app, knowledge)]
    return page(*controls)


def _documents(app: AppState, knowledge: KnowledgeState) -> ft.Control:
    if knowledge.query and (knowledge.result is not None or knowledge.searching):
        rows = search_results(app, knowledge)
    else:
        rows = [
            *(WatchedRow(app, folder, key=f"folder-{folder.id}") for folder in knowledge.folders),
            *([ReembeddingRow(app, *knowledge.reembedding)] if knowledge.reembedding else []),
            *(UploadRow(app, name, share, key=f"upload-{name}") for name, share in knowledge.uploads.items()),
            *(
                FetchRow(app, address, received, key=f"fetch-{address}")
                for address, received in knowledge.fetches.items()
            ),
            *(
                DocumentRow(app, document, knowledge.progress.get(document.id), key=str(document.id))
                for document in knowledge.documents
            ),
        ]
    if not rows:
        return _nothing_yet(app, "knowledge.empty_collection", "knowledge.empty_collection_text")
    if knowledge.only:
        rows = [searched_document(app, knowledge.only), *rows]
    return reading_list(rows, spacing=Space.S)


def _nothing_yet(app: AppState, title: str, text: str) -> ft.Control:
    return ft.Container(
        empty_state(
            app,
            ft.Icons.MENU_BOOK_OUTLINED,
            app.strings(title),
            app.strings(text),
            [_add_button(app), _add_page_button(app)],
        ),
        alignment=ft.Alignment.CENTER,
        expand=True,
    )


def _add_button(app: AppState) -> ft.Control:
    async def add() -> None:
        await app.knowledge.add_files(app.strings("knowledge.first_name"))

    return marked(
        ft.FilledButton(app.strings("knowledge.add"), icon=ft.Icons.ADD, on_click=add),
        identifier="add-files",
    )


def _page_button(app: AppState) -> ft.Control:
    return icon_button(
        ft.Icons.ADD_LINK,
        app.strings("page.title"),
        lambda: app.dialogs.show(PagePrompt()),
        identifier="add-page",
    )


def _add_page_button(app: AppState) -> ft.Control:
    return marked(
        ft.TextButton(
            app.strings("page.title"),
            icon=ft.Icons.ADD_LINK,
            on_click=lambda: app.dialogs.show(PagePrompt()),
        ),
        identifier="add-page",
    )
