"""The program that commands are added to."""

from __future__ import annotations

from typing import Annotated

import typer

from app import __version__


def new_program() -> typer.Typer:
    """`dai` without its commands."""
    program = typer.Typer(
        name="dai",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    program.callback()(_options)
    return program


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(f"dai {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Ask your own device, your own documents: a private, offline-first AI chat."""
