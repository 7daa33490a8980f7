"""Which collection a document goes to."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import Handler, marked
from app.ui.state.app import AppState
from app.ui.state.dialogs import NamePrompt
from app.ui.state.knowledge import KnowledgeState
from app.ui.theme import Radius, Space
from rag.model import Document


@ft.component
def MoveDocumentBody(app: AppState, document: Document, knowledge: KnowledgeState) -> ft.Control:
    """One line for each other collection, and one for a new one; a tap moves."""
    strings = app.strings

    def to(collection_id: int, name: str) -> ft.Control:
        async def move() -> None:
            app.dialogs.close()
            if await app.knowledge.move(document.id, collection_id):
                app.notify(strings("knowledge.moved", document=document.title, name=name))

        return _line(app, ft.Icons.FOLDER_OUTLINED, strings.isolate(name), move, f"move-to-{collection_id}")

    async def to_new(name: str) -> str | None:
        return await app.knowledge.move_to_new(document.id, name)

    def ask_name() -> None:
        title, label = strings("knowledge.new_collection"), strings("knowledge.collection_name")
        app.dialogs.show(NamePrompt(title, label, strings("knowledge.move"), to_new))

    others = [each for each in knowledge.collections if each.id != document.collection_id]
    return ft.Column(
        [
            ft.Text(strings.isolate(document.title), color=ft.Colors.ON_SURFACE_VARIANT),
            *(to(collection.id, collection.name) for collection in others),
            _line(
                app,
                ft.Icons.CREATE_NEW_FOLDER_OUTLINED,
                strings("knowledge.new_collection"),
                ask_name,
                "move-to-new",
            ),
            ft.Row(
                [
                    marked(
                        ft.TextButton(strings("action.cancel"), on_click=app.dialogs.close),
                        identifier="dialog-cancel",
                    )
                ],
                rtl=app.rtl,
                alignment=ft.MainAxisAlignment.END,
            ),
        ],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        rtl=app.rtl,
    )


def _line(app: AppState, icon: ft.IconData, text: str, on_click: Handler, identifier: str) -> ft.Control:
    return marked(
        ft.Container(
            ft.Row(
                [
                    ft.Icon(icon, color=ft.Colors.PRIMARY),
                    ft.Text(text, theme_style=ft.TextThemeStyle.TITLE_SMALL, expand=True),
                ],
                rtl=app.rtl,
                spacing=Space.M,
            ),
            ink=True,
            on_click=on_click,
            bgcolor=ft.Colors.SURFACE_CONTAINER_LOW,
            border_radius=Radius.M,
            padding=Space.M,
        ),
        identifier=identifier,
        button=True,
    )
