"""`dai app` and `dai web`: start the user interface."""

from __future__ import annotations

from typing import Annotated

import typer


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
    from app.main import run_web

    run_web(port=port)
