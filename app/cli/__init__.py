"""The `dai` command."""

from __future__ import annotations

import sys

import typer

from app.cli import doctor, launch, models
from app.cli.ask import ask
from app.cli.chat import chat
from app.cli.errors import describe
from app.cli.knowledge import knowledge

cli = typer.Typer(
    name="dai",
    help="Ask your own device, your own documents: a private, offline-first AI chat.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
cli.command("app")(launch.app)
cli.command("web")(launch.web)
cli.command("ask")(ask)
cli.command("chat")(chat)
cli.add_typer(knowledge, name="kb")
cli.add_typer(models.models, name="models")
cli.command("doctor")(doctor.doctor)


def main() -> None:
    """Run a command; what goes wrong becomes one clear line and a non-zero exit."""
    try:
        cli()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe has gone; Python would complain at its exit
        sys.exit(0)
    except Exception as error:
        message = describe(error)
        if message is None:
            raise
        print(message, file=sys.stderr)
        sys.exit(1)
