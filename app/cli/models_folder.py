"""`dai models where` and `dai models move`: the folder in which the models lie."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from app.cli.arguments import AsJson
from app.cli.errors import CommandError
from app.cli.session import on_interrupt, run, services, strings_of
from app.cli.text import print_json, show_progress


def where(as_json: AsJson = False) -> None:
    """Show the folder of the models, what they take, and what its disk has left."""
    run(_where(as_json=as_json))


async def _where(*, as_json: bool) -> None:
    async with services() as opened:
        strings, place = strings_of(opened), opened.models_folder.where()
        if as_json:
            print_json(place)
            return
        print(place.folder)
        sizes = {"size": strings.size(place.bytes), "free": strings.size(place.free_bytes)}
        print(strings("folder.sizes", **sizes) if place.there else strings("folder.missing"))


def move(
    folder: Annotated[str, typer.Argument(help="The new folder; it is made where there is none.")] = "",
    back: Annotated[bool, typer.Option("--default", help="Back into the app's own data folder.")] = False,
) -> None:
    """Move all models to another folder or disk; Ctrl-C takes it back, and a kill loses nothing."""
    if bool(folder) == back:
        raise CommandError("cli.move_where")
    run(_move(None if back else folder))


async def _move(folder: str | None) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        if folder is None and not opened.models_folder.where().there:
            print(strings("folder.moved", folder=await opened.models_folder.give_up()))
            return

        def progress(done: int, total: int) -> None:
            show_progress(strings("cli.moving", percent=100 * done // max(total, 1)))

        moving = asyncio.ensure_future(opened.models_folder.move(folder, progress))
        try:
            with on_interrupt(moving.cancel):
                target = await moving
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            show_progress("")
        print(strings("folder.moved", folder=target))
