"""`dai models`: the models of this device."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from app.cli.arguments import AsJson
from app.cli.choices import model_named
from app.cli.compress import compress
from app.cli.errors import CommandError
from app.cli.found import found
from app.cli.get import get
from app.cli.models_folder import move, where
from app.cli.options import options
from app.cli.servers import add_server, list_servers, print_server, remove_server, server_named
from app.cli.session import on_interrupt, run, services, strings_of
from app.cli.store import catalogue, search
from app.cli.text import print_json, show_progress
from app.cli.trade_offs import trade_offs
from app.cli.verify import verify
from app.core.strings import Strings
from engines.library import InstalledModel
from engines.memory import MemoryFit, MemoryNeed

models = typer.Typer(invoke_without_command=True, help="The models of this device.")

ModelName = Annotated[str, typer.Argument(help="Id or name of an installed model.")]


class _Stopped(Exception):
    """The user pressed Ctrl-C while a file was copied."""


@models.callback()
def models_alone(context: typer.Context, as_json: AsJson = False) -> None:
    """The models of this device; alone, the same as `list`."""
    if context.invoked_subcommand is None:
        run(_list(as_json=as_json))


@models.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the installed models, and what each needs in memory."""
    run(_list(as_json=as_json))


async def _list(*, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        chosen = opened.models.chosen()
        rows = [(model, *opened.models.memory(model)) for model in opened.models.installed()]
        servers, broken = opened.models.servers.added(), opened.models.broken()
        if as_json:
            print_json(
                {
                    "models": [
                        {"model": model, "memory_bytes": need.total, "fit": fit, "chosen": model == chosen}
                        for model, need, fit in rows
                    ],
                    "servers": [{"server": server, "chosen": server == chosen} for server in servers],
                    "broken": [
                        {"path": path, "error": type(error).__name__, "details": str(error)}
                        for path, error in broken
                    ],
                }
            )
            return
        if not rows and not servers:
            print(strings("cli.no_model"), file=sys.stderr)
        for model, need, fit in rows:
            print(("* " if model == chosen else "  ") + _line(model, need, fit, strings))
            print(f"    {model.id}")
        for server in servers:
            print_server(server, strings, chosen=server == chosen)
        for path, error in broken:
            print(f"! {strings.isolate(path.name)} · {strings.error_named(type(error).__name__)}")


def _line(model: InstalledModel, need: MemoryNeed, fit: MemoryFit, strings: Strings) -> str:
    parts = [
        strings.isolate(model.name),
        strings.isolate(model.quantisation),
        strings.size(model.bytes),
        strings("cli.memory", size=strings.size(need.total)),
        strings(f"model.fit.{fit}"),
    ]
    if not model.has_chat_template:
        parts.append(strings("model.no_template"))
    return " · ".join(parts)


@models.command("add")
def add(
    path: Annotated[Path, typer.Argument(help="A GGUF file.")],
    link: Annotated[bool, typer.Option("--link", help="Use the file where it is, without a copy.")] = False,
    as_json: AsJson = False,
) -> None:
    """Install a GGUF file."""
    if not path.exists():
        raise CommandError("cli.no_such_file", path=path)
    run(_add(path, link=link, as_json=as_json))


async def _add(path: Path, *, link: bool, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        stopped = threading.Event()

        def progress(done: int, total: int) -> None:
            if stopped.is_set():
                raise _Stopped
            share = strings("cli.copying", done=strings.size(done), total=strings.size(total))
            show_progress(share)

        try:
            with on_interrupt(stopped.set):
                model = await opened.models.add(path, link=link, progress=progress)
        except _Stopped:
            raise KeyboardInterrupt from None
        finally:
            show_progress("")
        if as_json:
            print_json(model)
        else:
            print(strings("cli.model_added", name=model.name))


models.command("found")(found)
models.command("servers")(list_servers)
models.command("add-server")(add_server)
models.command("remove-server")(remove_server)


@models.command("use")
def use(model: ModelName) -> None:
    """Load a model once, and let it answer from now on."""
    run(_use(model))


async def _use(wanted: str) -> None:
    async with services() as opened:
        model = server_named(opened, wanted) or model_named(opened, wanted)
        await opened.models.load(model.id)
        print(strings_of(opened)("cli.model_chosen", name=model.name))


@models.command("remove")
def remove(
    model: Annotated[str, typer.Argument(help="Id or name of a model, or name of a broken file.")],
) -> None:
    """Uninstall a model; the file of a linked one stays."""
    run(_remove(model))


async def _remove(wanted: str) -> None:
    async with services() as opened:
        broken = next((path for path, _ in opened.models.broken() if path.name == wanted), None)
        if broken is not None:
            freed = await opened.models.remove_broken(broken)
        else:
            model = model_named(opened, wanted)
            if not model.removable:
                raise CommandError("cli.model_belongs_to_app", name=model.name)
            freed = await opened.models.remove(model.id)
        strings = strings_of(opened)
        print(strings("cli.model_removed", size=strings.size(freed)))


models.command("where")(where)
models.command("move")(move)
models.command("compress")(compress)
models.command("catalogue")(catalogue)
models.command("search")(search)
models.command("get")(get)
models.command("trade-offs")(trade_offs)
models.command("verify")(verify)
models.command("options")(options)
