"""Which collections a conversation asks."""

from __future__ import annotations

import flet as ft

from app.ui.components.collection_look import collection_dot
from app.ui.components.controls import marked
from app.ui.state.app import AppState
from app.ui.state.chat_state import ChatState
from app.ui.theme import Radius, Space
from rag.model import Collection


@ft.component
def SourceChoiceBody(app: AppState, chat: ChatState) -> ft.Control:
    """One line a collection; a tap chooses or leaves it out."""
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
            *(_line(app, chat, collection) for collection in chat.collections),
        ],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _line(app: AppState, chat: ChatState, collection: Collection) -> ft.Control:
    chosen = collection.id in chat.collection_ids

    async def toggle() -> None:
        ids = [number for number in chat.collection_ids if number != collection.id]
        await app.chat.choose_collections(ids if chosen else [*ids, collection.id])

    return marked(
        ft.Container(
            ft.Row(
                [
                    ft.Icon(
                        ft.Icons.CHECK_CIRCLE if chosen else ft.Icons.RADIO_BUTTON_UNCHECKED,
                        color=ft.Colors.PRIMARY if chosen else ft.Colors.OUTLINE,
                    ),
                    ft.Column(
                        [
                            ft.Text(
                                app.strings.isolate(collection.name),
                                theme_style=ft.TextThemeStyle.TITLE_SMALL,
                            ),
                            ft.Text(
                                app.strings("knowledge.documents", count=collection.documents),
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
                rtl=app.rtl,
                spacing=Space.M,
            ),
            ink=True,
            on_click=toggle,
            bgcolor=ft.Colors.SECONDARY_CONTAINER if chosen else ft.Colors.SURFACE_CONTAINER_LOW,
            border_radius=Radius.M,
            padding=Space.M,
        ),
        identifier=f"source-{collection.id}",
        button=True,
        checked=chosen,
    )
