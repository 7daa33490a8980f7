"""Finding models on the hub."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import (
    card,
    empty_state,
    marked,
    text_field,
)
from app.ui.components.header import back_button, header
from app.ui.components.hub_card import HubCard
from app.ui.components.hub_page import hub_page
from app.ui.components.hub_problem import problem_actions, problem_text
from app.ui.components.page import page, reading_list
from app.ui.components.setting_rows import chips
from app.ui.state.app import AppState
from app.ui.state.find import FindPhase, FindState
from app.ui.state.models import ModelsState
from app.ui.state.store import StoreState
from app.ui.theme import READING_WIDTH, Space
from engines.store.hub import HubOrder

SUGGESTIONS = ("gemma 3", "qwen 3", "llama 3.2", "smollm2", "phi 4")


@ft.component
def FindScreen(app: AppState, find: FindState, store: StoreState, models: ModelsState) -> ft.Control:
    """The search and what it found, or one model and its files."""
    strings, opened = app.strings, find.opened

    def back() -> None:
        if find.opened is not None:
            app.find.back()
        else:
            app.go("/models")

    title = strings("find.title")
    if opened is not None:
        title = opened.details.model.name if opened.details else opened.reference
        rows = _opened(app, find, store, models)
    else:
        rows = [
            SearchBar(app, find.text, find.phase is FindPhase.ASKING, find.persian_only, find.order),
            *_found(app, find),
        ]
    return page(
        header(
            app,
            title,
            leading=back_button(strings("action.back"), back),
            width=READING_WIDTH,
        ),
        reading_list(rows, spacing=Space.M, key="opened" if opened is not None else "found"),
    )


@ft.component
def SearchBar(app: AppState, asked: str, asking: bool, persian_only: bool, order: HubOrder) -> ft.Control:
    """The field, the button that sends, and who will be asked."""
    text, set_text = ft.use_state(app.find.draft or asked)
    strings = app.strings

    def changed(event: ft.Event[ft.TextField]) -> None:
        app.find.draft = event.control.value  # what the field holds now; `text` may be one event old
        set_text(app.find.draft)

    async def search() -> None:
        await app.find.search(app.find.draft)

    async def suggest(words: str) -> None:
        app.find.draft = words
        set_text(words)
        await app.find.search(words)

    def suggestion(words: str) -> ft.Control:
        async def tapped() -> None:
            await suggest(words)

        return marked(
            ft.OutlinedButton(words, on_click=tapped), identifier=f"suggest-{words.replace(' ', '-')}"
        )

    field = text_field(
        app,
        strings("find.field"),
        text,
        changed,
        on_submit=search,
        prefix_icon=ft.Icon(ft.Icons.SEARCH, size=20, color=ft.Colors.ON_SURFACE_VARIANT),
        expand=True,
    )
    button = ft.FilledButton(
        strings("find.search"), on_click=search, disabled=asking or not text.strip(), height=48
    )
    lines: list[ft.Control] = [
        ft.Row(
            [marked(field, identifier="find-text", expand=True), marked(button, identifier="find-search")],
            rtl=app.rtl,
            spacing=Space.S,
        ),
        ft.Row(
            [
                ft.Icon(ft.Icons.OUTBOUND_OUTLINED, size=16, color=ft.Colors.ON_SURFACE_VARIANT),
                marked(
                    ft.Text(
                        strings("find.host", host=app.store.host),
                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                        color=ft.Colors.ON_SURFACE_VARIANT,
                    ),
                    identifier="find-host",
                    expand=True,
                ),
            ],
            rtl=app.rtl,
            spacing=Space.XS,
        ),
    ]

    async def toggle(_: str) -> None:
        await app.find.only_persian(wanted=not persian_only)

    persian = {"persian": strings("find.persian_only")}
    lines.append(chips(app, "find", persian, "persian" if persian_only else "", toggle))
    if asked:
        orders = {one.name.lower(): strings(f"find.order.{one.name.lower()}") for one in HubOrder}

        async def sort(name: str) -> None:
            await app.find.sort(HubOrder[name.upper()])

        lines.append(chips(app, "find-order", orders, order.name.lower(), sort))
    elif not asking:
        lines.append(
            ft.Row(
                [suggestion(words) for words in SUGGESTIONS],
                rtl=app.rtl,
                wrap=True,
                spacing=Space.S,
                run_spacing=Space.S,
            )
        )
    return ft.Column(lines, spacing=Space.M, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _found(app: AppState, find: FindState) -> list[ft.Control]:
    strings = app.strings
    match find.phase:
        case FindPhase.NOTHING_ASKED:
            return [
                _centred(
                    empty_state(
                        app,
                        ft.Icons.TRAVEL_EXPLORE,
                        strings("find.empty_title"),
                        strings("find.empty_text"),
                    )
                )
            ]
        case FindPhase.ASKING:
            return [*_cards(app, find), _asking(app)]
        case FindPhase.FAILED if find.error is not None:
            return [_failed(app, find.error)]
        case _ if not find.results:
            return [
                _centred(
                    marked(
                        empty_state(
                            app,
                            ft.Icons.SEARCH_OFF,
                            strings("find.nothing_title", text=find.text),
                            strings("find.nothing_text"),
                            [_choose_file(app)],
                        ),
                        identifier="nothing-found",
                    )
                )
            ]
    return [*_cards(app, find), *([_show_more(app)] if find.more else [])]


def _cards(app: AppState, find: FindState) -> list[ft.Control]:
    return [
        HubCard(app, model, model.repository in find.recommended, key=model.repository)
        for model in find.results
    ]


def _opened(app: AppState, find: FindState, store: StoreState, models: ModelsState) -> list[ft.Control]:
    opened = find.opened
    if opened is None or opened.phase is FindPhase.ASKING:
        return [_asking(app)]
    if opened.error is not None:
        return [_failed(app, opened.error)]
    return hub_page(app, opened, models.rows, store.downloads)


def _asking(app: AppState) -> ft.Control:
    return marked(
        card(
            ft.Row(
                [
                    ft.ProgressRing(width=20, height=20, stroke_width=2),
                    ft.Text(app.strings("find.asking", host=app.store.host), expand=True),
                    marked(
                        ft.TextButton(app.strings("action.cancel"), on_click=app.find.cancel),
                        identifier="find-cancel",
                    ),
                ],
                rtl=app.rtl,
                spacing=Space.M,
            )
        ),
        identifier="find-asking",
        live_region=True,
    )


def _failed(app: AppState, error: Exception) -> ft.Control:
    async def retry() -> None:
        await app.find.retry()

    buttons = [
        marked(
            ft.FilledButton(app.strings("action.retry"), icon=ft.Icons.REFRESH, on_click=retry),
            identifier="find-retry",
        ),
        *problem_actions(app, type(error).__name__, getattr(error, "url", ""), retry),
        _choose_file(app),
    ]
    return _centred(
        marked(
            empty_state(
                app,
                ft.Icons.CLOUD_OFF_OUTLINED,
                app.strings("find.failed_title"),
                problem_text(app, error),
                [
                    ft.Row(
                        buttons,
                        wrap=True,
                        spacing=Space.S,
                        run_spacing=Space.S,
                        alignment=ft.MainAxisAlignment.CENTER,
                    )
                ],
            ),
            identifier="find-failed",
            live_region=True,
        )
    )


def _show_more(app: AppState) -> ft.Control:
    async def show() -> None:
        await app.find.show_more()

    return _centred(
        marked(ft.OutlinedButton(app.strings("find.more"), on_click=show), identifier="find-more")
    )


def _choose_file(app: AppState) -> ft.Control:
    async def add() -> None:
        app.go("/models")
        await app.models.add()

    return marked(
        ft.TextButton(app.strings("first.file"), icon=ft.Icons.FILE_OPEN_OUTLINED, on_click=add),
        identifier="choose-file",
    )


def _centred(content: ft.Control) -> ft.Control:
    return ft.Row([content], alignment=ft.MainAxisAlignment.CENTER, wrap=True)
