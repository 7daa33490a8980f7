"""`dai network`: groups and devices, and what this device is called."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import segno
import typer

from app.cli.arguments import AsJson
from app.cli.errors import CommandError
from app.cli.session import run, services, strings_of
from app.cli.text import print_json
from app.core.errors import DeviceMissing, GroupMissing
from app.core.network.devices import Device
from app.core.network.groups import Group, GroupKind
from app.core.network.routers import meeting_address
from app.services import Services

Mine = Annotated[bool, typer.Option("--mine", help="All its devices are yours.")]
_PAIRING = "DAI1:"


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """A group without its secret."""

    id: str
    name: str
    kind: GroupKind


@dataclass(frozen=True, slots=True)
class ListedDevice:
    """A device that was seen."""

    node: str
    name: str
    alias: str
    verified: bool
    blocked: bool


def groups(as_json: AsJson = False) -> None:
    """List the groups that this device belongs to."""
    run(_groups(as_json=as_json))


async def _groups(*, as_json: bool) -> None:
    async with services() as opened:
        strings, found = strings_of(opened), opened.network.groups.all()
        if as_json:
            print_json([ListedGroup(group.id, group.name, group.kind) for group in found])
            return
        if not found:
            print(strings("cli.network_no_group"))
        for group in found:
            print(f"{strings.isolate(group.name)} · {strings(f'network.kind_{group.kind}')}")


def create(
    name: Annotated[str, typer.Argument(help="Of the new group.")],
    mine: Mine = False,
    as_json: AsJson = False,
) -> None:
    """Begin a group; `dai network code` shows what other devices need to join."""
    run(_create(name, mine=mine, as_json=as_json))


async def _create(name: str, *, mine: bool, as_json: bool) -> None:
    async with services() as opened:
        group = opened.network.groups.create(name, GroupKind.MINE if mine else GroupKind.CIRCLE)
        if as_json:
            print_json(ListedGroup(group.id, group.name, group.kind))
        else:
            print(strings_of(opened)("network.joined", name=group.name))


def join(
    name: Annotated[str, typer.Argument(help="What to call the group here.")],
    mine: Mine = False,
    as_json: AsJson = False,
) -> None:
    """Join a group: asks for its code, or reads it from a pipe. A router in the code is added."""
    run(_join(name, mine=mine, as_json=as_json))


async def _join(name: str, *, mine: bool, as_json: bool) -> None:
    async with services() as opened:
        strings, known = strings_of(opened), opened.network
        if sys.stdin.isatty():
            print(strings("network.group_code"), end=": ", flush=True)
        kind = GroupKind.MINE if mine else GroupKind.CIRCLE
        group, invitation = known.groups.join(sys.stdin.readline(), name, kind)
        if as_json:
            print_json(ListedGroup(group.id, group.name, group.kind))
        else:
            print(strings("network.joined", name=group.name))
        if invitation.router and all(one.address != invitation.router for one in known.routers.all()):
            router = await known.routers.add(invitation.router)
            if not as_json:
                print(strings("network.router_added", name=router.name))


def code(
    group: Annotated[str, typer.Argument(help="Name or id of a group.")],
) -> None:
    """Show the code of a group. Whoever has it belongs to the group."""
    run(_code(group))


async def _code(named: str) -> None:
    async with services() as opened:
        group = group_named(opened, named)
        show_code(opened.network.groups.code(group.id, meeting_address(opened.network.routers.all())))
        print(strings_of(opened)("network.code_warning"), file=sys.stderr)


def leave(
    group: Annotated[str, typer.Argument(help="Name or id of a group.")],
) -> None:
    """Leave a group; the others stay in it."""
    run(_leave(group))


async def _leave(named: str) -> None:
    async with services() as opened:
        group = group_named(opened, named)
        opened.network.groups.leave(group.id)
        print(strings_of(opened)("cli.network_left", name=group.name))


def devices(as_json: AsJson = False) -> None:
    """List the devices that were seen."""
    run(_devices(as_json=as_json))


async def _devices(*, as_json: bool) -> None:
    async with services() as opened:
        strings, found = strings_of(opened), opened.network.devices.all()
        if as_json:
            print_json(
                [ListedDevice(one.node, one.name, one.alias, one.verified, one.blocked) for one in found]
            )
            return
        if not found:
            print(strings("network.devices_none"))
        for one in found:
            standing = "blocked" if one.blocked else "verified" if one.verified else "unverified"
            print(f"{one.node[:8]} · {strings.isolate(one.shown_name)} · {strings(f'network.is_{standing}')}")


def verify(
    device: Annotated[str, typer.Argument(help="Its code, or its name or the beginning of its number.")],
    same: Annotated[
        bool, typer.Option("--same", help="You have compared the number: it is the same.")
    ] = False,
) -> None:
    """Verify a device by its code, or by the number that both show."""
    run(_verify(device, same=same))


async def _verify(named: str, *, same: bool) -> None:
    async with services() as opened:
        strings, known = strings_of(opened), opened.network
        if named.strip().upper().startswith(_PAIRING):
            device = known.devices.verify_code(named)
        else:
            device = device_named(opened, named)
            if not same:
                print(known.devices.safety_number(device.node, known.identity.public))
                print(strings("network.safety_text"))
                return
            known.devices.verify(device.node)
        print(strings("network.verified", name=device.shown_name))


def forget(
    device: Annotated[str, typer.Argument(help="Its name, or the beginning of its number.")],
) -> None:
    """Forget a device: it is a stranger when it is seen next."""
    run(_forget(device))


async def _forget(named: str) -> None:
    async with services() as opened:
        device = device_named(opened, named)
        opened.network.devices.forget(device.node)
        print(strings_of(opened)("cli.network_forgotten", name=device.shown_name))


def block(
    device: Annotated[str, typer.Argument(help="Its name, or the beginning of its number.")],
    undo: Annotated[bool, typer.Option("--undo", help="Have to do with it again.")] = False,
) -> None:
    """Block a device: nothing is asked of it, and it gets no answers."""
    run(_block(device, blocked=not undo))


async def _block(named: str, *, blocked: bool) -> None:
    async with services() as opened:
        device = device_named(opened, named)
        opened.network.devices.block(device.node, blocked=blocked)
        key = "cli.network_blocked" if blocked else "cli.network_unblocked"
        print(strings_of(opened)(key, name=device.shown_name))


def name(
    new: Annotated[str, typer.Argument(help="What this device shall be called; empty: nothing.")],
) -> None:
    """Name this device. Everybody at its routers can see the name."""
    run(_name(new))


async def _name(new: str) -> None:
    async with services() as opened:
        opened.network.identity.rename(new)
        known = opened.network.identity.name
        key = "cli.network_named" if known else "cli.network_nameless"
        print(strings_of(opened)(key, name=known))


def whoami() -> None:
    """Show the code of this device, with which others verify it. It is no secret."""
    run(_whoami())


async def _whoami() -> None:
    async with services() as opened:
        show_code(opened.network.identity.code())


def show_code(text: str) -> None:
    """On a terminal as a picture, too."""
    if sys.stdout.isatty():
        segno.make(text, error="m", micro=False).terminal(compact=True)
    print(text)


def group_named(opened: Services, named: str) -> Group:
    """By name or id. Raises GroupMissing."""
    wanted = named.strip().casefold()
    for group in opened.network.groups.all():
        if wanted in (group.id, group.name.casefold()):
            return group
    raise GroupMissing


def device_named(opened: Services, named: str) -> Device:
    """By name, or by the beginning of its number. Raises DeviceMissing, CommandError where several fit."""
    wanted = named.strip().casefold()
    found = [
        one
        for one in opened.network.devices.all()
        if wanted in (one.alias.casefold(), one.name.casefold()) or (wanted and one.node.startswith(wanted))
    ]
    if not found:
        raise DeviceMissing
    if len(found) > 1:
        raise CommandError("cli.network_several", name=named, nodes=", ".join(one.node[:12] for one in found))
    return found[0]
