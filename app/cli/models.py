"""`dai models`: the models of this device."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.ask import model_id
from app.cli.session import print_json, run, services, strings_of

models = typer.Typer(invoke_without_command=True, help="Installed models.")


@models.callback()
def list_models(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List the installed models, and what each needs in memory."""
    if context.invoked_subcommand is None:
        run(_list(as_json=as_json))


async def _list(*, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        chosen = opened.models.chosen()
        rows = [(model, *opened.models.memory(model)) for model in opened.models.installed()]
        broken = opened.models.broken()
        if as_json:
            print_json(
                {
                    "models": [
                        {"model": model, "memory_bytes": need.total, "fit": fit, "chosen": model == chosen}
                        for model, need, fit in rows
                    ],
                    "broken": [
                        {"path": path, "error": type(error).__name__, "details": str(error)}
                        for path, error in broken
                    ],
                }
            )
            return
        if not rows:
            print(strings("errors.NoModelInstalled"), file=sys.stderr)
        for model, need, fit in rows:
            print(
                ("* " if model == chosen else "  ")
                + " · ".join(
                    [
                        model.name,
                        model.quantisation,
                        strings.size(model.bytes),
                        strings("cli.memory", size=strings.size(need.total)),
                        strings(f"model.fit.{fit}"),
                    ]
                )
            )
            print(f"    {model.id}")
        for path, error in broken:
            print(f"! {path.name}: {strings.error(error)}")


@models.command("add")
def add(
    path: Annotated[Path, typer.Argument(help="A GGUF file.")],
    link: Annotated[bool, typer.Option(help="Use the file where it is, without a copy.")] = False,
) -> None:
    """Install a GGUF file."""
    run(_add(path, link=link))


async def _add(path: Path, *, link: bool) -> None:
    async with services() as opened:
        model = await opened.models.add(path, link=link)
        print(strings_of(opened)("cli.model_added", name=model.name))


@models.command("use")
def use(model: Annotated[str, typer.Argument(help="Id or name of an installed model.")]) -> None:
    """Load a model once, and let it answer from now on."""
    run(_use(model))


async def _use(wanted: str) -> None:
    async with services() as opened:
        await opened.models.load(model_id(opened, wanted))
        loaded = opened.models.loaded
        print(strings_of(opened)("cli.model_chosen", name=loaded.name if loaded else wanted))


@models.command("remove")
def remove(model: Annotated[str, typer.Argument(help="Id or name of an installed model.")]) -> None:
    """Uninstall a model."""
    run(_remove(model))


async def _remove(wanted: str) -> None:
    async with services() as opened:
        freed = await opened.models.remove(model_id(opened, wanted))
        strings = strings_of(opened)
        print(strings("cli.model_removed", size=strings.size(freed)))
