"""Whose questions a collection answers, and what they would get."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import marked
from app.ui.components.setting_rows import notice
from app.ui.state.app import AppState
from app.ui.state.dialogs import CollectionSharing
from app.ui.state.knowledge import KnowledgeState
from app.ui.theme import TOUCH, Radius, Space
from rag.model import Collection, Sharing

ICONS = {
    Sharing.PRIVATE: ft.Icons.LOCK_OUTLINE,
    Sharing.MY_DEVICES: ft.Icons.DEVICES_OUTLINED,
    Sharing.CIRCLE: ft.Icons.GROUP_OUTLINED,
    Sharing.PUBLIC: ft.Icons.PUBLIC,
}


def sharing_button(app: AppState, collection: Collection) -> ft.Control:
    """The level that holds now; opens the choice."""
    shared = collection.sharing is not Sharing.PRIVATE
    color = ft.Colors.ON_TERTIARY_CONTAINER if shared else ft.Colors.ON_SURFACE_VARIANT
    return marked(
        ft.Container(
            ft.Row(
                [
                    ft.Icon(ICONS[collection.sharing], size=16, color=color),
                    ft.Text(
                        app.strings(f"sharing.{collection.sharing}"),
                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                        color=color,
                    ),
                ],
                rtl=app.rtl,
                spacing=Space.XS,
                tight=True,
            ),
            height=TOUCH,
            ink=True,
            tooltip=app.strings("sharing.title"),
            on_click=lambda: app.dialogs.show(CollectionSharing(collection.id)),
            bgcolor=ft.Colors.TERTIARY_CONTAINER if shared else None,
            border_radius=Radius.L,
            padding=ft.Padding.symmetric(horizontal=Space.M),
        ),
        identifier="sharing",
        button=True,
    )


@ft.component
def CollectionSharingBody(app: AppState, collection_id: int, knowledge: KnowledgeState) -> ft.Control:
    """One line a level, each with what it means; a tap chooses."""
    strings = app.strings
    chosen = next((each.sharing for each in knowledge.collections if each.id == collection_id), None)
    return ft.Column(
        [
            ft.Text(strings("sharing.text"), color=ft.Colors.ON_SURFACE_VARIANT),
            *(_line(app, collection_id, level, level is chosen) for level in Sharing),
            notice(
                app,
                ft.Icons.INFO_OUTLINE,
                strings("sharing.note"),
                ft.Colors.ON_SURFACE_VARIANT,
                identifier="sharing-note",
            ),
        ],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        rtl=app.rtl,
    )


def _line(app: AppState, collection_id: int, level: Sharing, chosen: bool) -> ft.Control:
    async def choose() -> None:
        await app.knowledge.set_sharing(collection_id, level)

    return marked(
        ft.Container(
            ft.Row(
                [
                    ft.Icon(ICONS[level], color=ft.Colors.PRIMARY if chosen else ft.Colors.OUTLINE),
                    ft.Column(
                        [
                            ft.Text(
                                app.strings(f"sharing.{level}"), theme_style=ft.TextThemeStyle.TITLE_SMALL
                            ),
                            ft.Text(
                                app.strings(f"sharing.{level}.about"),
                                theme_style=ft.TextThemeStyle.BODY_SMALL,
                                color=ft.Colors.ON_SURFACE_VARIANT,
                            ),
                        ],
                        spacing=0,
                        tight=True,
                        expand=True,
                        rtl=app.rtl,
                        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
                    ),
                    *([ft.Icon(ft.Icons.CHECK, size=20, color=ft.Colors.PRIMARY)] if chosen else []),
                ],
                rtl=app.rtl,
                spacing=Space.M,
            ),
            ink=True,
            on_click=choose,
            bgcolor=ft.Colors.SECONDARY_CONTAINER if chosen else ft.Colors.SURFACE_CONTAINER_LOW,
            border_radius=Radius.M,
            padding=Space.M,
        ),
        identifier=f"sharing-{level}",
        button=True,
        selected=chosen,
    )
