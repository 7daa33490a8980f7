"""What a model's makers wrote about it: folded away, and asked of the hub when it is opened."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import Handler, card, marked, remembered
from app.ui.components.hub_problem import hub_problem
from app.ui.components.markdown import answer_body
from app.ui.state.app import AppState
from app.ui.state.readmes import Readme, ReadmePhase, ReadmesState
from app.ui.theme import Space
from engines.errors import Offline


@remembered
def ReadmeSection(app: AppState, repository: str, revision: str) -> ft.Control:
    """A card with its title, the button that opens it, and what has come.

    Nothing in it is loaded from the web: pictures are links, and links are followed after a look at them.
    """
    return ReadmeCard(app, app.readmes.state, repository, revision)


@ft.component
def ReadmeCard(app: AppState, readmes: ReadmesState, repository: str, revision: str) -> ft.Control:
    """The card, as far as it is open."""
    strings = app.strings
    readme = readmes.opened.get((repository, revision))

    async def open_() -> None:
        await app.readmes.open(repository, revision)

    def close() -> None:
        app.readmes.close(repository, revision)

    button = ft.TextButton(
        strings("readme.open" if readme is None else "readme.close"),
        icon=ft.Icons.EXPAND_MORE if readme is None else ft.Icons.EXPAND_LESS,
        on_click=open_ if readme is None else close,
    )
    hint = strings("readme.host", host=app.store.host)
    rows: list[ft.Control] = [
        ft.Row(
            [
                ft.Column(
                    [
                        ft.Text(strings("readme.title"), theme_style=ft.TextThemeStyle.TITLE_MEDIUM),
                        ft.Text(
                            hint,
                            theme_style=ft.TextThemeStyle.BODY_SMALL,
                            color=ft.Colors.ON_SURFACE_VARIANT,
                        ),
                    ],
                    spacing=Space.XS,
                    tight=True,
                    expand=True,
                ),
                marked(button, identifier="readme-toggle", expanded=readme is not None),
            ],
            rtl=app.rtl,
            spacing=Space.S,
        )
    ]
    if readme is not None:
        rows += _content(app, readme, repository, open_)
    return marked(
        card(
            ft.Column(rows, spacing=Space.L, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
        ),
        identifier="readme",
        container=True,
    )


def _content(app: AppState, readme: Readme, repository: str, retry: Handler) -> list[ft.Control]:
    strings = app.strings

    async def open_page() -> None:
        await app.open_link(app.readmes.page_of(repository))

    page = ft.Row(
        [
            marked(
                ft.TextButton(strings("find.open_page"), icon=ft.Icons.OPEN_IN_NEW, on_click=open_page),
                identifier="readme-page",
            )
        ],
        rtl=app.rtl,
    )
    match readme.phase:
        case ReadmePhase.ASKING:
            return [_asking(app)]
        case ReadmePhase.NONE:
            return [_words(app, strings("readme.none"), "readme-none")]
        case ReadmePhase.FAILED if readme.error is not None:
            again = ft.OutlinedButton(strings("action.retry"), icon=ft.Icons.REFRESH, on_click=retry)
            reason = (
                _words(app, strings("readme.offline"), "problem")
                if isinstance(readme.error, Offline)
                else hub_problem(app, readme.error, retry)
            )
            return [reason, ft.Row([marked(again, identifier="readme-retry")], rtl=app.rtl)]
    body = marked(
        ft.SelectionArea(answer_body(app, readme.content.text)), identifier="readme-text", container=True
    )
    if readme.content.whole:
        return [body]
    return [body, _words(app, strings("readme.cut_off"), "readme-cut-off"), page]


def _asking(app: AppState) -> ft.Control:
    return marked(
        ft.Row(
            [
                ft.ProgressRing(width=20, height=20, stroke_width=2),
                ft.Text(app.strings("find.asking", host=app.store.host), expand=True),
            ],
            rtl=app.rtl,
            spacing=Space.M,
        ),
        identifier="readme-asking",
        live_region=True,
    )


def _words(app: AppState, text: str, identifier: str) -> ft.Control:
    return marked(
        ft.Row([ft.Text(text, color=ft.Colors.ON_SURFACE_VARIANT, expand=True)], rtl=app.rtl),
        identifier=identifier,
        live_region=True,
    )
