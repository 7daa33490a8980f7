"""`dai models options`: how a model is loaded and how it answers, and who decided that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.arguments import AsJson
from app.cli.choices import model_named
from app.cli.errors import CommandError
from app.cli.servers import server_named
from app.cli.session import run, services, strings_of
from app.cli.text import print_json
from app.core.errors import OptionUnknown
from app.core.model_options import (
    ANSWER_OPTIONS,
    LOAD_OPTIONS,
    ModelOptions,
    OptionOrigin,
    ResolvedOptions,
    read_value,
)
from app.core.servers import ServerModel
from app.core.strings import Strings
from app.services import Services
from engines.library import InstalledModel


def options(
    model: Annotated[str, typer.Argument(help="Id or name of a model.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Set an option; repeatable.", metavar="NAME=VALUE")
    ] = None,
    unset: Annotated[
        list[str] | None,
        typer.Option("--unset", help="Back to its default; repeatable.", metavar="NAME"),
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="All options back to their defaults.")] = False,
    add_adapter: Annotated[
        Path | None, typer.Option("--add-adapter", help="Use a LoRA adapter: a GGUF file, which is copied.")
    ] = None,
    scale: Annotated[float, typer.Option("--scale", help="Strength of the adapter.")] = 1.0,
    remove_adapter: Annotated[
        str | None, typer.Option("--remove-adapter", help="Name of an adapter.", metavar="NAME")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the options of a model and where each value comes from, after setting some of them."""
    if add_adapter is not None and not add_adapter.exists():
        raise CommandError("cli.no_such_file", path=add_adapter)
    values: dict[str, object] = dict.fromkeys(unset or ())
    values |= _read(set_ or ())
    run(_options(model, values, add_adapter, scale, remove_adapter, reset=reset, as_json=as_json))


async def _options(
    wanted: str,
    values: dict[str, object],
    added: Path | None,
    scale: float,
    removed: str | None,
    *,
    reset: bool,
    as_json: bool,
) -> None:
    async with services() as opened:
        model = server_named(opened, wanted) or model_named(opened, wanted)
        tuning = opened.models.tuning
        if isinstance(model, ServerModel) and (added or values.keys() & {*LOAD_OPTIONS}):
            raise CommandError("cli.option_of_server", name=model.name)
        if reset:
            tuning.reset(model.id)
        if values:
            tuning.change(model.id, values)
        if removed is not None:
            _remove_adapter(opened, model, removed)
        if added is not None and isinstance(model, InstalledModel):
            await asyncio.to_thread(tuning.adapters.add, model, added, scale)
        resolved = tuning.resolve(model)
        if as_json:
            print_json(_as_json(opened, model, resolved))
        else:
            _print(opened, model, resolved, strings_of(opened))


def _read(assignments: Sequence[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for assignment in assignments:
        name, sign, text = assignment.partition("=")
        if not sign:
            raise CommandError("cli.option_assignment", text=assignment)
        if name == "adapters":
            raise CommandError("cli.option_adapters")
        value = read_value(ModelOptions, name, text)
        before = values.get(name)
        both = isinstance(before, tuple) and isinstance(value, tuple)
        values[name] = (*before, *value) if both else value  # type: ignore[misc]
    return values


def _remove_adapter(opened: Services, model: InstalledModel | ServerModel, name: str) -> None:
    try:
        opened.models.tuning.adapters.remove(model.id, name)
    except OptionUnknown:
        raise CommandError("cli.no_such_adapter", name=name) from None


def _as_json(
    opened: Services, model: InstalledModel | ServerModel, resolved: ResolvedOptions
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "model": model.id,
        "options": {
            name: {"value": option.value, "origin": option.origin}
            for name, option in _shown(opened, model, resolved)
        },
        "adapters": opened.models.tuning.adapters.of(model.id),
    }
    if isinstance(model, InstalledModel):
        need, fit = opened.models.memory(model)
        found |= {"memory_bytes": need.total, "fit": fit}
    return found


def _print(
    opened: Services, model: InstalledModel | ServerModel, resolved: ResolvedOptions, strings: Strings
) -> None:
    lines = [
        (name, _written(option.value, strings), strings(f"option.origin.{option.origin}"), option.origin)
        for name, option in _shown(opened, model, resolved)
    ]
    names, values = (max(len(line[part]) for line in lines) for part in (0, 1))
    values = min(values, 40)
    for name, value, origin, by in lines:
        mark = "*" if by is OptionOrigin.MODEL else " "
        print(f"{mark} {name:{names}}  {value:{values}}  {origin}")
    for use in opened.models.tuning.adapters.of(model.id):
        missing = use.name in opened.models.tuning.adapters.missing(model.id)
        state = "missing" if missing else "on" if use.enabled else "off"
        print(
            strings(
                "cli.adapter",
                name=use.name,
                scale=strings.exact(use.scale),
                state=strings(f"cli.adapter.{state}"),
            )
        )
    if isinstance(model, InstalledModel):
        need, fit = opened.models.memory(model)
        print(f"{strings('cli.memory', size=strings.size(need.total))} · {strings(f'model.fit.{fit}')}")


def _shown(
    opened: Services, model: InstalledModel | ServerModel, resolved: ResolvedOptions
) -> list[tuple[str, Any]]:
    """Options that change something here, and those that are set."""
    names = ANSWER_OPTIONS if isinstance(model, ServerModel) else (*ANSWER_OPTIONS, *LOAD_OPTIONS)
    useless = opened.models.tuning.without_use() if isinstance(model, InstalledModel) else frozenset[str]()
    return [
        (name, option)
        for name in names
        if (option := resolved.by_name[name]).origin is OptionOrigin.MODEL or name not in useless
    ]


def _written(value: object, strings: Strings) -> str:
    """A value as `--set` takes it, but for those that are not set at all."""
    match value:
        case None:
            return strings("cli.option_automatic")
        case bool():
            return str(value).lower()
        case tuple():
            return " ".join(map(repr, value)) or "-"
        case str():
            return repr(value) if value != value.strip() or "\n" in value else value or "-"
    return str(value)
