"""What is said before something is measured."""

from __future__ import annotations

import sys

import typer

from app.core.strings import Strings
from app.services import Services


def confirm_measuring(opened: Services, strings: Strings, *, yes: bool) -> None:
    """Ask before measuring beside a DAI that is open, which may answer or hold a model in memory meanwhile.

    Where nobody can be asked, as in a script, it is only said. Ends the command if the user declines.
    """
    if yes or opened.instance.held:
        return
    print(strings("cli.measuring_beside"), file=sys.stderr)
    if sys.stdin.isatty():
        typer.confirm(strings("cli.measure_anyway"), abort=True, err=True)
