"""What other devices have done for this one."""

from __future__ import annotations

from datetime import UTC, datetime

import flet as ft

from app.core.network.receipt_store import StoredReceipt
from app.ui.components.controls import badge, marked
from app.ui.components.setting_rows import section
from app.ui.state.app import AppState
from app.ui.state.network import NetworkState
from app.ui.theme import Space


def asked_section(app: AppState, state: NetworkState) -> list[ft.Control]:
    """Sums, and the latest answers; nothing before the first."""
    strings, asked = app.strings, state.asked
    if not state.receipts:
        return []
    sums = strings(
        "network.asked_sums",
        questions=asked.questions,
        answers=asked.answers,
        tokens=asked.tokens,
    )
    names = {device.node: device.shown_name for device in state.devices}
    rows: list[ft.Control] = [
        ft.Row([marked(ft.Text(sums), identifier="asked-sums", expand=True)], rtl=app.rtl),
        ft.Column(
            [_row(app, receipt, names.get(receipt.node, receipt.node[:8])) for receipt in state.receipts],
            spacing=Space.M,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
    ]
    return [section(app, strings("network.asked"), rows)]


def _row(app: AppState, receipt: StoredReceipt, name: str) -> ft.Control:
    strings = app.strings
    facts = [
        strings.isolate(receipt.model),
        strings("network.asked_tokens", count=receipt.tokens),
        strings.time(datetime.fromtimestamp(receipt.issued, UTC)),
    ]
    return ft.Row(
        [
            ft.Column(
                [
                    ft.Text(strings.isolate(name), theme_style=ft.TextThemeStyle.TITLE_SMALL),
                    ft.Text(
                        " · ".join(facts),
                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                        color=ft.Colors.ON_SURFACE_VARIANT,
                    ),
                ],
                spacing=0,
                tight=True,
                expand=True,
                rtl=app.rtl,
            ),
            *(
                [
                    badge(
                        strings("network.asked_canary"),
                        ft.Colors.SECONDARY_CONTAINER,
                        ft.Colors.ON_SECONDARY_CONTAINER,
                    )
                ]
                if receipt.canary
                else []
            ),
        ],
        rtl=app.rtl,
        spacing=Space.M,
    )
