"""The passage that an answer rests on, with what stands around it in its document."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import flet as ft

from app.core.direction import is_right_to_left
from app.core.foreign_text import harmless
from app.core.messages import Citation
from app.ui.components.controls import marked
from app.ui.components.web_link import ask_to_open
from app.ui.state.app import AppState
from app.ui.theme import Radius, Space
from rag.errors import KnowledgeError
from rag.model import Passage

_LEFT_TO_RIGHT_ISOLATE, _POP_ISOLATE = "\u2066", "\u2069"


@ft.component
def PassageBody(app: AppState, citation: Citation, givers: str = "") -> ft.Control:
    """Title, page and the excerpt; the neighbours appear as soon as they are read.

    A passage of other devices has `givers`, their names, and no neighbours here.
    """
    nothing: list[Passage] = []
    around, set_around = ft.use_state(nothing)
    missing, set_missing = ft.use_state("")
    strings = app.strings

    async def read() -> None:
        if givers:
            return
        knowledge = app.services.knowledge
        try:
            set_around(await asyncio.to_thread(knowledge.surroundings, citation.passage_id))
        except KnowledgeError:
            try:
                await asyncio.to_thread(knowledge.document, citation.document_id)
            except KnowledgeError:
                set_missing("citation.document_gone")
            else:
                set_missing("citation.document_changed")

    ft.use_effect(read, dependencies=[citation.passage_id])
    place = [
        strings("citation.page", page=citation.page) if citation.page is not None else "",
        strings.isolate(citation.heading) if citation.heading else "",
    ]
    address = around[0].address if around else None
    own = next((passage.position for passage in around if passage.id == citation.passage_id), None)
    before = [passage for passage in around if own is not None and passage.position < own]
    after = [passage for passage in around if own is not None and passage.position > own]
    note = strings("citation.given", names=givers) if givers else strings(missing) if missing else ""
    return ft.Column(
        [
            ft.Row(
                [
                    ft.Icon(ft.Icons.DESCRIPTION_OUTLINED, size=20, color=ft.Colors.PRIMARY),
                    ft.Column(
                        [
                            ft.Text(
                                strings.isolate(citation.document_title),
                                theme_style=ft.TextThemeStyle.TITLE_SMALL,
                            ),
                            *(
                                [
                                    ft.Text(
                                        " · ".join(part for part in place if part),
                                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                                        color=ft.Colors.ON_SURFACE_VARIANT,
                                    )
                                ]
                                if any(place)
                                else []
                            ),
                            *([_origin(app, address)] if address else []),
                        ],
                        spacing=0,
                        tight=True,
                        expand=True,
                    ),
                ],
                rtl=app.rtl,
                spacing=Space.M,
                vertical_alignment=ft.CrossAxisAlignment.START,
            ),
            ft.SelectionArea(
                ft.Column(
                    [
                        *(_quiet(passage) for passage in before),
                        *(
                            [marked(_excerpt(citation), identifier="passage", container=True)]
                            if citation.text
                            else []
                        ),
                        *(_quiet(passage) for passage in after),
                    ],
                    spacing=Space.M,
                    tight=True,
                    horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
                )
            ),
            *(
                [
                    marked(
                        ft.Text(
                            note,
                            rtl=app.rtl,
                            theme_style=ft.TextThemeStyle.BODY_SMALL,
                            color=ft.Colors.ON_SURFACE_VARIANT,
                        ),
                        identifier="passage-note",
                    )
                ]
                if note
                else []
            ),
        ],
        spacing=Space.L,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _origin(app: AppState, address: str) -> ft.Control:
    """The page of the web that the passage is from, as a link."""
    host = urlsplit(address).netloc
    return ft.Row(
        [
            marked(
                ft.TextButton(
                    host,
                    icon=ft.Icons.OPEN_IN_NEW,
                    tooltip=app.strings("page.open", host=host),
                    on_click=lambda: ask_to_open(app, address),
                    style=ft.ButtonStyle(padding=0),
                ),
                identifier="passage-origin",
            )
        ],
        rtl=app.rtl,
    )


def _excerpt(citation: Citation) -> ft.Control:
    rtl = is_right_to_left(citation.text)
    edge = ft.BorderSide(3, ft.Colors.TERTIARY)
    return ft.Container(
        _running(citation.text, color=ft.Colors.ON_TERTIARY_CONTAINER),
        bgcolor=ft.Colors.with_opacity(0.6, ft.Colors.TERTIARY_CONTAINER),
        border=ft.Border(right=edge) if rtl else ft.Border(left=edge),
        padding=ft.Padding.symmetric(horizontal=Space.L, vertical=Space.M),
    )


def _quiet(passage: Passage) -> ft.Control:
    return ft.Container(
        _running(
            passage.text,
            theme_style=ft.TextThemeStyle.BODY_SMALL,
            color=ft.Colors.ON_SURFACE_VARIANT,
        ),
        padding=ft.Padding.symmetric(horizontal=Space.L),
        border_radius=Radius.S,
    )


def _running(text: str, **properties: Any) -> ft.Text:
    """Text in its own direction.

    A dialog runs in the direction of the app's locale, and `rtl=False` cannot undo that: text that
    runs left to right is put between marks that say so, line by line.
    """
    text = harmless(text)
    if is_right_to_left(text):
        return ft.Text(text, rtl=True, text_align=ft.TextAlign.RIGHT, **properties)
    lines = (f"{_LEFT_TO_RIGHT_ISOLATE}{line}{_POP_ISOLATE}" for line in text.split("\n"))
    return ft.Text("\n".join(lines), text_align=ft.TextAlign.LEFT, **properties)
