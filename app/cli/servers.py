"""`dai models servers`, `add-server`, `remove-server`: models of other computers."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import msgspec
import typer

from app.cli.arguments import AsJson
from app.cli.choices import model_named
from app.cli.errors import CommandError
from app.cli.session import run, services, strings_of
from app.cli.text import dim, print_json
from app.core.server_keys import key_variable
from app.core.servers import ServerModel
from app.core.strings import Strings
from app.services import Services


def list_servers(as_json: AsJson = False) -> None:
    """List the models of servers, and where questions to each would go. No server is asked."""
    run(_list(as_json=as_json))


async def _list(*, as_json: bool) -> None:
    async with services() as opened:
        chosen, strings = opened.models.chosen(), strings_of(opened)
        servers = opened.models.servers.added()
        if as_json:
            print_json(
                [
                    {"server": server, "chosen": server == chosen, "key_variable": key_variable(server.url)}
                    for server in servers
                ]
            )
            return
        if not servers:
            print(strings("cli.no_server"))
        for server in servers:
            print_server(server, strings, chosen=server == chosen)


def print_server(server: ServerModel, strings: Strings, *, chosen: bool) -> None:
    """The lines of one model of a server in a list."""
    parts = [strings.isolate(server.name), strings.isolate(server.model)]
    parts.append(
        strings("cli.server_local") if server.local else strings("cli.server_leaves", host=server.host)
    )
    if not (server.local or server.encrypted):
        parts.append(strings("cli.server_open"))
    print(("* " if chosen else "  ") + " · ".join(parts))
    print(f"    {server.id}")


def add_server(
    url: Annotated[str, typer.Argument(help="Address of a server that speaks OpenAI's protocol.")],
    model: Annotated[
        str, typer.Option("--model", help="Name of its model; without it the server is asked.")
    ] = "",
    name: Annotated[str, typer.Option("--name", help="What to call it here.")] = "",
    ask_key: Annotated[
        bool, typer.Option("--key", help="The server needs a key: ask for it, or read it from a pipe.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a model of a server; its key is kept in the system's keyring, never in the settings."""
    run(_add(url, model, name, ask_key=ask_key, as_json=as_json))


async def _add(url: str, model: str, name: str, *, ask_key: bool, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        if ask_key and not opened.models.servers.keep_key(url, _entered(strings)):
            print(strings("cli.server_key_forgotten", variable=key_variable(url)), file=sys.stderr)
        model = model or await _only_model(opened, url)
        try:
            added = opened.models.add_server(name, url, model)
        except msgspec.ValidationError:
            raise CommandError("cli.server_name_too_long") from None
        if as_json:
            print_json(added)
        elif added.local:
            print(strings("cli.server_added_local", name=added.name))
        else:
            print(strings("cli.server_added", name=added.name, host=added.host))


def _entered(strings: Strings) -> str:
    """A key; never an argument, which other programs of this device could read."""
    if sys.stdin.isatty():
        return getpass.getpass(strings("cli.server_key")).strip()
    return sys.stdin.readline().strip()


async def _only_model(opened: Services, url: str) -> str:
    offered = await opened.models.servers.offered(url)
    if len(offered) != 1:
        raise CommandError("cli.server_which_model", models=", ".join(model.id for model in offered))
    return offered[0].id


def remove_server(
    name: Annotated[str, typer.Argument(help="Id or name of a model of a server.")],
) -> None:
    """Remove a model of a server from the list."""
    run(_remove(name))


async def _remove(name: str) -> None:
    async with services() as opened:
        server = server_named(opened, name)
        if server is None:
            raise CommandError("cli.no_such_server", name=name)
        await opened.models.remove_server(server.id)
        print(strings_of(opened)("cli.server_removed", name=server.name))


def server_named(opened: Services, name: str) -> ServerModel | None:
    """The model of a server with this id or name, if there is one."""
    wanted = name.casefold()
    same = (
        server
        for server in opened.models.servers.added()
        if wanted in (server.id.casefold(), server.name.casefold())
    )
    return next(same, None)


async def choose(opened: Services, name: str | None) -> None:
    """Load the model of this name, if one is given, and say so where questions will leave this device."""
    if name:
        await opened.models.load((server_named(opened, name) or model_named(opened, name)).id)
    chosen = opened.models.chosen()
    if isinstance(chosen, ServerModel) and not chosen.local:
        strings = strings_of(opened)
        where = strings("cli.server_leaves", host=chosen.host)
        print(dim(f"{strings.isolate(chosen.name)} · {where}"), file=sys.stderr)
