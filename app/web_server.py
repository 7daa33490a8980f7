"""The server of the browser's page: it listens on this device, and answers no page but its own."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import flet_web.fastapi
import uvicorn
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

GRACE_SECONDS = 1
"""How long a page may take to say goodbye when the server stops."""


class OwnPagesOnly:
    """Refuses what another website makes the browser ask.

    Browsers let any page open a WebSocket to any address (cross-site WebSocket hijacking), and a name
    that a stranger owns may point to this device (DNS rebinding). So a request must come from a page of
    this very server (`Origin`, RFC 6454), and must have asked for an address, for `localhost`, or for
    `name`. Programs that are no browsers send no origin and are let in.
    """

    def __init__(self, app: ASGIApp, name: str) -> None:
        """`name` is the host that the server was told to listen on."""
        self._app = app
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if scope["type"] in ("http", "websocket") and not self._allows(Headers(scope=scope)):
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1008})
            else:
                await PlainTextResponse("Only this server's own page may ask.", 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _allows(self, headers: Headers) -> bool:
        host = headers.get("host", "")
        origin = headers.get("origin")
        try:
            asked = urlsplit(f"//{host}").hostname or ""
            comes_from = host if origin is None else urlsplit(origin).netloc
        except ValueError:
            return False
        return comes_from == host and (asked in ("localhost", self._name.lower()) or _is_address(asked))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def make_server(
    main: Callable[..., Any],
    *,
    host: str,
    port: int,
    page: str,
    assets: Path,
    uploads: Path,
    on_start: Callable[[], None],
    on_stop: Callable[[], Any],
) -> uvicorn.Server:
    """A server of the app; its `serve()` ends when the process is told to stop (SIGINT, SIGTERM).

    Args:
        main: What runs for each session.
        host: The interface.
        port: Its port.
        page: The path of the app, "" for the root.
        assets: Fonts and pictures.
        uploads: Where files from the browser are put.
        on_start: Called when the port is about to be opened.
        on_stop: Called, and awaited if it is a coroutine function, before the process ends.
    """
    app = flet_web.fastapi.FastAPI(
        docs_url=None, redoc_url=None, openapi_url=None, on_startup=[on_start], on_shutdown=[on_stop]
    )
    app.mount(
        f"/{page.strip('/')}",
        flet_web.fastapi.app(main, upload_dir=str(uploads), assets_dir=str(assets), no_cdn=True),
    )
    app.add_middleware(OwnPagesOnly, name=host)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="critical",
        ws="websockets-sansio",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return uvicorn.Server(config)
