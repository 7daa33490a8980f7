"""The passages of other devices that an answer rests on, and whose they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import flet as ft

from app.core.messages import Citation
from app.core.origin_words import names_of
from app.core.provenance import Provenance
from app.ui.components.controls import marked
from app.ui.state.app import AppState
from app.ui.theme import Radius, Space


def given_passages(
    app: AppState,
    provenance: Provenance,
    citations: Sequence[Citation],
    open_citation: Callable[[int], None],
) -> ft.Control:
    """One line each; a tap opens the passage."""
    title = ft.Text(
        app.strings("origin.passages"),
        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
        color=ft.Colors.ON_SURFACE_VARIANT,
        rtl=app.rtl,
    )
    return ft.Column(
        [title, *(_passage(app, provenance, citation, open_citation) for citation in citations)],
        spacing=Space.XS,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _passage(
    app: AppState, provenance: Provenance, citation: Citation, open_citation: Callable[[int], None]
) -> ft.Control:
    strings = app.strings
    place = f" · {strings('citation.page', page=citation.page)}" if citation.page is not None else ""
    return marked(
        ft.Container(
            ft.Row(
                [
                    ft.Text(
                        f"[{strings.number(citation.number)}]",
                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                        color=ft.Colors.PRIMARY,
                    ),
                    ft.Column(
                        [
                            ft.Text(
                                strings.isolate(citation.document_title) + place,
                                theme_style=ft.TextThemeStyle.LABEL_LARGE,
                            ),
                            ft.Text(
                                strings(
                                    "citation.given_by",
                                    names=names_of(strings, provenance, citation.given_by),
                                ),
                                theme_style=ft.TextThemeStyle.LABEL_SMALL,
                                color=ft.Colors.ON_SURFACE_VARIANT,
                            ),
                        ],
                        spacing=0,
                        tight=True,
                        expand=True,
                    ),
                ],
                rtl=app.rtl,
                spacing=Space.S,
                vertical_alignment=ft.CrossAxisAlignment.START,
            ),
            ink=True,
            on_click=lambda: open_citation(citation.number),
            border_radius=Radius.S,
            padding=ft.Padding.symmetric(vertical=Space.S),
        ),
        identifier=f"given-{citation.number}",
        button=True,
    )
