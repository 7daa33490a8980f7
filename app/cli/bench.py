"""`dai bench`: how fast a model is on this device."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from app.cli.arguments import AsJson
from app.cli.choices import model_named
from app.cli.errors import terminal_strings
from app.cli.measuring import confirm_measuring
from app.cli.session import on_interrupt, run, services, strings_of
from app.cli.text import print_json, show_progress
from app.core.benchmarking import BenchmarkStore, as_csv, compare
from app.core.errors import NoModelInstalled
from app.core.paths import Paths
from app.core.strings import Strings
from engines.benchmark import BenchmarkPlan, BenchmarkProgress, BenchmarkResult


class ExportFormat(StrEnum):
    """How results are exported."""

    CSV = "csv"
    JSON = "json"


def bench(
    model: Annotated[str, typer.Argument(help="Id or name of a model; else the one that answers.")] = "",
    minutes: Annotated[
        float, typer.Option("--minutes", help="Then answer without a break for so long.")
    ] = 0.0,
    repetitions: Annotated[int, typer.Option("--repetitions", help="Measure so often.")] = 3,
    threads: Annotated[int, typer.Option("--threads", help="Threads that generate; 0: chosen.")] = 0,
    listed: Annotated[bool, typer.Option("--list", help="List earlier results.")] = False,
    compared: Annotated[
        tuple[str, str] | None,
        typer.Option("--compare", help="Two ids, or how they begin."),
    ] = None,
    export: Annotated[ExportFormat | None, typer.Option("--export", help="Print all results.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Measure also beside an open DAI, unasked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure reading (pp512), writing (tg128), the first token, memory and energy; keep the result."""
    store = BenchmarkStore(Paths.default().benchmarks)
    if export is not None:
        _export(store, export)
    elif compared is not None:
        _compare(store, *compared, as_json=as_json)
    elif listed:
        _list(store, as_json=as_json)
    else:
        plan = BenchmarkPlan(repetitions=repetitions, minutes=minutes)
        run(_bench(model, plan, threads or None, yes=yes, as_json=as_json))


async def _bench(wanted: str, plan: BenchmarkPlan, threads: int | None, *, yes: bool, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        model = model_named(opened, wanted) if wanted else opened.models.chosen()
        if model is None:
            raise NoModelInstalled
        confirm_measuring(opened, strings, yes=yes)

        def progress(now: BenchmarkProgress) -> None:
            rate = "" if now.tokens_per_second is None else _rate(now.tokens_per_second, strings)
            show_progress(f"{strings(f'bench.stage.{now.stage}')} {round(100 * now.share)}% {rate}".rstrip())

        options = opened.models.options(model)
        if threads is not None:
            options = replace(options, threads=threads)
        try:
            with on_interrupt(opened.benchmarking.cancel):
                result = await opened.benchmarking.run(model.id, plan, progress, options)
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            show_progress("")
        if as_json:
            print_json(result)
        else:
            _print(result, strings)


def _list(store: BenchmarkStore, *, as_json: bool) -> None:
    results, strings = store.list(), terminal_strings()
    if as_json:
        print_json(results)
        return
    for result in results:
        print(f"{result.id}  {_heading(result, strings)}")
        speeds = _rate(result.prompt.median, strings), _rate(result.generation.median, strings)
        print(f"    pp{result.prompt.tokens} {speeds[0]} · tg{result.generation.tokens} {speeds[1]}")


def _compare(store: BenchmarkStore, before: str, after: str, *, as_json: bool) -> None:
    old, new = store.get(before), store.get(after)
    differences, strings = compare(old, new), terminal_strings()
    if as_json:
        print_json(
            [
                {"figure": found.figure, "before": found.before, "after": found.after, "ratio": found.ratio}
                for found in differences
            ]
        )
        return
    print(f"{_heading(old, strings)} → {_heading(new, strings)}")
    for found in differences:
        numbers = (strings.number(value, 2) for value in (found.before, found.after, found.ratio))
        print(f"{found.figure:20} " + "  ".join(f"{number:>16}" for number in numbers))


def _export(store: BenchmarkStore, wanted: ExportFormat) -> None:
    if wanted is ExportFormat.JSON:
        print_json(store.list())
    else:
        print(as_csv(store.list()), end="")


def _print(result: BenchmarkResult, strings: Strings) -> None:
    print(_heading(result, strings))
    for name, speed in (("pp", result.prompt), ("tg", result.generation)):
        spread = strings.number(speed.deviation, 1)
        print(f"{name}{speed.tokens}: {_rate(speed.median, strings)} (± {spread})")
    lines = {
        "bench.first_token": strings("bench.seconds", number=strings.number(result.first_token_seconds, 2)),
        "bench.load": strings("bench.seconds", number=strings.number(result.load_seconds, 2)),
        "bench.memory": result.peak_memory_bytes and strings.size(result.peak_memory_bytes),
        "bench.energy": result.energy
        and strings("bench.joules", number=strings.number(result.energy.joules / result.energy.tokens, 2)),
        "bench.sustained": result.sustained_share and f"{strings.number(100 * result.sustained_share)}%",
    }
    for key, text in lines.items():
        if text:
            print(f"{strings(key)}: {text}")
    print(f"{strings('bench.kept')}: {result.id}")


def _heading(result: BenchmarkResult, strings: Strings) -> str:
    name, kind = strings.isolate(result.model.name), strings.isolate(result.model.quantisation)
    return f"{name} · {kind} · {strings.size(result.model.bytes)} · {result.measured_at[:16]}"


def _rate(rate: float, strings: Strings) -> str:
    return strings("bench.rate", number=strings.number(rate, 1))
