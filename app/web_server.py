"""The server of the browser's page: it listens on this device, and answers no page but its own."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import flet_web.fastapi
import uvicorn
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

GRACE_SECONDS = 1
"""How long a page may take to say goodbye when the server stops."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        # Flet's page sets itself up in scripts of its own; no text of a model or a document becomes HTML.
        "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "connect-src 'self' data: blob:",
        "img-src 'self' data: blob:",
        "font-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "base-uri 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The page may load, ask and be shown by its own server only (Content Security Policy Level 3, W3C).

So the browser itself holds back what would leave the device: a picture that an answer names, and what the
client of Flet fetches from the internet at its start for animations that the app does not have.
"""


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


class StaysHere:
    """Tells the browser, with every answer, that the page has nothing to do with other servers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers to its answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
                headers["Referrer-Policy"] = "no-referrer"
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


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
    app.add_middleware(StaysHere)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="critical",
        ws="websockets-sansio",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return uvicorn.Server(config)
