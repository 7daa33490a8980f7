"""What a search in a collection found, and why: what answers rest on can be tried out here."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import marked
from app.ui.components.found_passage import FoundCard
from app.ui.state.app import AppState
from app.ui.state.knowledge import KnowledgeState
from app.ui.theme import Space
from rag.model import Document, SearchResult, SearchWay


def search_results(app: AppState, knowledge: KnowledgeState) -> list[ft.Control]:
    """What decides, how hard was searched, then the passages, the best first, then those left out."""
    strings = app.strings
    result = knowledge.result
    rows: list[ft.Control] = [_ways(app, knowledge.way)]
    if result is None:
        rows.append(ft.Row([ft.ProgressRing(width=20, height=20)], alignment=ft.MainAxisAlignment.CENTER))
        return rows
    rows.append(_found(app, result))
    if not result.passages:
        text = strings("knowledge.nothing_found", query=result.query)
        rows.append(ft.Row([ft.Text(text, expand=True)], rtl=app.rtl))
    rows += [
        FoundCard(app, number, found, result, key=f"found-{result.way}-{found.passage.id}")
        for number, found in enumerate(result.passages, 1)
    ]
    if result.refused:
        rows.append(_note(app, strings("search.refused"), "refused-title"))
        rows += [
            FoundCard(app, number, found, result, key=f"refused-{found.passage.id}")
            for number, found in enumerate(result.refused, len(result.passages) + 1)
        ]
    return rows


def searched_document(app: AppState, document: Document) -> ft.Control:
    """The one document that is searched; a tap on its cross searches all again."""

    async def everywhere() -> None:
        await app.knowledge.search_only(None)

    title = ft.Text(app.strings.isolate(document.title), max_lines=1, overflow=ft.TextOverflow.ELLIPSIS)
    chip = ft.Chip(
        title,
        leading=ft.Icon(ft.Icons.DESCRIPTION_OUTLINED, size=18),
        on_delete=everywhere,
        delete_icon_tooltip=app.strings("knowledge.search_all"),
        shape=ft.StadiumBorder(),
    )
    return ft.Row([marked(chip, identifier="searched-document")], rtl=app.rtl, wrap=True)


def _ways(app: AppState, chosen: SearchWay) -> ft.Control:
    def chip(way: SearchWay) -> ft.Control:
        async def choose() -> None:
            await app.knowledge.search_by(way)

        return marked(
            ft.Chip(
                ft.Text(app.strings(f"search.way.{way}")),
                selected=way is chosen,
                show_checkmark=True,
                shape=ft.StadiumBorder(),
                on_click=choose,
            ),
            identifier=f"search-by-{way}",
        )

    return ft.Column(
        [
            ft.Row(
                [chip(way) for way in SearchWay],
                rtl=app.rtl,
                wrap=True,
                spacing=Space.S,
                run_spacing=Space.S,
            ),
            *([] if chosen is SearchWay.BOTH else [_note(app, app.strings("search.way_note"), "way-note")]),
        ],
        spacing=Space.S,
        tight=True,
    )


def _found(app: AppState, result: SearchResult) -> ft.Control:
    strings = app.strings
    if result.way is SearchWay.BOTH:
        text = strings("knowledge.found", count=result.searched, relevant=len(result.passages))
    else:
        text = strings("search.found_any", count=result.searched, found=len(result.passages))
    took = strings("search.took", milliseconds=round(result.seconds * 1000))
    return ft.Column(
        [
            _note(app, f"{text} · {took}", "found", live_region=True),
            *(
                [_note(app, strings("search.words_only"), "words-only")]
                if result.threshold is None and result.searched
                else []
            ),
        ],
        spacing=Space.XS,
        tight=True,
    )


def _note(app: AppState, text: str, identifier: str, *, live_region: bool = False) -> ft.Control:
    shown = ft.Text(text, theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=ft.Colors.ON_SURFACE_VARIANT)
    return ft.Row([marked(shown, identifier=identifier, live_region=live_region, expand=True)], rtl=app.rtl)
