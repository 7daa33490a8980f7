"""With whom this app has spoken, why, when, and how many bytes."""

from __future__ import annotations

from datetime import UTC, datetime

import flet as ft

from app.core.network.ledger import Entry, Purpose, Total
from app.ui import routes
from app.ui.components.controls import badge, empty_state, icon_button, marked
from app.ui.components.header import back_button, header
from app.ui.components.page import page, reading_list
from app.ui.components.setting_rows import chips, section
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation
from app.ui.state.ledger import LedgerState
from app.ui.theme import READING_WIDTH, Space

_ICONS = {
    Purpose.HUB: ft.Icons.CLOUD_DOWNLOAD_OUTLINED,
    Purpose.SERVER: ft.Icons.DNS_OUTLINED,
    Purpose.WEB_PAGE: ft.Icons.LANGUAGE,
    Purpose.ROUTER: ft.Icons.ROUTER_OUTLINED,
    Purpose.ASKING: ft.Icons.QUESTION_ANSWER_OUTLINED,
    Purpose.WORKING: ft.Icons.VOLUNTEER_ACTIVISM_OUTLINED,
}
_ALL = "all"
_MOST_TOTALS = 12


@ft.component
def LedgerScreen(app: AppState, state: LedgerState) -> ft.Control:
    """Sums by host, then every connection, the latest first."""
    ft.use_effect(app.ledger.refresh, dependencies=[])
    strings = app.strings

    async def clear() -> None:
        await app.ledger.clear()

    def ask_clear() -> None:
        app.dialogs.show(
            Confirmation(
                strings("ledger.clear_title"), strings("ledger.clear_text"), strings("ledger.clear"), clear
            )
        )

    actions = (
        [icon_button(ft.Icons.DELETE_SWEEP_OUTLINED, strings("ledger.clear"), ask_clear, identifier="clear")]
        if state.totals
        else []
    )
    return page(
        header(
            app,
            strings("ledger.title"),
            leading=back_button(strings("action.back"), lambda: app.go(routes.NETWORK)),
            actions=actions,
            width=READING_WIDTH,
        ),
        reading_list(_parts(app, state)),
    )


def _parts(app: AppState, state: LedgerState) -> list[ft.Control]:
    strings = app.strings
    if not state.known:
        return [ft.ProgressBar()]
    if not state.totals:
        empty = empty_state(
            app, ft.Icons.RECEIPT_LONG_OUTLINED, strings("ledger.empty_title"), strings("ledger.empty_text")
        )
        return [ft.Container(empty, alignment=ft.Alignment.TOP_CENTER)]
    about = ft.Text(strings("ledger.about"), color=ft.Colors.ON_SURFACE_VARIANT, expand=True)

    async def choose(value: str) -> None:
        await app.ledger.choose(None if value == _ALL else Purpose(value))

    there = {total.purpose for total in state.totals}
    options = {_ALL: strings("ledger.all")} | {
        purpose.value: strings(f"ledger.purpose_{purpose}") for purpose in Purpose if purpose in there
    }
    totals = [total for total in state.totals if state.purpose in (None, total.purpose)]
    entries: list[ft.Control] = [_entry(app, entry) for entry in state.entries]
    if state.more:
        entries.append(
            ft.Row(
                [
                    marked(
                        ft.TextButton(strings("ledger.older"), on_click=app.ledger.older),
                        identifier="older",
                    )
                ],
                alignment=ft.MainAxisAlignment.CENTER,
            )
        )
    return [
        ft.Row([about], rtl=app.rtl),
        chips(app, "purpose", options, state.purpose or _ALL, choose),
        section(app, strings("ledger.hosts"), [_total(app, total) for total in totals[:_MOST_TOTALS]]),
        section(app, strings("ledger.connections"), entries),
    ]


def _total(app: AppState, total: Total) -> ft.Control:
    strings = app.strings
    counted = strings("ledger.counted", count=total.connections - total.refused)
    return _line(
        app,
        total.purpose,
        total.host,
        f"{strings(f'ledger.purpose_{total.purpose}')} · {counted}",
        _bytes(app, total.sent_bytes, total.received_bytes),
        identifier=f"total-{total.purpose}-{total.host}",
    )


def _entry(app: AppState, entry: Entry) -> ft.Control:
    strings = app.strings
    when = strings.time(datetime.fromtimestamp(entry.began, UTC))
    side: ft.Control = _bytes(app, entry.sent_bytes, entry.received_bytes)
    if entry.refused:
        side = badge(strings("ledger.refused"), ft.Colors.TERTIARY_CONTAINER, ft.Colors.ON_TERTIARY_CONTAINER)
    return _line(
        app,
        entry.purpose,
        entry.host,
        f"{strings(f'ledger.purpose_{entry.purpose}')} · {when}",
        side,
        identifier=f"entry-{entry.id}",
    )


def _line(
    app: AppState, purpose: Purpose, host: str, text: str, side: ft.Control, *, identifier: str
) -> ft.Control:
    return marked(
        ft.Row(
            [
                ft.Icon(_ICONS[purpose], size=22, color=ft.Colors.ON_SURFACE_VARIANT),
                ft.Column(
                    [
                        ft.Text(
                            app.strings.isolate(host),
                            theme_style=ft.TextThemeStyle.TITLE_SMALL,
                            max_lines=1,
                            overflow=ft.TextOverflow.ELLIPSIS,
                        ),
                        ft.Text(
                            text,
                            theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                            color=ft.Colors.ON_SURFACE_VARIANT,
                        ),
                    ],
                    spacing=0,
                    tight=True,
                    expand=True,
                    rtl=app.rtl,
                ),
                side,
            ],
            rtl=app.rtl,
            spacing=Space.M,
        ),
        identifier=identifier,
        container=True,
    )


def _bytes(app: AppState, sent: int, received: int) -> ft.Control:
    lines = (
        (ft.Icons.ARROW_UPWARD, sent, app.strings("ledger.sent")),
        (ft.Icons.ARROW_DOWNWARD, received, app.strings("ledger.received")),
    )
    return ft.Column(
        [
            ft.Row(
                [
                    ft.Icon(icon, size=14, color=ft.Colors.ON_SURFACE_VARIANT, tooltip=label),
                    ft.Text(app.strings.size(size), theme_style=ft.TextThemeStyle.LABEL_MEDIUM),
                ],
                rtl=app.rtl,
                spacing=Space.XS,
                tight=True,
            )
            for icon, size, label in lines
        ],
        spacing=0,
        tight=True,
        rtl=app.rtl,
    )
