"""`dai network`: routers, the offline switch, and the ledger of all connections."""

from __future__ import annotations

import getpass
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from app.cli.arguments import AsJson
from app.cli.network_groups import (
    block,
    code,
    create,
    devices,
    forget,
    groups,
    join,
    leave,
    name,
    verify,
    whoami,
)
from app.cli.network_models import models
from app.cli.session import run, services, strings_of
from app.cli.text import print_json
from app.core.errors import AppError
from app.core.network.ledger import Purpose
from app.core.network.routers import Router
from app.core.set_aside import all_set_aside
from app.core.strings import Strings
from app.services import Services
from network.errors import NetworkError

network = typer.Typer(
    no_args_is_help=True, help="Other devices: routers, groups, who is verified, what left."
)
for command in (groups, create, join, code, leave, devices, verify, block, forget, name, whoami, models):
    network.command()(command)


class Switch(StrEnum):
    """Of the offline switch."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Status:
    """For `dai network status --json`."""

    offline: bool
    node: str | None
    """None before this device has keys."""
    name: str
    keys_in: str | None
    routers: int
    groups: int
    devices: int
    verified: int
    damaged: list[str]


@dataclass(frozen=True, slots=True)
class Checked:
    """A router and whether it answers; for `dai network routers --json`."""

    id: str
    name: str
    address: str
    public_key: str
    enabled: bool
    answers: bool | None
    """None: it was not asked."""
    workers: int | None = None
    free: int | None = None
    waiting: int | None = None
    problem: str | None = None


@network.command()
def status(as_json: AsJson = False) -> None:
    """Say what is set up on this device. Nobody is asked."""
    run(_status(as_json=as_json))


async def _status(*, as_json: bool) -> None:
    async with services() as opened:
        known, strings = opened.network, strings_of(opened)
        identity, seen = known.identity, known.devices.all()
        found = Status(
            offline=known.offline.on,
            node=identity.node if identity.exists else None,
            name=identity.name,
            keys_in=identity.kept_in() if identity.exists else None,
            routers=len(known.routers.all()),
            groups=len(known.groups.all()),
            devices=len(seen),
            verified=sum(device.verified for device in seen),
            damaged=[path.name for path in all_set_aside(opened.paths.network)],
        )
        if as_json:
            print_json(found)
            return
        print(strings("network.offline_on" if found.offline else "cli.network_online"))
        if found.node:
            print(
                strings(
                    "cli.network_own", name=found.name or strings("network.own_nameless"), node=found.node
                )
            )
            print(strings(f"network.kept_{found.keys_in}"))
        print(
            strings("cli.network_counts", routers=found.routers, groups=found.groups, devices=found.devices)
        )


@network.command(name="begin-anew")
def begin_anew() -> None:
    """Go on with empty lists where those of known and blocked devices are damaged for good."""
    run(_begin_anew())


async def _begin_anew() -> None:
    async with services() as opened:
        opened.network.begin_anew()
        print(strings_of(opened)("cli.network_begun_anew"))


@network.command()
def routers(
    check: Annotated[bool, typer.Option("--check", help="Ask each whether it is there, and who.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the routers."""
    run(_routers(check=check, as_json=as_json))


