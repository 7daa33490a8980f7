"""The `dai` command.

What a command needs is imported when it is called: a router runs for months on a small machine, and must not
carry the libraries of models and documents.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Sequence

import typer

from app.cli.errors import describe, exit_status, terminal_strings
from app.cli.text import readable
from app.core.paths import Paths
from app.core.set_aside import take_untold


def main() -> None:
    """Run a command; what goes wrong becomes one clear line and a non-zero exit."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A letter that a pipe or terminal cannot show is no reason to fail.
            stream.reconfigure(errors="replace")
    # The terminal is for sentences, the file for the log.
    logging.getLogger().addHandler(logging.NullHandler())
    arguments = [readable(argument) for argument in sys.argv[1:]]
    try:
        status = _program(arguments)(arguments, prog_name="dai", standalone_mode=False)
    except Exception as error:  # noqa: BLE001 - a sentence for everything, never a traceback
        if message := describe(error):
            print(message, file=sys.stderr)
        status = exit_status(error)
    _tell_set_aside()
    sys.exit(status)


def _tell_set_aside() -> None:
    with contextlib.suppress(OSError):  # on a terminal that is gone
        for found in take_untold(Paths.default().data):
            print(found.told(terminal_strings()), file=sys.stderr)


def _program(arguments: Sequence[str]) -> typer.Typer:
    """The commands that may be meant."""
    if arguments[:1] != ["router"]:
        from app.cli.commands import cli

        return cli
    from app.cli.program import new_program
    from app.cli.router import router

    program = new_program()
    program.add_typer(router, name="router")
    return program
