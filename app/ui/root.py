"""The root of the screen: theme, navigation, routes."""

from __future__ import annotations

import flet as ft

from app.core.settings import Settings
from app.ui import routes, theme
from app.ui.components.dialogs import Dialogs
from app.ui.screens.chat import ChatScreen, ListPane
from app.ui.screens.find import FindScreen
from app.ui.screens.knowledge import KnowledgeScreen
from app.ui.screens.ledger import LedgerScreen
from app.ui.screens.model_details import ModelDetailsScreen
from app.ui.screens.models import ModelsScreen
from app.ui.screens.network import NetworkScreen
from app.ui.screens.server import ServerScreen
from app.ui.screens.settings import SettingsScreen
from app.ui.screens.speed import SpeedScreen
from app.ui.state.app import AppState
from app.ui.theme import Layout, Space

DESTINATIONS = (
    ("/", "nav.chat", ft.Icons.CHAT_BUBBLE_OUTLINE, ft.Icons.CHAT_BUBBLE),
    ("/knowledge", "nav.knowledge", ft.Icons.MENU_BOOK_OUTLINED, ft.Icons.MENU_BOOK),
    ("/models", "nav.models", ft.Icons.MEMORY_OUTLINED, ft.Icons.MEMORY),
    (routes.NETWORK, "nav.network", ft.Icons.HUB_OUTLINED, ft.Icons.HUB),
    ("/settings", "nav.settings", ft.Icons.SETTINGS_OUTLINED, ft.Icons.SETTINGS),
)
LOCALES = {"en": ft.Locale("en", "US"), "fa": ft.Locale("fa", "IR")}


@ft.component
def Root(app: AppState) -> ft.Control:
    """Applies the settings to the page and shows the screen of the route."""
    ft.use_effect(
        lambda: apply_settings(app.page, app.settings),
        dependencies=[app.settings.language, app.settings.theme, app.settings.text_scale],
    )
    return ft.Router(
        [
            ft.Route(
                component=lambda: Shell(app),
                outlet=True,
                children=[
                    ft.Route(index=True, component=lambda: ChatScreen(app)),
                    ft.Route(path="conversations", component=lambda: ListPane(app)),
                    ft.Route(path="knowledge", component=lambda: KnowledgeScreen(app, app.knowledge.state)),
                    ft.Route(
                        path="models", component=lambda: ModelsScreen(app, app.models.state, app.store.state)
                    ),
                    ft.Route(
                        path=routes.INSTALLED,
                        component=lambda: ModelDetailsScreen(app, routes.model_of(app.page.route)),
                    ),
                    ft.Route(
                        path=routes.SPEED.removeprefix("/"),
                        component=lambda: SpeedScreen(app, app.models.state, app.speed.state, app.jobs.state),
                    ),
                    ft.Route(
                        path="models/find",
                        component=lambda: FindScreen(app, app.find.state, app.store.state, app.models.state),
                    ),
                    ft.Route(
                        path=routes.SERVER.removeprefix("/"),
                        component=lambda: ServerScreen(app, app.servers.form),
                    ),
                    ft.Route(path="network", component=lambda: NetworkScreen(app, app.network.state)),
                    ft.Route(
                        path=routes.LEDGER.removeprefix("/"),
                        component=lambda: LedgerScreen(app, app.ledger.state),
                    ),
                    ft.Route(path="settings", component=lambda: SettingsScreen(app)),
                ],
            )
        ],
        manage_views=True,
    )


@ft.component
def Shell(app: AppState) -> ft.View:
    """Bar below or rail at the side, and the screen.

    `page.rtl` stays False: below a right-to-left control nothing can run left to right again,
    and answers and code need that. Every part sets its own direction, or its order.
    """
    outlet = ft.use_route_outlet()
    phone = app.layout is Layout.PHONE
    screen = ft.Container(outlet, expand=True)
    body: list[ft.Control] = [screen]
    if not phone:
        body = [_rail(app), ft.VerticalDivider(width=1, color=ft.Colors.OUTLINE_VARIANT), screen]
    return ft.View(
        route="/",  # constant: no page transition between the screens
        controls=[
            ft.SafeArea(
                ft.Row(
                    body[::-1] if app.rtl else body,
                    expand=True,
                    spacing=0,
                    vertical_alignment=ft.CrossAxisAlignment.STRETCH,
                ),
                expand=True,
            ),
            Dialogs(app, app.dialogs),
        ],
        navigation_bar=_bar(app) if phone else None,
        padding=0,
        spacing=0,
        bgcolor=ft.Colors.SURFACE,
    )


def _selected() -> int:
    matches = (
        index for index, (route, *_) in enumerate(DESTINATIONS) if route != "/" and ft.is_route_active(route)
    )
    return next(matches, 0)


def _go(app: AppState, index: int | None) -> None:
    app.go(DESTINATIONS[index or 0][0])


def _bar(app: AppState) -> ft.NavigationBar:
    return ft.NavigationBar(
        rtl=app.rtl,
        selected_index=_selected(),
        on_change=lambda event: _go(app, event.control.selected_index),
        destinations=[
            ft.NavigationBarDestination(icon=icon, selected_icon=selected, label=app.strings(label))
            for _, label, icon, selected in DESTINATIONS
        ],
    )


def _rail(app: AppState) -> ft.NavigationRail:
    return ft.NavigationRail(
        rtl=app.rtl,
        selected_index=_selected(),
        on_change=lambda event: _go(app, event.control.selected_index),
        label_type=ft.NavigationRailLabelType.ALL,
        min_width=88,
        group_alignment=-1,
        leading=ft.Container(
            ft.Image(src="icon.png", width=40, height=40, border_radius=theme.Radius.M),
            padding=ft.Padding.symmetric(vertical=Space.M),
        ),
        destinations=[
            ft.NavigationRailDestination(icon=icon, selected_icon=selected, label=app.strings(label))
            for _, label, icon, selected in DESTINATIONS
        ],
    )


def apply_settings(page: ft.Page, settings: Settings) -> None:
    """Put theme, text size and language on the page."""
    page.theme = theme.make_theme(theme.LIGHT, settings.text_scale)
    page.dark_theme = theme.make_theme(theme.DARK, settings.text_scale)
    page.theme_mode = ft.ThemeMode(settings.theme)
    page.locale_configuration = ft.LocaleConfiguration(
        supported_locales=list(LOCALES.values()), current_locale=LOCALES[settings.language]
    )
    page.update()
