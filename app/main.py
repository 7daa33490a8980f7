"""Starts the screen: in a window, in the browser, or as a packaged app."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
import secrets
import socket
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import flet as ft
from flet.utils import get_bool_env_var, get_free_tcp_port, is_linux_server, open_in_browser

from app.core.ending import run_until_told_to_end
from app.core.paths import Paths
from app.core.settings import SettingsStore
from app.core.strings import Strings
from app.ui import theme

log = logging.getLogger(__name__)

without_display: Callable[[], bool] = is_linux_server
free_port: Callable[[], int] = get_free_tcp_port

ASSETS = Path(__file__).resolve().parent.parent / "assets"
LOCALHOST = "127.0.0.1"
PORT = 8550


async def main(page: ft.Page) -> None:
    """One session: a window, or a tab of the browser."""
    page.title = "DAI"
    page.padding = 0
    page.fonts = theme.FONTS
    page.theme = theme.make_theme(theme.LIGHT, 1.0)
    page.dark_theme = theme.make_theme(theme.DARK, 1.0)
    page.update()

    await _open(page, Browser(page))


async def _open(page: ft.Page, browser: Browser) -> None:
    # Engines and stores are imported after the first frame: it must not wait for them.
    from app.core.errors import ModelsMoving
    from app.ui.process import process
    from app.ui.root import Root
    from app.ui.shortcuts import pressed
    from app.ui.start_failure import show_start_failure
    from app.ui.state.app import AppState

    async def retry() -> None:
        await _open(page, browser)

    while True:
        try:
            shared = await process()
            break
        except ModelsMoving as error:  # by a terminal; each attempt waits for some seconds
            _show_waiting(page, error)
        except Exception as error:
            log.exception("the app cannot open its data")
            show_start_failure(page, error, retry)
            return
    if not await browser.wait():
        return
    app = AppState(page, shared.services, shared.live)
    page.on_resize = lambda event: app.resized(event.width)
    page.on_platform_brightness_change = lambda event: app.brightness_changed()
    page.on_keyboard_event = lambda event: pressed(app, event)
    page.on_connect = lambda event: app.reconnected()
    page.on_close = lambda event: app.close()
    page.render_views(Root, app)
    await app.start()


class Browser:
    """Knows whether the page's browser is there.

    It may lose the connection for a moment while the app opens, and Flet drops what a page does meanwhile,
    such as to follow its own address.
    """

    def __init__(self, page: ft.Page) -> None:
        self._session = page.session
        self._changed = asyncio.Event()
        self._gone = False
        page.on_connect = lambda event: self._changed.set()
        page.on_close = lambda event: self._closed()

    async def wait(self) -> bool:
        """Wait until it is there; False if it does not come back."""
        while getattr(self._session, "connection", None) is None:  # typed as if there always were one
            if self._gone:
                return False
            await self._changed.wait()
            self._changed.clear()
        return True

    def _closed(self) -> None:
        self._gone = True
        self._changed.set()


def _show_waiting(page: ft.Page, error: Exception) -> None:
    settings = SettingsStore(Paths.default().settings).current
    strings = Strings(settings.language, persian_digits=settings.persian_digits)
    text = ft.Text(strings.error(error), text_align=ft.TextAlign.CENTER)
    page.views = [
        ft.View(
            controls=[
                ft.ProgressRing(),
                ft.Container(
                    ft.Row([ft.Container(text, expand=True)], rtl=strings.right_to_left), padding=24
                ),
            ],
            vertical_alignment=ft.MainAxisAlignment.CENTER,
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        )
    ]
    page.update()


def run_app() -> None:
    """Open the app in its own window; returns when that is closed.

    Where there is no display, or the window's program is neither here nor can be had, the app is
    served to a browser instead. What `flet run` asks for by its environment goes first.
    """
    if get_bool_env_var("FLET_FORCE_WEB_SERVER"):
        _serve_for_flet_run()
        return
    if without_display():
        run_web()
        return
    try:
        _run(_open_window())
    except OSError as error:
        log.warning("no window, serving to the browser: %s", type(error).__name__)
        run_web()


def run_web(host: str = LOCALHOST, port: int | None = None) -> None:
    """Serve the app to a browser on this device, and open it there; returns when it is stopped.

    Port 0 takes a free one; without a port it is 8550, or a free one if that is taken. Ends the
    process where the browser's part is not installed.
    """
    if port is None and is_free(host, PORT):
        port = PORT
    port = port or free_port()
    url = f"http://{host}:{port}"
    strings = Strings(SettingsStore(Paths.default().settings).current.language)
    if importlib.util.find_spec("flet_web") is None:
        raise SystemExit(strings("cli.no_browser_client"))
    Paths.default().create()
    sys.stderr.write(strings("app.serving", url=url) + "\n")
    _run(_serve_page(host, port, on_start=lambda: None if without_display() else open_in_browser(url)))


def is_free(host: str, port: int) -> bool:
    """Whether a server can listen there."""
    with socket.socket() as probe:
        if os.name == "posix":  # as the server does: a port of which only old connections are left is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _serve_for_flet_run() -> None:
    """`flet run --web` says where to listen, and waits for a line with the address."""
    host = os.environ.get("FLET_SERVER_IP") or LOCALHOST
    port = int(os.environ.get("FLET_SERVER_PORT") or 0) or free_port()
    page = os.environ.get("FLET_WEB_APP_PATH", "").strip("/")
    prefix = os.environ.get("FLET_DISPLAY_URL_PREFIX")

    def tell() -> None:
        if prefix is not None:
            address = f"http://{host}:{port}/{page}".rstrip("/")
            sys.stdout.write(f"{prefix} {address} {ft.AppView.WEB_BROWSER.value}\n")
            sys.stdout.flush()

    _run(_serve_page(host, port, page, on_start=tell))


def _run(until_closed: Coroutine[Any, Any, None]) -> None:
    os.environ["FLET_WEB_NO_CDN"] = "true"  # nothing is fetched from the internet
    os.environ.setdefault("FLET_SECRET_KEY", secrets.token_hex(32))  # signs the addresses of uploads
    with contextlib.suppress(KeyboardInterrupt):
        run_until_told_to_end(until_closed)


async def _open_window() -> None:
    from app.ui.process import close_process

    try:
        await ft.run_async(main, name="", host=LOCALHOST, assets_dir=str(ASSETS), no_cdn=True)
    finally:
        await close_process()


async def _serve_page(host: str, port: int, page: str = "", *, on_start: Callable[[], None]) -> None:
    from app.ui.process import close_process
    from app.web_server import make_server

    uploads = Paths.default().create().uploads
    server = make_server(
        main,
        host=host,
        port=port,
        page=page,
        assets=ASSETS,
        uploads=uploads,
        on_start=on_start,
        on_stop=close_process,
    )
    try:
        await server.serve()
    finally:
        await close_process()
