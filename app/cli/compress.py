"""`dai models compress`: a smaller copy of a model."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from app.cli.arguments import AsJson
from app.cli.choices import model_named
from app.cli.session import on_interrupt, run, services, strings_of
from app.cli.text import print_json, show_progress
from engines.compression import FORMATS, CompressionProgress, CompressionStage

_KEYS = {CompressionStage.COMPRESSING: "cli.compressing", CompressionStage.CHECKING: "cli.checking_copy"}


def compress(
    model: Annotated[str, typer.Argument(help="Id or name of an installed model.")],
    to: Annotated[
        str, typer.Option("--to", help=f"The format: {', '.join(known.name for known in FORMATS)}.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Make a smaller copy of a model; without --to, tell how large it would be in each format."""
    run(_compress(model, to, as_json=as_json) if to else _sizes(model, as_json=as_json))


async def _sizes(wanted: str, *, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        sizes = await opened.compression.sizes(model_named(opened, wanted).id)
        if as_json:
            print_json(
                [
                    {"format": size.format.name, "bytes": size.bytes, "smaller": size.worthwhile}
                    for size in sizes
                ]
            )
            return
        for size in sizes:
            if size.bytes is not None:
                mark = " " if size.worthwhile else "-"
                print(f"{mark} {size.format.name:7} {strings.size(size.bytes)}")


async def _compress(wanted: str, target: str, *, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        model = model_named(opened, wanted)
        if model.quantisation not in ("F32", "F16", "BF16"):
            print(strings("cli.compress_again", name=model.name), file=sys.stderr)

        def progress(now: CompressionProgress) -> None:
            percent = round(100 * now.share)
            show_progress(strings(_KEYS[now.stage], percent=percent, size=strings.size(now.predicted_bytes)))

        def interrupt() -> None:
            if not opened.compression.can_be_cancelled:
                print(strings("cli.cancel_impossible"), file=sys.stderr)
            opened.compression.cancel()

        try:
            with on_interrupt(interrupt):
                copy = await opened.compression.compress(model.id, target, progress)
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            show_progress("")
        if as_json:
            print_json(copy)
        else:
            sizes = {"size": strings.size(copy.bytes), "before": strings.size(model.bytes)}
            print(strings("cli.compressed", name=copy.name, format=copy.quantisation, **sizes))
