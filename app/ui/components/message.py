"""One message of a conversation."""

from __future__ import annotations

import flet as ft

from app.core.direction import is_right_to_left
from app.core.foreign_text import harmless
from app.core.messages import MessageState
from app.core.origin_words import names_of
from app.ui.components.answer_footer import answer_footer
from app.ui.components.attachments import attached_files
from app.ui.components.controls import in_reading_width, marked, remembered, small_button
from app.ui.components.markdown import answer_body
from app.ui.components.provenance_card import origin_line
from app.ui.components.thoughts import Thoughts
from app.ui.state.app import AppState
from app.ui.state.chat_state import MessageView
from app.ui.state.dialogs import PassageView
from app.ui.state.live import Phase
from app.ui.theme import Layout, Radius, Space


@remembered
def Message(app: AppState, view: MessageView, is_last: bool) -> ft.Control:
    """A question in a tinted bubble, or an answer across the whole width."""
    content = _question(app, view) if view.stored.role == "user" else _answer(app, view, is_last)
    return in_reading_width(content)


def _question(app: AppState, view: MessageView) -> ft.Control:
    async def copy() -> None:
        await app.copy(view.text)

    async def ask_differently() -> None:
        await app.chat.ask_differently(view.stored)

    bubble = ft.Container(
        marked(
            ft.SelectionArea(ft.Text(harmless(view.text), rtl=is_right_to_left(view.text))),
            identifier="message-user",
            container=True,
        ),
        bgcolor=ft.Colors.PRIMARY_CONTAINER,
        border_radius=Radius.L,
        padding=ft.Padding.symmetric(horizontal=Space.L, vertical=Space.M),
    )
    copy_button = small_button(
        ft.Icons.CONTENT_COPY, app.strings("chat.copy_question"), copy, identifier="copy-question"
    )
    edit_button = small_button(
        ft.Icons.EDIT_OUTLINED,
        app.strings("chat.ask_differently"),
        ask_differently,
        identifier="ask-differently",
    )
    buttons: list[ft.Control] = [copy_button, edit_button]
    shown = ft.Container(bubble, expand=True, expand_loose=True)
    rows: list[list[ft.Control]] = [[*buttons, shown]]
    # On a phone they would take a fourth of its width from the words.
    if app.layout is Layout.PHONE:
        rows = [[shown], buttons]
    lines: list[ft.Control] = [_line(app, row) for row in rows]
    if view.stored.attachments:
        files = attached_files(app, view.stored.attachments)
        lines.insert(0, _line(app, files, wrap=True))
    if len(lines) == 1:
        return lines[0]
    return ft.Column(
        lines,
        spacing=Space.XS,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _line(app: AppState, controls: list[ft.Control], *, wrap: bool = False) -> ft.Row:
    """On the side of the one who asks. No rtl= around messages: nothing below a right-to-left control can run
    left to right again."""
    return ft.Row(
        controls[::-1] if app.rtl and not wrap else controls,
        alignment=ft.MainAxisAlignment.START if app.rtl else ft.MainAxisAlignment.END,
        vertical_alignment=ft.CrossAxisAlignment.END,
        wrap=wrap,
        spacing=Space.S if wrap else 0,
        run_spacing=Space.S,
    )


def _answer(app: AppState, view: MessageView, is_last: bool) -> ft.Control:
    stored = view.stored
    writing = view.phase is not None
    by_number = {citation.number: citation for citation in stored.citations}

    def open_citation(number: int) -> None:
        if number in by_number:
            citation = by_number[number]
            givers = names_of(app.strings, stored.provenance, citation.given_by)
            app.dialogs.show(PassageView(citation, givers))

    controls: list[ft.Control] = []
    if view.thinking:
        controls.append(Thoughts(app, view.thinking, writing and not view.text))
    if view.text:
        controls.append(
            marked(
                ft.SelectionArea(
                    answer_body(app, view.text, citations=list(by_number), on_citation=open_citation)
                ),
                identifier="message-assistant",
                container=True,
            )
        )
    elif writing and view.phase is not Phase.ASKING:
        controls.append(_waiting(app, view))
    if writing and view.provenance is not None and (view.text or view.phase is Phase.ASKING):
        controls.append(origin_line(app, view.provenance, waiting=not view.text))
    if (view.error is not None or stored.state is MessageState.FAILED) and not writing:
        controls.append(_failure(app, view))  # also beside an answer that a failed attempt has not replaced
    elif stored.state is not MessageState.COMPLETE and not writing:
        controls.append(_hint(app, app.strings(f"message.state.{stored.state}"), "message-state"))
    if not writing:
        controls.append(answer_footer(app, view, is_last, open_citation))
    return ft.Column(
        controls, spacing=Space.S, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH
    )


def _waiting(app: AppState, view: MessageView) -> ft.Control:
    model = app.services.models.loading
    if view.phase is Phase.LOADING and model is not None:
        text = app.strings("chat.loading_model", model=model.name)
    else:
        phase = Phase.WAITING if view.phase in (None, Phase.WRITING, Phase.LOADING) else view.phase
        text = app.strings(f"chat.phase.{phase}")
    return ft.Row(
        [
            ft.ProgressRing(width=16, height=16, stroke_width=2),
            marked(ft.Text(text, color=ft.Colors.ON_SURFACE_VARIANT), identifier="phase", live_region=True),
        ],
        rtl=app.rtl,
        spacing=Space.M,
    )


def _failure(app: AppState, view: MessageView) -> ft.Control:
    if view.error is not None:
        text = app.strings.error(view.error)
    else:
        text = app.strings.error_named(view.stored.error or "Exception")
    return ft.Container(
        ft.Row(
            [
                ft.Icon(ft.Icons.ERROR_OUTLINE, color=ft.Colors.ON_ERROR_CONTAINER, size=20),
                marked(
                    ft.Text(text, color=ft.Colors.ON_ERROR_CONTAINER),
                    identifier="message-error",
                    live_region=True,
                    expand=True,
                ),
            ],
            rtl=app.rtl,
            spacing=Space.M,
        ),
        bgcolor=ft.Colors.ERROR_CONTAINER,
        border_radius=Radius.M,
        padding=Space.L,
    )


def _hint(app: AppState, text: str, identifier: str) -> ft.Control:
    return ft.Row(
        [
            marked(
                ft.Text(text, theme_style=ft.TextThemeStyle.BODY_SMALL, color=ft.Colors.ON_SURFACE_VARIANT),
                identifier=identifier,
            )
        ],
        rtl=app.rtl,
    )
