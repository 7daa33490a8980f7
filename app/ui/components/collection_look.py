"""What tells a collection apart: its colour, as a dot and as a choice."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import marked
from app.ui.state.app import AppState
from app.ui.state.knowledge import KnowledgeState
from app.ui.theme import TOUCH, Radius, Space, collection_color
from rag.model import Collection, CollectionColor


def collection_dot(app: AppState, collection: Collection, size: float = 10) -> ft.Control:
    """The collection's colour, beside its name."""
    color = collection_color(collection.color, dark=app.dark)
    return ft.Container(width=size, height=size, bgcolor=color, border_radius=size / 2)


@ft.component
def CollectionColorBody(app: AppState, collection_id: int, knowledge: KnowledgeState) -> ft.Control:
    """All colours; a tap chooses."""
    chosen = next((each.color for each in knowledge.collections if each.id == collection_id), None)

    def circle(color: CollectionColor) -> ft.Control:
        async def choose() -> None:
            await app.knowledge.set_color(collection_id, color)

        return marked(
            ft.Container(
                ft.Icon(ft.Icons.CHECK, color=ft.Colors.SURFACE, size=22) if color is chosen else None,
                width=TOUCH,
                height=TOUCH,
                alignment=ft.Alignment.CENTER,
                bgcolor=collection_color(color, dark=app.dark),
                border_radius=Radius.FULL,
                tooltip=app.strings(f"color.{color}"),
                ink=True,
                on_click=choose,
            ),
            identifier=f"color-{color}",
            label=app.strings(f"color.{color}"),
            button=True,
            selected=color is chosen,
        )

    return ft.Row(
        [circle(color) for color in CollectionColor],
        rtl=app.rtl,
        wrap=True,
        spacing=Space.M,
        run_spacing=Space.M,
    )
