"""`dai router`: a server that brings the devices of a home, an office or the world together."""

from __future__ import annotations

import importlib.util
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli.arguments import AsJson
from app.cli.errors import CommandError, terminal_strings
from app.cli.text import print_json
from app.core.paths import Paths
from app.core.router_folder import RouterFolder
from app.core.router_invitations import InvitationFile

_ENVIRONMENT = "DAI_ROUTER_"
"""Before the name of each option, in capital letters: containers are set up by variables."""


class LogFormat(StrEnum):
    """How the log is written to standard error."""

    TEXT = "text"
    JSON = "json"


Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar=f"{_ENVIRONMENT}DATA",
        help="Folder of its key, invitations and questions; else `router` in DAI's data folder.",
    ),
]
InvitesFile = Annotated[
    Path | None,
    typer.Option(
        "--invites",
        envvar=f"{_ENVIRONMENT}INVITES",
        help="File with invitations, one a line; else one is made in the folder.",
    ),
]

router = typer.Typer(invoke_without_command=True)


@router.callback()
def run_router(
    context: typer.Context,
    host: Annotated[
        str,
        typer.Option("--host", envvar=f"{_ENVIRONMENT}HOST", help="Address of this machine to listen on."),
    ] = "0.0.0.0",  # noqa: S104 - the other devices are elsewhere, and strangers need an invitation
    port: Annotated[
        int,
        typer.Option(
            "--port", envvar=f"{_ENVIRONMENT}PORT", min=0, max=65535, help="Port; 0 takes a free one."
        ),
    ] = 8440,
    address: Annotated[
        list[str] | None,
        typer.Option(
            "--address",
            envvar=f"{_ENVIRONMENT}ADDRESS",
            help="How devices reach it, such as https://router.example; may be given several times. "
            "Else this machine's own names and addresses.",
        ),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", envvar=f"{_ENVIRONMENT}NAME", help="What people see before they join.")
    ] = "",
    data: Data = None,
    invites: InvitesFile = None,
    invite: Annotated[
        list[str] | None,
        typer.Option(
            "--invite",
            envvar=f"{_ENVIRONMENT}INVITE",
            help="An invitation instead of a file; may be given several times.",
        ),
    ] = None,
    everybody: Annotated[
        bool,
        typer.Option("--open", envvar=f"{_ENVIRONMENT}OPEN", help="Workers may join without an invitation."),
    ] = False,
    invite_to_ask: Annotated[
        bool,
        typer.Option(
            "--invite-to-ask", envvar=f"{_ENVIRONMENT}INVITE_TO_ASK", help="Askers need an invitation, too."
        ),
    ] = False,
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", envvar=f"{_ENVIRONMENT}CERTIFICATE", help="PEM file, for TLS."),
    ] = None,
    private_key: Annotated[
        Path | None,
        typer.Option(
            "--private-key", envvar=f"{_ENVIRONMENT}PRIVATE_KEY", help="PEM file that belongs to it."
        ),
    ] = None,
    behind_proxy: Annotated[
        list[str] | None,
        typer.Option(
            "--behind-proxy",
            envvar=f"{_ENVIRONMENT}BEHIND_PROXY",
            help="Address or network of a proxy whose X-Forwarded-For is believed.",
        ),
    ] = None,
    nats: Annotated[
        list[str] | None,
        typer.Option(
            "--nats",
            envvar=f"{_ENVIRONMENT}NATS",
            help="Address of a NATS server, such as nats://127.0.0.1:4222: routers that share it are one.",
        ),
    ] = None,
    nats_credentials: Annotated[
        Path | None,
        typer.Option(
            "--nats-credentials", envvar=f"{_ENVIRONMENT}NATS_CREDENTIALS", help="File as `nsc` writes it."
        ),
    ] = None,
    nats_authorities: Annotated[
        Path | None,
        typer.Option(
            "--nats-authorities",
            envvar=f"{_ENVIRONMENT}NATS_AUTHORITIES",
            help="PEM file with the certificates that vouch for a NATS server at a tls:// address.",
        ),
    ] = None,
    nats_replicas: Annotated[
        int,
        typer.Option(
            "--nats-replicas",
            envvar=f"{_ENVIRONMENT}NATS_REPLICAS",
            min=1,
            max=5,
            help="On how many servers of a NATS cluster everything is kept; 3 survives the loss of one.",
        ),
    ] = 1,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            envvar=f"{_ENVIRONMENT}LIMIT",
            help="A limit as name=number, such as questions-per-day=500; may be given several times. "
            "All of them: docs/reference/router.md.",
        ),
    ] = None,
    log: Annotated[
        LogFormat, typer.Option("--log", envvar=f"{_ENVIRONMENT}LOG", help="How to write the log.")
    ] = LogFormat.TEXT,
) -> None:
    """Bring devices together: questions go to workers and answers back, and nothing can be read on the way.

    Each option can be set by a variable, too, such as DAI_ROUTER_PORT for --port.
    """
    if context.invoked_subcommand:
        context.obj = data, invites
        return
    missing = [name for name in ("fastapi", "uvicorn", "httptools") if importlib.util.find_spec(name) is None]
    if missing:
        raise CommandError("cli.router_not_installed")
    from app.cli import routing

    if (certificate is None) != (private_key is None):
        raise CommandError("cli.router_tls")
    place = routing.Place(
        host=host,
        port=port,
        addresses=tuple(address or ()),
        certificate=certificate,
        private_key=private_key,
        proxies=tuple(behind_proxy or ()),
    )
    admission = routing.Admission(
        everybody=everybody, words=tuple(invite or ()), file=invites, to_ask=invite_to_ask
    )
    shared = routing.Shared(tuple(nats or ()), nats_credentials, nats_authorities, nats_replicas)
    routing.serve(
        place,
        admission,
        shared,
        name=name,
        data=data,
        limits=tuple(limit or ()),
        as_json=log is LogFormat.JSON,
        log_stream=sys.stderr,
    )


@router.command("invite")
def invite(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose it is, to tell it from the others.")],
    data: Data = None,
    invites: InvitesFile = None,
) -> None:
    """Make an invitation and print its word; a router that runs admits it at once."""
    strings, file, name = terminal_strings(), _invitations(context, data, invites), name.strip()
    if not name or name.splitlines() != [name] or any(one.name == name for one in file.read()):
        raise CommandError("cli.router_invitation_name", name=name)
    print(file.add(name))
    print(strings("cli.router_invited", name=name), file=sys.stderr)


@router.command("invitations")
def invitations(
    context: typer.Context, data: Data = None, invites: InvitesFile = None, as_json: AsJson = False
) -> None:
    """List whose invitations there are, never their words."""
    names = [one.name for one in _invitations(context, data, invites).read()]
    if as_json:
        print_json(names)
        return
    for name in names:
        print(name)


@router.command("revoke")
def revoke(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="As `dai router invitations` lists it.")],
    data: Data = None,
    invites: InvitesFile = None,
) -> None:
    """Take an invitation back; a router that runs sends those away at once that came with it."""
    if not _invitations(context, data, invites).revoke(name):
        raise CommandError("cli.router_no_invitation", name=name)
    print(terminal_strings()("cli.router_revoked", name=name))


def _invitations(context: typer.Context, data: Path | None, invites: Path | None) -> InvitationFile:
    """The file that a router with these options reads; they stand before the command or behind it."""
    folder, file = context.obj
    if invites or file:
        return InvitationFile(invites or file)
    return RouterFolder(data or folder or Paths.default().data / "router").invitations()
