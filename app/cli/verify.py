"""`dai models verify`: whether a model's file is still what was downloaded."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from app.cli.arguments import AsJson
from app.cli.choices import model_named
from app.cli.session import on_interrupt, run, services, strings_of
from app.cli.text import print_json, show_progress


def verify(
    model: Annotated[str, typer.Argument(help="Id or name of an installed model.")],
    as_json: AsJson = False,
) -> None:
    """Check that the file of a model is still what was downloaded."""
    run(_verify(model, as_json=as_json))


async def _verify(wanted: str, *, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        model = model_named(opened, wanted)

        def progress(done: int, total: int) -> None:
            show_progress(strings("cli.verifying_share", done=strings.size(done), total=strings.size(total)))

        checking = asyncio.ensure_future(opened.models.verify(model.id, progress))
        try:
            with on_interrupt(checking.cancel):
                check = await checking
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            show_progress("")
        if as_json:
            print_json({"model": model, "sha256": check.sha256, "known": check.known})
        elif check.known:
            print(strings("cli.verified", name=model.name))
        else:
            print(strings("cli.verified_unknown", name=model.name, sha256=check.sha256))
