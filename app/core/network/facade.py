"""Everything the app has to do with other devices, in one value."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from app.core.network.asking import Asking
from app.core.network.canarying import Canaries
from app.core.network.devices import Devices
from app.core.network.groups import Groups
from app.core.network.identity import Identity
from app.core.network.joining import Meanings, no_meanings
from app.core.network.ledger import Ledger, Purpose
from app.core.network.offers import Offers
from app.core.network.offline import OfflineSwitch
from app.core.network.outgoing import Outgoing
from app.core.network.preparation import Preparation
from app.core.network.receipt_store import ReceiptStore
from app.core.network.router_address import is_nearby
from app.core.network.routers import Router, Routers
from app.core.network.settling import Settling
from app.core.network.topics import Topics
from app.core.network.trust_store import TrustStore
from app.core.network.vault import Vault
from app.core.paths import Paths
from app.core.settings import SettingsStore
from network.client.router_client import RouterClient


@dataclass(frozen=True, slots=True)
class Network:
    """What is known about the network, and the ways into it. Opening one asks nobody and sends nothing."""

    identity: Identity
    routers: Routers
    groups: Groups
    devices: Devices
    ledger: Ledger
    offline: OfflineSwitch
    outgoing: Outgoing
    settings: SettingsStore
    trust: TrustStore
    receipts: ReceiptStore
    asking: Asking
    offers: Offers

    def open_client(self, purpose: Purpose, address: str) -> httpx.AsyncClient:
        """A client for the router at this address; close it. Uses the user's proxy where one leads there."""
        return _open_client(self.outgoing, self.settings, purpose, address)

    def begin_anew(self) -> None:
        """Go on without the lists that `RecordsLost` tells of: all devices are strangers. Raises OSError."""
        self.devices.stored.begin_anew()
        self.trust.begin_anew()

    def close(self) -> None:
        """Close what is open; after `asking.close()`."""
        self.receipts.close()
        self.ledger.close()


def open_network(
    paths: Paths,
    settings: SettingsStore,
    outgoing: Outgoing,
    vault: Vault | None = None,
    clock: Callable[[], float] = time.time,
    *,
    meanings: Meanings = no_meanings,
) -> Network:
    """Put the stores together. `meanings` compares answers of several devices."""
    folder = paths.network
    vault = vault or Vault(folder)

    def open_client(address: str) -> httpx.AsyncClient:
        return _open_client(outgoing, settings, Purpose.ROUTER, address)

    @asynccontextmanager
    async def open_asker(router: Router) -> AsyncIterator[RouterClient]:
        async with _open_client(outgoing, settings, Purpose.ASKING, router.address) as http:
            yield RouterClient(router.address, http, router.invite)

    identity = Identity(folder / "device.json", vault, clock)
    routers = Routers(folder / "routers.json", vault, open_client)
    groups = Groups(folder / "groups.json", vault)
    devices = Devices(folder / "devices.json", clock)
    trust = TrustStore(folder / "trust.json")
    receipts = ReceiptStore(folder / "receipts.db")
    preparation = Preparation(identity, groups, devices, trust, receipts, Topics(meanings), wall=clock)
    settling = Settling(receipts, trust)
    canaries = Canaries(preparation, settling, trust)
    return Network(
        identity=identity,
        routers=routers,
        groups=groups,
        devices=devices,
        trust=trust,
        receipts=receipts,
        offers=Offers(routers, open_asker, preparation),
        asking=Asking(routers, open_asker, preparation, settling, canaries, settings, meanings),
        ledger=outgoing.ledger,
        offline=outgoing.offline,
        outgoing=outgoing,
        settings=settings,
    )


def _open_client(
    outgoing: Outgoing, settings: SettingsStore, purpose: Purpose, address: str
) -> httpx.AsyncClient:
    nearby = is_nearby(urlsplit(address).hostname or "")
    return outgoing.opener(purpose)(
        proxy=None if nearby else settings.current.proxy,
        trust_env=not nearby,  # no proxy leads to this device, or to one beside it
    )
