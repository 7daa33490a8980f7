"""`dai models found`: models that other programs have brought to this device."""

from __future__ import annotations

import sys

from app.cli.arguments import AsJson
from app.cli.session import run, services, strings_of
from app.cli.text import dim, print_json


def found(as_json: AsJson = False) -> None:
    """List models of other programs on this device; `dai models add PATH --link` uses one without a copy."""
    run(_found(as_json=as_json))


async def _found(*, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        models = opened.programs.look().offered
        if as_json:
            print_json(models)
            return
        if not models:
            print(strings("cli.nothing_found"), file=sys.stderr)
        for model in models:
            parts = [model.program, model.name, model.known_as, model.quantisation]
            shown = [strings.isolate(part) for part in dict.fromkeys(parts) if part]
            print(" · ".join([*shown, strings.size(model.bytes)]))
            print(f"    {dim(str(model.path))}")
