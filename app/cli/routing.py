"""What `dai router` does: settings from its options, a socket, a broker, a server until it shall stop."""

from __future__ import annotations

import dataclasses
import logging
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import msgspec

from app.cli.errors import CommandError, terminal_strings
from app.core.local_addresses import origins
from app.core.logs import log_to_stream
from app.core.paths import Paths
from app.core.router_folder import RouterFolder
from app.core.router_invitations import InvitationFile
from network.broker.job_table import Limits
from network.broker.protocol import Broker
from network.protocol.fields import Origin
from network.router.http.app import make_app
from network.router.http.server import listening_socket, make_server, run
from network.router.http.settings import RouterSettings
from network.router.invitations import Invitations

log = logging.getLogger(__name__)

_LIMIT = re.compile(r"(?P<name>[a-z][a-z-]*)=(?P<number>\d{1,12}(\.\d{1,3})?)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a router listens, and how it is reached."""

    host: str
    port: int
    addresses: tuple[str, ...]
    """As given; empty: this machine's own."""
    certificate: Path | None
    private_key: Path | None
    proxies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may join."""

    everybody: bool
    words: tuple[str, ...] = field(repr=False)
    file: Path | None
    to_ask: bool


@dataclass(frozen=True, slots=True)
class Shared:
    """The NATS server between routers that are one; none: this router is alone."""

    servers: tuple[str, ...]
    credentials: Path | None
    authorities: Path | None
    replicas: int


def serve(
    place: Place,
    admission: Admission,
    shared: Shared,
    *,
    name: str,
    data: Path | None,
    limits: Sequence[str],
    as_json: bool,
    log_stream: TextIO,
) -> None:
    """Serve until a signal.

    Raises:
        CommandError: an option cannot be meant so.
        NetworkError: the key, the file of questions or the NATS server cannot be used.
        OSError: a file cannot be read or written.
    """
    numbers = read_limits(limits)
    folder = RouterFolder(data or Paths.default().data / "router")
    invites = read_admission(admission, folder)
    try:
        listening = listening_socket(place.host, place.port)
    except OSError:
        raise CommandError("cli.port_taken", port=str(place.port)) from None
    with listening:
        addresses = read_addresses(place, listening)
        settings = RouterSettings(
            origins=frozenset(addresses),
            name=name,
            invites=invites,
            invite_to_ask=admission.to_ask,
            admin_token=folder.admin_token(),
            **numbers,
        )
        if not as_json:
            _tell(addresses, admission, folder)
        log_to_stream(log_stream, as_json=as_json)
        log.info("a router starts, at %s", ", ".join(addresses))
        run(_serve(settings, folder, listening, place, shared))
        log.info("the router has stopped")


def read_limits(given: Sequence[str]) -> dict[str, Any]:
    """Limits by their name in the settings. Raises CommandError for one that there is not."""
    known: dict[str, type[int] | type[float]] = {
        one.name: kind
        for one in dataclasses.fields(RouterSettings)
        for kind in (int, float)
        if type(one.default) is kind
    }
    found: dict[str, Any] = {}
    for text in given:
        match = _LIMIT.fullmatch(text)
        kind = known.get(match["name"].replace("-", "_")) if match else None
        if match is None or kind is None or (kind is int and "." in match["number"]):
            names = ", ".join(sorted(name.replace("_", "-") for name in known))
            raise CommandError("cli.router_limit", text=text, names=names)
        found[match["name"].replace("-", "_")] = kind(match["number"])
    return found


def read_admission(admission: Admission, folder: RouterFolder) -> Invitations | None:
    """The invitations; None where everybody may join. Raises CommandError where there are none."""
    if admission.everybody:
        return None
    fixed = Invitations.of(admission.words)
    if admission.words and admission.file is None:
        return fixed
    file = InvitationFile(admission.file) if admission.file else folder.invitations()
    words = fixed.now()
    if not (words or file.read()):
        raise CommandError("cli.router_no_invites", path=file.path)
    return Invitations(lambda: (*words, *file.watched()))


def read_addresses(place: Place, listening: socket.socket) -> list[str]:
    """How devices reach the router. Raises CommandError for what is no address."""
    scheme = "http" if place.certificate is None else "https"
    if not place.addresses:
        return origins(scheme, place.host, listening.getsockname()[1])
    for address in place.addresses:
        try:
            msgspec.convert(address, Origin)
        except msgspec.ValidationError:
            raise CommandError("cli.router_address", address=address) from None
    return list(place.addresses)


async def _serve(
    settings: RouterSettings,
    folder: RouterFolder,
    listening: socket.socket,
    place: Place,
    shared: Shared,
) -> None:
    broker = await _open_broker(settings, folder, shared)

    async def opened() -> Broker:
        return broker

    app = make_app(settings, folder.key(), opened)
    server = make_server(
        app, certificate=place.certificate, private_key=place.private_key, proxies=place.proxies
    )
    await server.serve([listening])


async def _open_broker(settings: RouterSettings, folder: RouterFolder, shared: Shared) -> Broker:
    limits = Limits(jobs=settings.max_questions, lease_seconds=float(settings.times.lease))
    if not shared.servers:
        from network.broker.embedded import open_embedded_broker

        return await open_embedded_broker(folder.questions, limits)
    from network.broker.nats.broker import open_nats_broker
    from network.broker.nats.settings import NatsSettings

    chosen = NatsSettings(
        servers=shared.servers,
        credentials=shared.credentials,
        authorities=shared.authorities,
        replicas=shared.replicas,
    )
    return await open_nats_broker(chosen, limits)


def _tell(addresses: Sequence[str], admission: Admission, folder: RouterFolder) -> None:
    """What the owner needs to know, on the terminal; never in a log."""
    strings = terminal_strings()
    print(strings("cli.router_listens", addresses=", ".join(addresses)))
    if admission.everybody:
        print(strings("cli.router_open"))
    elif not admission.words:
        print(strings("cli.router_invites", path=admission.file or folder.invites_file))
    print(strings("cli.router_admin", address=f"{addresses[0]}/admin", path=folder.admin_token_file))
