"""Collections, their documents, and a search in them."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import SearchField, empty_state, icon_button, in_reading_width, marked, menu
from app.ui.components.document_row import DocumentRow, FetchRow, UploadRow
from app.ui.components.header import header
from app.ui.components.search_results import search_results
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation, NamePrompt, PagePrompt
from app.ui.state.knowledge import KnowledgeState
from app.ui.theme import READING_WIDTH, TOUCH, Radius, Space
from rag.model import Collection


@ft.component
def KnowledgeScreen(app: AppState, knowledge: KnowledgeState) -> ft.Control:
    """The documents of one collection; chips on top change to another."""
    strings = app.strings
    new = icon_button(
        ft.Icons.CREATE_NEW_FOLDER_OUTLINED,
        strings("knowledge.new_collection"),
        lambda: _ask_name(app, None),
        identifier="new-collection",
    )
    filled = knowledge.documents or knowledge.uploads or knowledge.fetches
    actions = [_page_button(app), _add_button(app)] if filled else []
    if knowledge.open is None:
        actions.append(new)
    controls: list[ft.Control] = [header(app, strings("nav.knowledge"), actions=actions, width=READING_WIDTH)]
    if knowledge.open is None:
        if knowledge.loaded:
            controls.append(_nothing_yet(app, "knowledge.empty_title", "knowledge.empty_text"))
    else:
        controls += [_collections(app, knowledge, new), _toolbar(app, knowledge, knowledge.open)]
        controls.append(_documents(app, knowledge))
    return ft.Column(controls, expand=True, spacing=0, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _documents(app: AppState, knowledge: KnowledgeState) -> ft.Control:
    if knowledge.query and (knowledge.result is not None or knowledge.searching):
        rows = search_results(app, knowledge)
    else:
        rows = [
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
    return ft.ListView(
        [in_reading_width(row) for row in rows],
        expand=True,
        spacing=Space.S,
        padding=ft.Padding.only(top=Space.S, bottom=Space.XL),
    )


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


def _collections(app: AppState, knowledge: KnowledgeState, new: ft.Control) -> ft.Control:
    chips = ft.Row(
        [_chip(app, each, each == knowledge.open) for each in knowledge.collections],
        scroll=ft.ScrollMode.HIDDEN,
        spacing=Space.S,
        expand=True,
        rtl=app.rtl,
    )
    return in_reading_width(ft.Row([chips, new], rtl=app.rtl, spacing=Space.S))


def _chip(app: AppState, collection: Collection, is_open: bool) -> ft.Control:
    async def show() -> None:
        await app.knowledge.open(collection.id)

    color = ft.Colors.ON_SECONDARY_CONTAINER if is_open else ft.Colors.ON_SURFACE_VARIANT
    return marked(
        ft.Container(
            ft.Row(
                [
                    ft.Text(
                        app.strings.isolate(collection.name),
                        theme_style=ft.TextThemeStyle.LABEL_LARGE,
                        color=color,
                    ),
                    ft.Text(
                        app.strings.number(collection.documents),
                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                        color=color,
                    ),
                ],
                spacing=Space.S,
                tight=True,
            ),
            height=TOUCH * max(1.0, app.scale),
            ink=True,
            on_click=show,
            bgcolor=ft.Colors.SECONDARY_CONTAINER if is_open else ft.Colors.SURFACE_CONTAINER_LOW,
            border_radius=Radius.L,
            padding=ft.Padding.symmetric(horizontal=Space.L),
        ),
        identifier=f"collection-{collection.id}",
        button=True,
        selected=is_open,
    )


def _toolbar(app: AppState, knowledge: KnowledgeState, collection: Collection) -> ft.Control:
    strings = app.strings

    return in_reading_width(
        ft.Container(
            ft.Row(
                [
                    ft.Container(
                        SearchField(
                            app,
                            strings("knowledge.search"),
                            app.knowledge.search,
                            identifier="search-documents",
                            text=knowledge.query,
                            key=str(collection.id),
                        ),
                        expand=True,
                    ),
                    menu(
                        app,
                        strings("action.more"),
                        [
                            (
                                ft.Icons.EDIT_OUTLINED,
                                strings("action.rename"),
                                lambda: _ask_name(app, collection),
                            ),
                            (
                                ft.Icons.DELETE_OUTLINE,
                                strings("action.delete"),
                                lambda: _ask_delete(app, collection),
                            ),
                        ],
                        identifier="collection-menu",
                    ),
                ],
                rtl=app.rtl,
                spacing=Space.S,
            ),
            padding=ft.Padding.symmetric(vertical=Space.M),
        )
    )


def _ask_name(app: AppState, collection: Collection | None) -> None:
    strings = app.strings
    label = strings("knowledge.collection_name")
    if collection is None:
        app.dialogs.show(
            NamePrompt(
                strings("knowledge.new_collection"), label, strings("action.create"), app.knowledge.create
            )
        )
        return

    async def save(name: str) -> str | None:
        return await app.knowledge.rename(collection.id, name)

    title = strings("knowledge.rename_collection")
    app.dialogs.show(NamePrompt(title, label, strings("action.save"), save, collection.name))


def _ask_delete(app: AppState, collection: Collection) -> None:
    async def delete() -> None:
        await app.knowledge.delete(collection.id)

    strings = app.strings
    app.dialogs.show(
        Confirmation(
            strings("knowledge.delete_collection"),
            strings("knowledge.delete_collection_text", name=collection.name, count=collection.documents),
            strings("action.delete"),
            delete,
        )
    )
