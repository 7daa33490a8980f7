"""Starts the screen: in a window, in the browser, or as a packaged app."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

import flet as ft
from flet.utils import get_bool_env_var, get_free_tcp_port, is_linux_server

from app.core.paths import Paths
from app.core.settings import SettingsStore
from app.core.strings import Strings
from app.ui import theme

log = logging.getLogger(__name__)

without_display: Callable[[], bool] = is_linux_server
free_port: Callable[[], int] = get_free_tcp_port

ASSETS = Path(__file__).resolve().parent.parent / "assets"
LOCALHOST = "127.0.0.1"


async def main(page: ft.Page) -> None:
    """One session: a window, or a tab of the browser."""
    page.title = "DAI"
    page.padding = 0
    page.fonts = theme.FONTS
    page.theme = theme.make_theme(theme.LIGHT, 1.0)
    page.dark_theme = theme.make_theme(theme.DARK, 1.0)
    page.update()

    # Engines and stores are imported after the first frame: it must not wait for them.
    from app.ui.process import process
    from app.ui.root import Root
    from app.ui.state.app import AppState

    shared = await process()
    app = AppState(page, shared.services, shared.live)
    page.on_resize = lambda event: app.resized(event.width)
    page.on_platform_brightness_change = lambda event: app.brightness_changed()
    page.on_close = lambda event: app.close()
    page.render_views(Root, app)
    await app.start()


def run_app() -> None:
    """Open the app in its own window; returns when that is closed.

    Where there is no display, or the window's program is neither here nor can be had, the app is
    served to a browser instead. What `flet run` asks for by its environment goes first.
    """
    if without_display() and not get_bool_env_var("FLET_FORCE_WEB_SERVER"):
        run_web()
        return
    try:
        _run(view=ft.AppView.FLET_APP, host=LOCALHOST, port=0)
    except OSError as error:
        log.warning("no window, serving to the browser: %s", type(error).__name__)
        run_web()


def run_web(host: str = LOCALHOST, port: int = 8550) -> None:
    """Serve the app to a browser on this device, and open it there; returns when it is stopped.

    Port 0 takes a free one.
    """
    port = port or free_port()
    settings = SettingsStore(Paths.default().settings).current
    sys.stderr.write(Strings(settings.language)("app.serving", url=f"http://{host}:{port}") + "\n")
    _run(view=ft.AppView.WEB_BROWSER, host=host, port=port)


def _run(*, view: ft.AppView, host: str, port: int) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(view, host, port))


async def _serve(view: ft.AppView, host: str, port: int) -> None:
    from app.ui.process import close_process

    os.environ["FLET_WEB_NO_CDN"] = "true"  # nothing is fetched from the internet
    os.environ.setdefault("FLET_SECRET_KEY", secrets.token_hex(32))  # signs the addresses of uploads
    try:
        await ft.run_async(
            main,
            name="",
            host=host,
            port=port,
            view=view,
            assets_dir=str(ASSETS),
            upload_dir=str(Paths.default().create().uploads),
            no_cdn=True,
        )
    finally:
        await close_process()