async def _routers(*, check: bool, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        known = opened.network.routers.all()
        found = [await _checked(opened, strings, router) if check else _unasked(router) for router in known]
        if as_json:
            print_json(found)
            return
        if not found:
            print(strings("cli.network_no_router"))
        for router, one in zip(known, found, strict=True):
            print(
                " · ".join([strings.isolate(router.name), strings.isolate(router.host), _state(strings, one)])
            )


def _unasked(router: Router) -> Checked:
    key = router.public_key.hex()
    return Checked(router.id, router.name, router.address, key, router.enabled, answers=None)


async def _checked(opened: Services, strings: Strings, router: Router) -> Checked:
    asked, key = opened.network.routers, router.public_key.hex()
    try:
        await asked.check(router.id)
        pool = await asked.pool(router.id)
    except (NetworkError, AppError) as error:
        return Checked(
            router.id,
            router.name,
            router.address,
            key,
            router.enabled,
            answers=False,
            problem=strings.error(error),
        )
    return Checked(
        router.id,
        router.name,
        router.address,
        key,
        router.enabled,
        answers=True,
        workers=pool.workers,
        free=pool.free,
        waiting=pool.waiting,
    )


def _state(strings: Strings, one: Checked) -> str:
    if not one.enabled:
        return strings("network.router_off")
    if one.answers is None:
        return strings("network.router_unknown")
    if one.problem is not None:
        return one.problem
    return strings("cli.network_pool", workers=one.workers, free=one.free, waiting=one.waiting)


@network.command()
def add(
    address: Annotated[str, typer.Argument(help="Of a router, such as router.example or 192.168.1.5:8700.")],
    name: Annotated[str, typer.Option("--name", help="What to call it here.")] = "",
    invited: Annotated[
        bool, typer.Option("--invite", help="It wants an invitation: ask for it, or read it from a pipe.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Connect to a router: ask it who it is, and remember its key."""
    run(_add(address, name, invited=invited, as_json=as_json))


async def _add(address: str, name: str, *, invited: bool, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        invite = read_secret(strings("cli.network_invite")) if invited else ""
        router = await opened.network.routers.add(address, invite, name)
        if as_json:
            print_json(_unasked(router))
        else:
            print(strings("network.router_added", name=router.name))


@network.command()
def remove(
    router: Annotated[str, typer.Argument(help="Name, address or id of a router.")],
) -> None:
    """Forget a router and its invitation."""
    run(_remove(router))


async def _remove(named: str) -> None:
    async with services() as opened:
        router = opened.network.routers.find(named)
        opened.network.routers.remove(router.id)
        print(strings_of(opened)("cli.network_removed", name=router.name))


@network.command()
def offline(
    switch: Annotated[Switch | None, typer.Argument(help="on or off; without it, say which.")] = None,
    as_json: AsJson = False,
) -> None:
    """The one switch that keeps everything on this device."""
    run(_offline(switch, as_json=as_json))


async def _offline(wanted: Switch | None, *, as_json: bool) -> None:
    async with services() as opened:
        if wanted is not None:
            opened.network.offline.turn(on=wanted is Switch.ON)
        if as_json:
            print_json({"offline": opened.network.offline.on})
        else:
            strings = strings_of(opened)
            print(strings("network.offline_on" if opened.network.offline.on else "cli.network_online"))


@network.command()
def ledger(
    purpose: Annotated[Purpose | None, typer.Option("--purpose", help="Only these.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 50,
    sums: Annotated[bool, typer.Option("--sums", help="One line for each host.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Forget everything.")] = False,
    as_json: AsJson = False,
) -> None:
    """List with whom this app has spoken, why, when, and how many bytes; never what. The latest first."""
    run(_ledger(purpose, limit, sums=sums, clear=clear, as_json=as_json))


async def _ledger(purpose: Purpose | None, limit: int, *, sums: bool, clear: bool, as_json: bool) -> None:
    async with services() as opened:
        kept, strings = opened.network.ledger, strings_of(opened)
        if clear:
            kept.clear()
        entries = [] if sums else kept.entries(limit, purpose=purpose)
        totals = [one for one in kept.totals() if purpose in (None, one.purpose)][:limit] if sums else []
        if as_json:
            print_json(totals if sums else entries)
            return
        if not (entries or totals):
            print(strings("ledger.empty_title"))
        for entry in entries:
            when = strings.time(datetime.fromtimestamp(entry.began, UTC))
            amount = (
                strings("ledger.refused")
                if entry.refused
                else _bytes(strings, entry.sent_bytes, entry.received_bytes)
            )
            print(" · ".join([when, _why(strings, entry.purpose), strings.isolate(entry.host), amount]))
        for total in totals:
            counted = strings("ledger.counted", count=total.connections - total.refused)
            amount = _bytes(strings, total.sent_bytes, total.received_bytes)
            print(" · ".join([strings.isolate(total.host), _why(strings, total.purpose), counted, amount]))


def _why(strings: Strings, purpose: Purpose) -> str:
    return strings(f"ledger.purpose_{purpose}")


def _bytes(strings: Strings, sent: int, received: int) -> str:
    return strings("cli.network_bytes", sent=strings.size(sent), received=strings.size(received))


def read_secret(prompt: str) -> str:
    """A line that is no argument, which other programs of this device could read."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt).strip()
    return sys.stdin.readline().strip()
