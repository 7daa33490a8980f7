"""`dai models trade-offs`: what compressing a model costs and what it gives."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from app.cli.arguments import AsJson
from app.cli.choices import model_named
from app.cli.measuring import confirm_measuring
from app.cli.session import on_interrupt, run, services, strings_of
from app.cli.text import print_json, show_progress
from app.core.strings import Strings
from app.core.trade_off_store import TradeOff
from app.core.trade_offs import TradeOffProgress


def trade_offs(
    model: Annotated[str, typer.Argument(help="Id or name of an installed model.")],
    to: Annotated[
        list[str] | None,
        typer.Option("--to", help="A format; may be repeated. Default: all that are smaller."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Measure also beside an open DAI, unasked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare size, speed, memory and perplexity of a model and its compressed forms; takes minutes."""
    run(_measure(model, to or [], yes=yes, as_json=as_json))


async def _measure(wanted: str, formats: list[str], *, yes: bool, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        model = model_named(opened, wanted)
        confirm_measuring(opened, strings, yes=yes)

        def progress(now: TradeOffProgress) -> None:
            step = strings(f"tradeoffs.stage.{now.stage}")
            show_progress(f"{now.format} ({now.done + 1}/{now.total}): {step} {round(100 * now.overall)}%")

        task = asyncio.create_task(opened.trade_offs.measure(model.id, formats, progress=progress))
        try:
            with on_interrupt(task.cancel):
                rows = await task
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            show_progress("")
        if as_json:
            print_json(rows)
        else:
            _print(rows, strings)


def _print(rows: list[TradeOff], strings: Strings) -> None:
    heads = ("format", "size", "reading", "writing", "memory", "english", "persian")
    table = [[strings(f"tradeoffs.{head}") for head in heads]]
    for row in rows:
        memory = "" if row.peak_memory_bytes is None else strings.size(row.peak_memory_bytes)
        speeds = row.prompt_tokens_per_second, row.generation_tokens_per_second
        table.append(
            [
                row.format,
                strings.size(row.bytes),
                *(strings.number(speed, 1) for speed in speeds),
                memory,
                *(strings.number(found.value, 2) for found in row.perplexity),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
