"""The `dai` command."""

from __future__ import annotations

import io
import logging
import sys
from typing import Annotated

import typer

from app import __version__
from app.cli import doctor, evaluate, launch, models
from app.cli.ask import ask
from app.cli.bench import bench
from app.cli.chat import chat
from app.cli.conversations import conversations
from app.cli.errors import describe, exit_status
from app.cli.knowledge import knowledge
from app.cli.network import network
from app.cli.router import router
from app.cli.text import readable
from app.cli.worker import worker


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(f"dai {__version__}")
        raise typer.Exit


cli = typer.Typer(
    name="dai",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@cli.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Ask your own device, your own documents: a private, offline-first AI chat."""


cli.command("app")(launch.app)
cli.command("web")(launch.web)
cli.command("ask")(ask)
cli.command("chat")(chat)
knowledge.command("eval")(evaluate.evaluate)
cli.add_typer(knowledge, name="kb")
cli.add_typer(conversations, name="conversations")
cli.add_typer(models.models, name="models")
cli.add_typer(network, name="network")
cli.command("worker")(worker)
cli.command("bench")(bench)
cli.command("router")(router)
cli.command("doctor")(doctor.doctor)


def main() -> None:
    """Run a command; what goes wrong becomes one clear line and a non-zero exit."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A letter that a pipe or terminal cannot show is no reason to fail.
            stream.reconfigure(errors="replace")
    # The terminal is for sentences, the file for the log.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        status = cli(
            [readable(argument) for argument in sys.argv[1:]], prog_name="dai", standalone_mode=False
        )
    except Exception as error:  # noqa: BLE001 - a sentence for everything, never a traceback
        if message := describe(error):
            print(message, file=sys.stderr)
        status = exit_status(error)
    sys.exit(status)
