"""The collections to choose from, and what can be done with the open one."""

from __future__ import annotations

import flet as ft

from app.ui.components.collection_look import collection_dot
from app.ui.components.collection_sharing import sharing_button
from app.ui.components.controls import SearchField, icon_button, in_reading_width, marked, menu
from app.ui.state.app import AppState
from app.ui.state.dialogs import CollectionLook, CollectionSharing, Confirmation, NamePrompt
from app.ui.state.knowledge import KnowledgeState
from app.ui.theme import TOUCH, Radius, Space
from rag.model import Collection

_NAME_CHARACTERS = 24


def collection_bar(app: AppState, knowledge: KnowledgeState, collection: Collection) -> list[ft.Control]:
    """Chips to change to another collection, the search, and how much the open one holds."""
    return [
        _chips(app, knowledge),
        _toolbar(app, knowledge, collection),
        _amounts(app, collection),
    ]


def new_collection_button(app: AppState) -> ft.Control:
    """Asks for a name, and makes a collection."""
    return icon_button(
        ft.Icons.CREATE_NEW_FOLDER_OUTLINED,
        app.strings("knowledge.new_collection"),
        lambda: _ask_name(app, None),
        identifier="new-collection",
    )


def import_button(app: AppState) -> ft.Control:
    """Takes in a collection from a file."""

    async def take_in() -> None:
        await app.collection_files.import_file()

    return icon_button(
        ft.Icons.UNARCHIVE_OUTLINED,
        app.strings("knowledge.import"),
        take_in,
        identifier="import-collection",
    )


def _amounts(app: AppState, collection: Collection) -> ft.Control:
    strings = app.strings
    parts = [
        strings("knowledge.documents", count=collection.documents),
        strings("knowledge.passages", count=collection.passages),
        strings.size(collection.bytes),
    ]
    text = ft.Text(
        " · ".join(parts), theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=ft.Colors.ON_SURFACE_VARIANT
    )
    amounts = marked(text, identifier="collection-amounts") if collection.documents else ft.Container()
    return in_reading_width(
        ft.Row([ft.Container(amounts, expand=True), sharing_button(app, collection)], rtl=app.rtl)
    )


def _chips(app: AppState, knowledge: KnowledgeState) -> ft.Control:
    chips = ft.Row(
        [_chip(app, each, each == knowledge.open) for each in knowledge.collections],
        scroll=ft.ScrollMode.HIDDEN,
        spacing=Space.S,
        expand=True,
        rtl=app.rtl,
    )
    return in_reading_width(
        ft.Row([chips, import_button(app), new_collection_button(app)], rtl=app.rtl, spacing=0)
    )


def _short(name: str) -> str:
    """As much of a name as leaves room for the next chip on a phone."""
    return name if len(name) <= _NAME_CHARACTERS else name[:_NAME_CHARACTERS].rstrip() + "…"


def _chip(app: AppState, collection: Collection, is_open: bool) -> ft.Control:
    async def show() -> None:
        await app.knowledge.open(collection.id)

    color = ft.Colors.ON_SECONDARY_CONTAINER if is_open else ft.Colors.ON_SURFACE_VARIANT
    return marked(
        ft.Container(
            ft.Row(
                [
                    collection_dot(app, collection),
                    ft.Text(
                        app.strings.isolate(_short(collection.name)),
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
                rtl=app.rtl,
            ),
            height=TOUCH * max(1.0, app.scale),
            ink=True,
            tooltip=None if _short(collection.name) == collection.name else collection.name,
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

    async def watch() -> None:
        await app.knowledge.watch(collection.id, strings("folder.watch"))

    async def export() -> None:
        if await app.collection_files.export(collection, strings("knowledge.export")):
            app.notify(strings("knowledge.exported", name=collection.name))

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
                                ft.Icons.PALETTE_OUTLINED,
                                strings("color.title"),
                                lambda: app.dialogs.show(CollectionLook(collection.id)),
                            ),
                            (
                                ft.Icons.GROUP_OUTLINED,
                                strings("sharing.title"),
                                lambda: app.dialogs.show(CollectionSharing(collection.id)),
                            ),
                            *(
                                [
                                    (
                                        ft.Icons.DRIVE_FOLDER_UPLOAD_OUTLINED,
                                        strings("folder.watch"),
                                        watch,
                                    )
                                ]
                                if app.knowledge.can_watch
                                else []
                            ),
                            (
                                ft.Icons.ARCHIVE_OUTLINED,
                                strings("knowledge.export"),
                                export,
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
