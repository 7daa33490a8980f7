"""`dai app` and `dai web`: start the user interface."""

from __future__ import annotations

import importlib.util
from typing import Annotated

import typer

from app.cli.errors import CommandError


def app() -> None:
    """Open the app in its own window."""
    from app.main import run_app

    run_app()


def web(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on this device; 0 takes a free one.")
    ] = 8550,
) -> None:
    """Open the app in the browser; it listens on this device only."""
    if importlib.util.find_spec("flet_web") is None:
        raise CommandError("cli.no_browser_client")
    from app.main import LOCALHOST, is_free, run_web

    if not is_free(LOCALHOST, port):  # the server would end the process with a traceback
        raise CommandError("cli.port_taken", port=str(port))
    run_web(port=port)
