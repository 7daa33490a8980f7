"""Where an answer comes from: a line while it is written, and a card beneath it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import flet as ft

from app.core.departed_amounts import amounts
from app.core.errors import ChosenHere
from app.core.messages import Citation
from app.core.origin_words import happening, name_of, summary
from app.core.provenance import Departed, Provenance, Reply, ReplyState
from app.core.strings import Strings
from app.ui.components.controls import marked
from app.ui.components.given_passages import given_passages
from app.ui.components.level_choice import ICONS
from app.ui.components.said_words import said_words
from app.ui.state.app import AppState
from app.ui.theme import TOUCH, Radius, Space

_STATE_ICONS = {
    ReplyState.ASKED: ft.Icons.SCHEDULE,
    ReplyState.WRITING: ft.Icons.MORE_HORIZ,
    ReplyState.WHOLE: ft.Icons.CHECK,
    ReplyState.FAILED: ft.Icons.ERROR_OUTLINE,
    ReplyState.LEFT_OUT: ft.Icons.REMOVE,
}


def origin_line(app: AppState, provenance: Provenance, *, waiting: bool = False) -> ft.Control:
    """What happens now, while other devices are asked; who is `waiting` for their words need not."""
    here = marked(
        ft.TextButton(app.strings("origin.answer_here"), on_click=app.chat.answer_here),
        identifier="answer-here",
    )
    return ft.Row(
        [
            ft.ProgressRing(width=14, height=14, stroke_width=2),
            marked(
                ft.Text(
                    happening(app.strings, provenance),
                    theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                    color=ft.Colors.ON_SURFACE_VARIANT,
                ),
                identifier="origin-now",
                live_region=True,
                expand=True,
            ),
            *([here] if waiting and not provenance.fallback else []),
        ],
        rtl=app.rtl,
        spacing=Space.S,
    )


@ft.component
def ProvenanceCard(
    app: AppState,
    provenance: Provenance,
    citations: Sequence[Citation] = (),
    open_citation: Callable[[int], None] = lambda number: None,
) -> ft.Control:
    """One line; a tap opens who was asked, what left, what others said, and whose passages it rests on."""
    closed = False
    opened, set_opened = ft.use_state(closed)
    strings = app.strings
    doubtful = bool(provenance.other_views) or provenance.fallback not in ("", ChosenHere.__name__)
    color = ft.Colors.ON_TERTIARY_CONTAINER if doubtful else ft.Colors.ON_SURFACE_VARIANT
    head = marked(
        ft.Container(
            ft.Row(
                [
                    ft.Icon(ICONS[provenance.level], size=18, color=color),
                    ft.Text(
                        summary(strings, provenance),
                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                        color=color,
                        expand=True,
                    ),
                    ft.Icon(ft.Icons.EXPAND_LESS if opened else ft.Icons.EXPAND_MORE, size=18, color=color),
                ],
                rtl=app.rtl,
                spacing=Space.S,
            ),
            height=TOUCH * max(1.0, app.scale),
            ink=True,
            on_click=lambda: set_opened(not opened),
            padding=ft.Padding.symmetric(horizontal=Space.M),
            border_radius=Radius.M,
        ),
        identifier="origin",
        button=True,
        expanded=opened,
        hint_text=strings("origin.title"),
    )
    return ft.Container(
        ft.Column(
            [head, *([_details(app, provenance, citations, open_citation)] if opened else [])],
            spacing=0,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        bgcolor=ft.Colors.TERTIARY_CONTAINER if doubtful else ft.Colors.SURFACE_CONTAINER_LOW,
        border_radius=Radius.M,
    )


def _details(
    app: AppState,
    provenance: Provenance,
    citations: Sequence[Citation],
    open_citation: Callable[[int], None],
) -> ft.Control:
    strings = app.strings
    lines: list[ft.Control] = []
    if provenance.fallback:
        lines.append(_text(app, strings.error_named(provenance.fallback)))
    lines += [_reply(app, provenance, reply) for reply in provenance.replies]
    if provenance.not_fused is not None:
        lines.append(_text(app, strings(f"origin.not_fused.{provenance.not_fused}"), "not-fused"))
    lines += [_said(app, reply, "origin.other_view") for reply in provenance.other_views]
    lines += [_said(app, reply, "origin.original") for reply in provenance.originals]
    if given := [citation for citation in citations if citation.given_by]:
        lines.append(given_passages(app, provenance, given, open_citation))
    lines.append(_text(app, _left(strings, provenance.departed), "origin-left"))
    if provenance.router:
        level = strings(f"level.{provenance.level}")
        lines.append(_text(app, strings("origin.router", router=provenance.router, level=level)))
    return ft.Container(
        ft.Column(lines, spacing=Space.S, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH),
        padding=ft.Padding.only(left=Space.M, right=Space.M, bottom=Space.M),
    )


def _reply(app: AppState, provenance: Provenance, reply: Reply) -> ft.Control:
    strings = app.strings
    parts = [strings.isolate(reply.model)] if reply.model else []
    if reply.state is ReplyState.WHOLE:
        parts.append(strings("message.usage.tokens", count=reply.tokens))
        parts.append(strings("origin.seconds", seconds=strings.number(reply.seconds, 1)))
    else:
        parts.append(strings(f"origin.state.{reply.state}"))
    shown = reply.node == provenance.shown
    return ft.Row(
        [
            ft.Icon(
                ft.Icons.STAR_OUTLINE if shown else _STATE_ICONS[reply.state],
                size=16,
                color=ft.Colors.PRIMARY if shown else ft.Colors.ON_SURFACE_VARIANT,
            ),
            ft.Column(
                [
                    ft.Text(
                        strings.isolate(name_of(strings, reply)), theme_style=ft.TextThemeStyle.LABEL_LARGE
                    ),
                    ft.Text(
                        " · ".join(parts),
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
    )


def _said(app: AppState, reply: Reply, title: str) -> ft.Control:
    strings = app.strings
    return marked(
        ft.Container(
            said_words(
                app,
                strings(title, name=name_of(strings, reply)),
                reply.text,
                ft.TextThemeStyle.LABEL_MEDIUM,
            ),
            bgcolor=ft.Colors.SURFACE,
            border_radius=Radius.S,
            padding=Space.M,
        ),
        identifier=f"said-{reply.node[:6]}",
        container=True,
    )


def _left(strings: Strings, departed: Departed | None) -> str:
    if departed is None:
        return strings("origin.nothing_left")
    return strings("origin.left", what=amounts(strings, departed))


def _text(app: AppState, text: str, identifier: str = "") -> ft.Control:
    control = ft.Text(
        text, theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=ft.Colors.ON_SURFACE_VARIANT, expand=True
    )
    content = marked(control, identifier=identifier, expand=True) if identifier else control
    return ft.Row([content], rtl=app.rtl)
