"""One passage that a search found or left out, and why."""

from __future__ import annotations

import re

import flet as ft

from app.core.direction import is_right_to_left
from app.core.foreign_text import harmless
from app.core.retrieval import citation
from app.ui.components.controls import Handler, card, marked, remembered
from app.ui.components.setting_rows import remark
from app.ui.state.app import AppState
from app.ui.state.dialogs import PassageView
from app.ui.theme import TOUCH, Radius, Space
from rag.model import FoundPassage, Gate, SearchResult, SearchWay

_BLANK_LINES = re.compile(r"\n\s*\n")
"""They would take the room of lines that say something."""


@remembered
def FoundCard(app: AppState, number: int, found: FoundPassage, result: SearchResult) -> ft.Control:
    """Where it stands, its text, and in plain words why it was found; the figures unfold."""
    unfolded, set_unfolded = ft.use_state(initial=False)
    passage, strings = found.passage, app.strings
    place = strings("citation.page", page=passage.page) if passage.page is not None else passage.heading
    refused = found in result.refused
    source = citation(number, passage)
    text = ft.Container(
        ft.Column(
            [
                ft.Row(
                    [
                        ft.Text(
                            strings.isolate(passage.document_title)
                            + (f" · {strings.isolate(place)}" if place else ""),
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
                    _BLANK_LINES.sub("\n", harmless(passage.text)),
                    rtl=is_right_to_left(passage.text),
                    max_lines=5,
                    overflow=ft.TextOverflow.ELLIPSIS,
                    color=ft.Colors.ON_SURFACE_VARIANT if refused else None,
                ),
            ],
            spacing=Space.XS,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        ink=True,
        border_radius=Radius.S,
        on_click=lambda: app.dialogs.show(PassageView(source)),
    )
    identifier = f"refused-{number}" if refused else f"found-{number}"
    return card(
        ft.Column(
            [
                marked(text, identifier=identifier, button=True),
                _why(app, number, found, result, unfolded, lambda: set_unfolded(not unfolded)),
                *([_figures(app, number, found, result)] if unfolded else []),
            ],
            spacing=Space.S,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        )
    )


def _why(
    app: AppState, number: int, found: FoundPassage, result: SearchResult, unfolded: bool, toggle: Handler
) -> ft.Control:
    passes = found.gate is not Gate.CLOSED
    color = ft.Colors.PRIMARY if passes else ft.Colors.ON_SURFACE_VARIANT
    return ft.Row(
        [
            ft.Icon(
                ft.Icons.CHECK_CIRCLE_OUTLINE if passes else ft.Icons.DO_NOT_DISTURB_ON_OUTLINED,
                size=16,
                color=color,
            ),
            marked(
                ft.Text(_reason(app, found, result), theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=color),
                identifier=f"why-{number}",
                expand=True,
            ),
            marked(
                ft.IconButton(
                    ft.Icons.EXPAND_LESS if unfolded else ft.Icons.EXPAND_MORE,
                    tooltip=app.strings("search.details"),
                    on_click=toggle,
                    icon_size=20,
                    icon_color=ft.Colors.ON_SURFACE_VARIANT,
                    size_constraints=ft.BoxConstraints(min_width=TOUCH, min_height=TOUCH),
                ),
                identifier=f"details-{number}",
                expanded=unfolded,
            ),
        ],
        rtl=app.rtl,
        spacing=Space.S,
    )


def _reason(app: AppState, found: FoundPassage, result: SearchResult) -> str:
    strings = app.strings
    if found.gate is Gate.CLOSED and result.way is not SearchWay.BOTH:
        return strings("search.why.would_be_refused")
    return strings(f"search.why.{found.gate}", words=_listed(app, found.rare_words))


def _figures(app: AppState, number: int, found: FoundPassage, result: SearchResult) -> ft.Control:
    strings = app.strings
    lines = [strings("search.rank", rank=number)]
    if result.threshold is not None:
        lines.append(
            strings(
                "search.similarity",
                similarity=strings.number(found.similarity, 3),
                threshold=strings.number(result.threshold, 3),
            )
        )
    if found.words:
        lines.append(strings("search.words", words=_listed(app, found.words)))
    else:
        lines.append(strings("search.no_words"))
    if found.rare_words:
        lines.append(strings("search.rare_words", words=_listed(app, found.rare_words)))
    lines.append(strings("search.score", score=strings.number(found.score, 3)))
    return marked(
        ft.Column(
            [remark(app, line) for line in lines],
            spacing=Space.XS,
            tight=True,
        ),
        identifier=f"figures-{number}",
        container=True,
    )


def _listed(app: AppState, words: tuple[str, ...]) -> str:
    return app.strings("search.comma").join(app.strings.isolate(word) for word in words)
