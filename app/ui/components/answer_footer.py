"""What stands below an answer: its sources, what can be done with it, who wrote it and how fast."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from app.core.messages import ChatMessage, Citation, MessageState
from app.core.strings import Strings
from app.ui.components.controls import marked, small_button
from app.ui.components.provenance_card import ProvenanceCard
from app.ui.state.app import AppState
from app.ui.state.chat_state import MessageView
from app.ui.theme import Radius, Space


def answer_footer(
    app: AppState, view: MessageView, is_last: bool, open_citation: Callable[[int], None]
) -> ft.Control:
    """The lines below a written answer."""
    stored = view.stored
    lines: list[ft.Control] = []
    if stored.provenance is not None:
        lines.append(ProvenanceCard(app, stored.provenance, stored.citations, open_citation))
    if stored.searched is not None:
        lines.append(
            ft.Row(
                [
                    ft.Icon(ft.Icons.MANAGE_SEARCH, size=16, color=ft.Colors.ON_SURFACE_VARIANT),
                    marked(
                        _small(
                            app.strings(
                                "message.searched", count=stored.searched, relevant=stored.relevant or 0
                            )
                        ),
                        identifier="searched",
                    ),
                ],
                rtl=app.rtl,
                spacing=Space.S,
            )
        )
        if stored.searched_for:
            query = app.strings("message.searched_for", query=stored.searched_for)
            shown = marked(_small(query), identifier="searched-for", expand=True)
            lines.append(ft.Row([shown], rtl=app.rtl))
    if stored.citations:
        lines.append(
            ft.Row(
                [_citation_chip(app, citation, open_citation) for citation in stored.citations],
                wrap=True,
                spacing=Space.S,
                run_spacing=Space.S,
                rtl=app.rtl,
            )
        )
    lines.append(
        ft.Row(
            [*_actions(app, view, is_last), _small(usage_line(app.strings, stored))],
            rtl=app.rtl,
            spacing=0,
            run_spacing=0,
            wrap=True,
            vertical_alignment=ft.CrossAxisAlignment.CENTER,
        )
    )
    return ft.Column(lines, spacing=Space.S, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def usage_line(strings: Strings, answer: ChatMessage) -> str:
    """Who answered, how fast, how much."""
    parts = [strings.isolate(answer.model)] if answer.model else []
    if answer.usage is not None:
        usage = answer.usage
        if usage.tokens_per_second:
            speed = strings.number(usage.tokens_per_second, 1 if usage.tokens_per_second < 100 else 0)
            parts.append(strings("message.usage.speed", speed=speed))
        parts.append(strings("message.usage.first", seconds=strings.number(usage.time_to_first_token, 2)))
        parts.append(strings("message.usage.tokens", count=usage.answer_tokens))
    return " · ".join(parts)


def _actions(app: AppState, view: MessageView, is_last: bool) -> list[ft.Control]:
    strings = app.strings

    async def copy() -> None:
        await app.copy(view.text)

    actions: list[ft.Control] = []
    if view.text:
        actions.append(
            small_button(ft.Icons.CONTENT_COPY, strings("chat.copy_answer"), copy, identifier="copy-answer")
        )
    if is_last:
        failed = view.stored.state is MessageState.FAILED
        label = strings("action.retry") if failed else strings("chat.regenerate")
        actions.append(small_button(ft.Icons.REFRESH, label, app.chat.regenerate, identifier="regenerate"))
        if view.stored.provenance is not None and view.stored.provenance.whole:
            actions.append(
                small_button(
                    ft.Icons.PERSON_SEARCH_OUTLINED,
                    strings("chat.ask_others"),
                    app.chat.ask_others,
                    identifier="ask-others",
                )
            )
        if view.stored.continuable and view.text:
            actions.append(
                marked(
                    ft.TextButton(
                        strings("chat.continue"),
                        icon=ft.Icons.ARROW_FORWARD,
                        on_click=app.chat.continue_answer,
                    ),
                    identifier="continue",
                )
            )
    return [*actions, ft.Container(width=Space.S)]


def _citation_chip(app: AppState, citation: Citation, open_citation: Callable[[int], None]) -> ft.Control:
    strings = app.strings
    place = strings("citation.page", page=citation.page) if citation.page is not None else citation.heading
    label = strings("citation.open", number=citation.number, document=citation.document_title)
    return marked(
        ft.Container(
            ft.Row(
                [
                    ft.Container(
                        ft.Text(
                            strings.number(citation.number),
                            theme_style=ft.TextThemeStyle.LABEL_SMALL,
                            color=ft.Colors.ON_TERTIARY_CONTAINER,
                        ),
                        bgcolor=ft.Colors.TERTIARY_CONTAINER,
                        border_radius=Radius.S,
                        padding=ft.Padding.symmetric(horizontal=6, vertical=1),
                    ),
                    ft.Text(
                        strings.isolate(citation.document_title) + (f" · {place}" if place else ""),
                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                        max_lines=1,
                        overflow=ft.TextOverflow.ELLIPSIS,
                        expand=True,
                        expand_loose=True,
                    ),
                    *_support(app, citation),
                ],
                spacing=Space.S,
                tight=True,
                rtl=app.rtl,
            ),
            ink=True,
            on_click=lambda: open_citation(citation.number),
            tooltip=label,
            border=ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
            border_radius=Radius.M,
            padding=ft.Padding.symmetric(horizontal=Space.M, vertical=Space.M),
        ),
        identifier=f"citation-{citation.number}",
        button=True,
    )


def _support(app: AppState, citation: Citation) -> list[ft.Control]:
    """How many devices have found the passage, where it was more than one."""
    if len(citation.given_by) < 2:
        return []
    return [
        ft.Icon(ft.Icons.DEVICES_OUTLINED, size=14, color=ft.Colors.ON_SURFACE_VARIANT),
        _small(app.strings.number(len(citation.given_by))),
    ]


def _small(text: str) -> ft.Text:
    return ft.Text(text, theme_style=ft.TextThemeStyle.LABEL_SMALL, color=ft.Colors.ON_SURFACE_VARIANT)
