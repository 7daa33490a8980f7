"""What the Network screen shows, and what can be done there."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import urlsplit

import flet as ft

from app.core.errors import AppError
from app.core.network.devices import Device
from app.core.network.groups import Group, GroupKind
from app.core.network.receipt_store import Asked, StoredReceipt
from app.core.network.routers import Router, meeting_address
from app.core.network.vault import KeptIn
from app.services import Services
from app.ui.state.mailbox import Mailbox
from app.ui.state.reporting import reported
from network.errors import NetworkError, RouterChanged
from network.protocol.routers import Pool, RouterInfo
from network.trust import Standing

LOOK_SECONDS = 20.0
"""So often the routers are asked who is there, while the screen is open."""
_DAY = 86_400
_SHOWN_RECEIPTS = 8
_NOTHING_ASKED = Asked(0, 0, 0)


class RouterStatus(StrEnum):
    """How it stands with a router."""

    UNKNOWN = "unknown"
    THERE = "there"
    AWAY = "away"
    CHANGED = "changed"
    OFF = "off"
    """The user does not want it to be used."""


@dataclass(frozen=True, slots=True)
class RouterRow:
    """A router, and what it has said last."""

    router: Router
    status: RouterStatus = RouterStatus.UNKNOWN
    pool: Pool | None = None
    problem: Exception | None = None


@dataclass(frozen=True, slots=True)
class LedgerSummary:
    """The last day in one line."""

    connections: int = 0
    refused: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0


@ft.observable
@dataclass
class NetworkState:
    """What is known."""

    known: bool = False
    problem: Exception | None = None
    """Why nothing can be shown: a locked keyring, an unreadable file."""
    exists: bool = False
    """This device has keys already."""
    name: str = ""
    kept_in: KeptIn | None = None
    lost: bool = False
    routers: tuple[RouterRow, ...] = ()
    groups: tuple[Group, ...] = ()
    devices: tuple[Device, ...] = ()
    looking: bool = False
    summary: LedgerSummary = LedgerSummary()
    asked: Asked = _NOTHING_ASKED
    """What others have done for this device, ever."""
    receipts: tuple[StoredReceipt, ...] = ()
    """The latest of it."""
    trust: dict[str, dict[str, Standing]] = field(default_factory=dict)
    """What was seen of devices, by number and model."""

    @property
    def empty(self) -> bool:
        """Nothing has been set up yet."""
        return not (self.routers or self.groups or self.devices)


class NetworkOnScreen:
    """Everything of the Network screen but the ledger. Only `look`, `add_router` and `accept` ask anybody."""

    def __init__(
        self,
        services: Services,
        mailbox: Mailbox,
        report: Callable[[Exception], None],
        tell_set_aside: Callable[[], None],
    ) -> None:
        self.state = NetworkState()
        self.report = report
        self._network = services.network
        self._mailbox = mailbox
        self._tell_set_aside = tell_set_aside
        self._watching: asyncio.Task[None] | None = None

    def close(self) -> None:
        """The session ends."""
        self.leave_screen()

    async def enter_screen(self) -> None:
        """Show what is known, then what the routers say, again and again."""
        await self.refresh()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    def leave_screen(self) -> None:
        """Ask nobody any more."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def refresh(self) -> None:
        """Read what is kept; nobody is asked."""
        try:
            await self._read()
            self.state.problem = None
        except (NetworkError, AppError, OSError) as error:
            self.state.problem = error
        self.state.known = True
        self._tell_set_aside()

    @reported
    async def begin_anew(self) -> None:
        """Go on with empty lists where those of known devices are damaged for good."""
        await asyncio.to_thread(self._network.begin_anew)
        await self.refresh()

    async def look(self, *, anew: bool = True) -> None:
        """Ask the routers that are used who is there; `anew`: also those that were there whether they still
        have the same key."""
        rows = [row for row in self.state.routers if row.router.enabled and self.may_ask(row.router)]
        if self.state.looking or not rows:
            return
        self.state.looking = True
        try:
            for row in await asyncio.gather(*(self._look_at(row, anew=anew) for row in rows)):
                self._show(row)
        finally:
            self.state.looking = False

    def may_ask(self, router: Router) -> bool:
        """Whether the offline switch lets it be asked: always, where it runs on this device."""
        return self._network.offline.allows(urlsplit(router.address).hostname or "")

    @reported
    async def turn_offline(self, on: bool) -> None:
        """The one switch."""
        await asyncio.to_thread(self._network.offline.turn, on=on)
        await self.refresh()
        if not on:
            self._mailbox.run(self.look)

    async def test_router(self, address: str, invite: str) -> RouterInfo:
        """Ask a router who it is; see `Routers.look`."""
        return await self._network.routers.look(address, invite)

    async def add_router(self, address: str, invite: str) -> Router:
        """Connect to a router; see `Routers.add`."""
        router = await self._network.routers.add(address, invite)
        await self.refresh()
        self._mailbox.run(self.look)
        return router

    @reported
    async def enable_router(self, router: Router, enabled: bool) -> None:
        """Use it, or not."""
        await asyncio.to_thread(self._network.routers.enable, router.id, enabled=enabled)
        await self.refresh()
        if enabled:
            self._mailbox.run(self.look)

    @reported
    async def accept_router(self, router: Router) -> None:
        """It has a new key, and the user believes it."""
        await self._network.routers.accept(router.id)
        await self.refresh()
        await self.look()

    @reported
    async def remove_router(self, router: Router) -> None:
        """Forget it."""
        await asyncio.to_thread(self._network.routers.remove, router.id)
        await self.refresh()

    async def rename_router(self, router: Router, name: str) -> None:
        """Call it something else."""
        await asyncio.to_thread(self._network.routers.rename, router.id, name)
        await self.refresh()

    def knows_router(self, address: str) -> bool:
        """Whether a router of this address is there."""
        return any(row.router.address == address for row in self.state.routers)

    async def create_group(self, name: str, kind: GroupKind) -> Group:
        """See `Groups.create`."""
        group = await asyncio.to_thread(self._network.groups.create, name, kind)
        await self.refresh()
        return group

    async def join_group(self, code: str, name: str, kind: GroupKind) -> tuple[Group, str]:
        """See `Groups.join`; returns the group, and the router that the code tells and is not known yet."""
        group, invitation = await asyncio.to_thread(self._network.groups.join, code, name, kind)
        await self.refresh()
        return group, "" if self.knows_router(invitation.router) else invitation.router

    def group_code(self, group: Group) -> str:
        """What another device scans; tells the router at which the two meet."""
        return self._network.groups.code(group.id, self.meeting_address)

    @property
    def meeting_address(self) -> str:
        """The router that codes of groups tell; empty where there is none that others can reach."""
        return meeting_address(row.router for row in self.state.routers)

    async def rename_group(self, group: Group, name: str) -> None:
        """Only here."""
        await asyncio.to_thread(self._network.groups.rename, group.id, name)
        await self.refresh()

    @reported
    async def leave_group(self, group: Group) -> None:
        """Forget its secret."""
        await asyncio.to_thread(self._network.groups.leave, group.id)
        await self.refresh()

    async def own_code(self) -> str:
        """What others scan to be sure of this device; makes its keys at the first time."""
        code = await asyncio.to_thread(self._network.identity.code)
        await self.refresh()
        return code

    async def rename_self(self, name: str) -> None:
        """What others see this device called."""
        await asyncio.to_thread(self._network.identity.rename, name)
        await self.refresh()

    @reported
    async def renew(self) -> None:
        """Become a new identity."""
        await asyncio.to_thread(self._network.identity.renew)
        await self.refresh()

    async def safety_number(self, node: str) -> str:
        """The sixty digits that both devices show."""

        def reckon() -> str:
            return self._network.devices.safety_number(node, self._network.identity.public)

        return await asyncio.to_thread(reckon)

    async def verify_code(self, code: str) -> Device:
        """See `Devices.verify_code`."""
        device = await asyncio.to_thread(self._network.devices.verify_code, code)
        await self.refresh()
        return device

    @reported
    async def change_device(
        self,
        node: str,
        *,
        verified: bool | None = None,
        blocked: bool | None = None,
        alias: str | None = None,
    ) -> None:
        """What the user thinks of a device."""

        def change() -> None:
            devices = self._network.devices
            if verified is not None:
                devices.verify(node, verified=verified)
            if blocked is not None:
                devices.block(node, blocked=blocked)
            if alias is not None:
                devices.rename(node, alias)

        await asyncio.to_thread(change)
        await self.refresh()

    @reported
    async def forget_device(self, node: str) -> None:
        """Its next card is the first again."""
        await asyncio.to_thread(self._network.devices.forget, node)
        await self.refresh()

    async def _read(self) -> None:
        network, state = self._network, self.state
        identity = network.identity
        state.exists, state.name, state.lost = identity.exists, identity.name, identity.lost
        before = {row.router.id: row for row in state.routers}
        routers = await asyncio.to_thread(network.routers.all)
        state.routers = tuple(_row(router, before.get(router.id)) for router in routers)
        state.groups = tuple(await asyncio.to_thread(network.groups.all))
        state.devices = tuple(await asyncio.to_thread(network.devices.all))
        state.kept_in = None if state.empty else await asyncio.to_thread(identity.kept_in)
        totals = await asyncio.to_thread(network.ledger.totals, since=time.time() - _DAY)
        state.summary = LedgerSummary(
            sum(total.connections - total.refused for total in totals),
            sum(total.refused for total in totals),
            sum(total.sent_bytes for total in totals),
            sum(total.received_bytes for total in totals),
        )
        state.asked = await asyncio.to_thread(network.receipts.totals)
        state.receipts = tuple(await asyncio.to_thread(network.receipts.latest, _SHOWN_RECEIPTS))
        now = int(time.time())
        book = network.trust.book
        seen = {device.node: book.models(device.node, now) for device in state.devices}
        state.trust = {node: models for node, models in seen.items() if models}

    async def _watch(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await self.look(anew=False)
                await asyncio.sleep(LOOK_SECONDS)

    async def _look_at(self, row: RouterRow, *, anew: bool) -> RouterRow:
        routers = self._network.routers
        try:
            if anew or row.status is not RouterStatus.THERE:
                await routers.check(row.router.id)
            return replace(
                row, status=RouterStatus.THERE, pool=await routers.pool(row.router.id), problem=None
            )
        except RouterChanged as error:
            return replace(row, status=RouterStatus.CHANGED, problem=error, pool=None)
        except (NetworkError, AppError, OSError) as error:
            return replace(row, status=RouterStatus.AWAY, problem=error, pool=None)

    def _show(self, looked: RouterRow) -> None:
        """What a router has said, unless it was changed or removed meanwhile."""
        self.state.routers = tuple(
            looked if row.router == looked.router else row for row in self.state.routers
        )


def _row(router: Router, before: RouterRow | None) -> RouterRow:
    if not router.enabled:
        return RouterRow(router, RouterStatus.OFF)
    if before is None or before.router != router:
        return RouterRow(router)
    return before
