"""What a search in a collection found."""

from __future__ import annotations

import flet as ft

from app.core.direction import is_right_to_left
from app.core.messages import Citation
from app.ui.components.controls import card, marked
from app.ui.state.app import AppState
from app.ui.state.dialogs import PassageView
from app.ui.state.knowledge import KnowledgeState
from app.ui.theme import Space
from rag.model import FoundPassage


def search_results(app: AppState, knowledge: KnowledgeState) -> list[ft.Control]:
    """How hard was searched, then the passages, the best first."""
    strings = app.strings
    result = knowledge.result
    if result is None:
        return [ft.Row([ft.ProgressRing(width=20, height=20)], alignment=ft.MainAxisAlignment.CENTER)]
    found = strings("knowledge.found", count=result.searched, relevant=len(result.passages))
    rows: list[ft.Control] = [
        ft.Row(
            [
                marked(
                    ft.Text(
                        found,
                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                        color=ft.Colors.ON_SURFACE_VARIANT,
                    ),
                    identifier="found",
                    live_region=True,
                )
            ],
            rtl=app.rtl,
        )
    ]
    if not result.passages:
        text = strings("knowledge.nothing_found", query=result.query)
        rows.append(ft.Row([ft.Text(text, expand=True)], rtl=app.rtl))
    rows += [_passage(app, number, found) for number, found in enumerate(result.passages, 1)]
    return rows


def _passage(app: AppState, number: int, found: FoundPassage) -> ft.Control:
    passage, strings = found.passage, app.strings
    place = strings("citation.page", page=passage.page) if passage.page is not None else passage.heading
    citation = Citation(
        number,
        passage.id,
        passage.document_id,
        passage.document_title,
        passage.page,
        passage.heading,
        passage.text,
    )
    return marked(
        card(
            ft.Column(
                [
                    ft.Row(
                        [
                            ft.Text(
                                strings.isolate(passage.document_title) + (f" · {place}" if place else ""),
                                theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                                color=ft.Colors.PRIMARY,
                                max_lines=1,
                                overflow=ft.TextOverflow.ELLIPSIS,
                                expand=True,
                            )
                        ],
                        rtl=app.rtl,
                    ),
                    ft.Text(
                        passage.text,
                        rtl=is_right_to_left(passage.text),
                        max_lines=5,
                        overflow=ft.TextOverflow.ELLIPSIS,
                    ),
                ],
                spacing=Space.XS,
                tight=True,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            ),
            ink=True,
            on_click=lambda: app.dialogs.show(PassageView(citation)),
        ),
        identifier=f"found-{number}",
        button=True,
    )
