"""Other devices: routers, groups, who is known, and what has left this device."""

from __future__ import annotations

import flet as ft

from app.core.errors import RecordsLost
from app.core.network.groups import GroupKind
from app.ui import routes
from app.ui.components.asked_section import asked_section
from app.ui.components.asking_section import asking_section
from app.ui.components.controls import card, icon_button, marked, menu
from app.ui.components.device_rows import devices_section, own_section
from app.ui.components.group_rows import groups_section
from app.ui.components.header import header
from app.ui.components.network_start import network_start
from app.ui.components.offline_switch import offline_card
from app.ui.components.page import page, reading_list
from app.ui.components.router_card import router_card
from app.ui.components.setting_rows import label_of, notice
from app.ui.components.worker_section import WorkerSection
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation, GroupStart, RouterEntry
from app.ui.state.network import NetworkState
from app.ui.theme import READING_WIDTH, Space


@ft.component
def NetworkScreen(app: AppState, state: NetworkState) -> ft.Control:
    """The offline switch on top; what this is, until something is set up."""
    ft.use_effect(app.network.enter_screen, dependencies=[], cleanup=app.network.leave_screen)
    strings = app.strings
    ways = [
        (ft.Icons.ROUTER_OUTLINED, strings("network.router_add"), lambda: app.dialogs.show(RouterEntry())),
        (
            ft.Icons.GROUPS_OUTLINED,
            strings("network.circle_add"),
            lambda: app.dialogs.show(GroupStart(GroupKind.CIRCLE)),
        ),
    ]
    actions = [
        icon_button(
            ft.Icons.RECEIPT_LONG_OUTLINED,
            strings("ledger.title"),
            lambda: app.go(routes.LEDGER),
            identifier="open-ledger",
        ),
        menu(app, strings("network.add"), ways, identifier="add-network", icon=ft.Icons.ADD, size=24),
    ]
    return page(
        header(app, strings("nav.network"), actions=actions, width=READING_WIDTH),
        reading_list(_parts(app, state)),
    )


def _parts(app: AppState, state: NetworkState) -> list[ft.Control]:
    strings = app.strings
    if not state.known:
        return [ft.ProgressBar()]
    parts = [offline_card(app)]
    if state.lost:
        text = strings("network.lost")
        parts.append(notice(app, ft.Icons.WARNING_AMBER, text, ft.Colors.ERROR, identifier="lost"))
    if state.problem is not None:
        parts.append(_problem(app, state.problem))
    elif state.empty:
        parts.append(network_start(app))
    else:
        parts += [
            groups_section(app, state.groups),
            *(_routers(app, state)),
            WorkerSection(app, app.working.state),
            asking_section(app),
            *asked_section(app, state),
            own_section(app, state),
            devices_section(app, state),
        ]
    parts.append(_ledger(app, state))
    return parts


def _routers(app: AppState, state: NetworkState) -> list[ft.Control]:
    strings = app.strings
    add = marked(
        ft.OutlinedButton(
            strings("network.router_add"),
            icon=ft.Icons.ADD,
            on_click=lambda: app.dialogs.show(RouterEntry()),
        ),
        identifier="add-router",
    )
    heading = ft.Container(
        ft.Row(
            [ft.Text(strings("network.routers"), theme_style=ft.TextThemeStyle.TITLE_MEDIUM, expand=True)],
            rtl=app.rtl,
        ),
        padding=ft.Padding.only(top=Space.S),
    )
    if not state.routers:
        return [
            heading,
            card(
                ft.Column(
                    [
                        label_of(app, strings("network.routers_none"), strings("network.about_router")),
                        ft.Row([add], rtl=app.rtl),
                    ],
                    spacing=Space.M,
                    tight=True,
                    horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
                )
            ),
        ]
    return [heading, *(router_card(app, row) for row in state.routers)]


def _problem(app: AppState, problem: Exception) -> ft.Control:
    return card(
        ft.Column(
            [
                notice(
                    app,
                    ft.Icons.ERROR_OUTLINE,
                    app.strings.error(problem),
                    ft.Colors.ERROR,
                    identifier="network-problem",
                ),
                ft.Row([_way_out(app, problem)], rtl=app.rtl),
            ],
            spacing=Space.M,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        )
    )


def _way_out(app: AppState, problem: Exception) -> ft.Control:
    strings = app.strings
    if not isinstance(problem, RecordsLost):
        retry = ft.OutlinedButton(strings("action.retry"), on_click=app.network.refresh)
        return marked(retry, identifier="network-retry")
    sure = Confirmation(
        strings("network.begin_anew_title"),
        strings("network.begin_anew_text"),
        strings("network.begin_anew"),
        app.network.begin_anew,
    )
    button = ft.OutlinedButton(strings("network.begin_anew"), on_click=lambda: app.dialogs.show(sure))
    return marked(button, identifier="network-begin-anew")


def _ledger(app: AppState, state: NetworkState) -> ft.Control:
    strings, summary = app.strings, state.summary
    text = strings(
        "ledger.day",
        count=summary.connections,
        sent=strings.size(summary.sent_bytes),
        received=strings.size(summary.received_bytes),
    )
    return card(
        ft.Row(
            [
                ft.Container(label_of(app, strings("ledger.title"), text), expand=True),
                marked(
                    ft.TextButton(strings("ledger.open"), on_click=lambda: app.go(routes.LEDGER)),
                    identifier="ledger-link",
                ),
            ],
            rtl=app.rtl,
            spacing=Space.M,
        )
    )
