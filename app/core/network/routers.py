"""The routers that this device knows: they bring devices together, and can read nothing."""

from __future__ import annotations

import asyncio
import secrets as random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import httpx
import msgspec

from app.core.errors import RouterExists, RouterMissing
from app.core.foreign_text import harmless
from app.core.network.router_address import host_of, is_this_device, read_router_address
from app.core.network.stored_list import StoredList
from app.core.network.vault import Vault
from network.client.router_client import RouterClient
from network.errors import RouterChanged
from network.protocol.fields import PublicKey
from network.protocol.routers import Pool, RouterInfo


@dataclass(frozen=True, slots=True)
class Router:
    """A router that the user has added."""

    id: str
    name: str
    address: str
    """Scheme, host and port."""
    public_key: bytes
    """Ed25519, pinned when it was added: whoever else answers at the address is noticed."""
    invite: str = field(repr=False)
    """The word that lets this device in, where the router wants one."""
    enabled: bool
    """Whether it is used."""

    @property
    def host(self) -> str:
        """Host and port, as people are shown them."""
        return host_of(self.address)

    @property
    def private_way(self) -> bool:
        """Whether nobody on the way sees how much is said, and to whom. Contents are sealed either way."""
        return self.address.startswith("https:") or is_this_device(urlsplit(self.address).hostname or "")


class _StoredRouter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    name: Annotated[str, msgspec.Meta(max_length=64)]
    address: str
    public_key: PublicKey
    enabled: bool = True


class Routers:
    """Keeps them in a file, their invitations in the vault, and asks them only when a method says so.

    All raise what `Vault.get` raises, and OSError where the file cannot be read or written. The methods that
    are not async block for a moment: call them in a thread.
    """

    def __init__(self, path: Path, vault: Vault, open_client: Callable[[str], httpx.AsyncClient]) -> None:
        self.stored = StoredList(path, _StoredRouter)
        self._vault = vault
        self._open_client = open_client
        self._invites: dict[str, str] = {}

    def all(self) -> list[Router]:
        """In the order in which they were added."""
        return [self._router(one) for one in self.stored.all()]

    def enabled(self) -> list[Router]:
        """Those that are used."""
        return [router for router in self.all() if router.enabled]

    def get(self, id: str) -> Router:
        """One of them. Raises RouterMissing."""
        found = next((one for one in self.stored.all() if one.id == id), None)
        if found is None:
            raise RouterMissing
        return self._router(found)

    def find(self, named: str) -> Router:
        """By id, name or address. Raises RouterMissing."""
        wanted = named.strip().casefold()
        for router in self.all():
            if wanted in (router.id, router.name.casefold(), router.address, router.host):
                return router
        raise RouterMissing

    async def look(self, address: str, invite: str = "") -> RouterInfo:
        """Ask a router who it is, before it is added.

        Raises:
            RouterAddressInvalid: what was typed is no address.
            RouterError: nobody answers there, or no router.
            OfflineChosen: the user wants nothing to be sent.
        """
        read = read_router_address(address)
        async with self._open_client(read) as http:
            return await RouterClient(read, http, invite.strip()).info()

    async def add(self, address: str, invite: str = "", name: str = "") -> Router:
        """Ask a router who it is, pin its key, and keep it.

        Raises:
            RouterExists: a router of this address or with this key is there already.
            And all that `look` raises.
        """
        read = read_router_address(address)
        self._check_new(await asyncio.to_thread(self.stored.all), address=read)
        info = await self.look(read, invite)
        return await asyncio.to_thread(self._keep, read, info, invite.strip(), name)

    async def check(self, id: str) -> RouterInfo:
        """Ask a router whether it is there, and still itself.

        Raises:
            RouterMissing: it was removed.
            RouterChanged: somebody else answers at its address.
            And all that `look` raises.
        """
        router = await asyncio.to_thread(self.get, id)
        info = await self.look(router.address, router.invite)
        if info.public != router.public_key:
            raise RouterChanged(router.host)
        return info

    async def pool(self, id: str) -> Pool:
        """How many workers there are for everybody, and what they do. Raises what `check` raises."""
        router = await asyncio.to_thread(self.get, id)
        async with self._open_client(router.address) as http:
            return await RouterClient(router.address, http, router.invite).pool()

    async def accept(self, id: str) -> Router:
        """The user says that the router at this address has a new key. Raises what `look` raises."""
        router = await asyncio.to_thread(self.get, id)
        info = await self.look(router.address, router.invite)
        return await asyncio.to_thread(self._change, id, public_key=info.public)

    def rename(self, id: str, name: str) -> Router:
        """Call it something else; empty: as before. Raises RouterMissing."""
        return self._change(id, name=_tidy(name) or self.get(id).name)

    def enable(self, id: str, *, enabled: bool = True) -> Router:
        """Use it, or not any more. Raises RouterMissing."""
        return self._change(id, enabled=enabled)

    def set_invite(self, id: str, invite: str) -> Router:
        """Keep another invitation; empty: none. Raises RouterMissing."""
        self.get(id)
        self._keep_invite(id, invite.strip())
        return self.get(id)

    def remove(self, id: str) -> None:
        """Forget it, and its invitation. Raises RouterMissing."""
        self.get(id)
        self.stored.change(lambda stored: [one for one in stored if one.id != id])
        self._keep_invite(id, "")

    def _keep(self, address: str, info: RouterInfo, invite: str, name: str) -> Router:
        self._check_new(self.stored.all(), address=address, key=info.public)
        new = random.token_hex(8)
        if invite:
            self._keep_invite(new, invite)
        called = _tidy(name) or _tidy(info.name) or host_of(address)[:64]
        self.stored.change(lambda stored: [*stored, _StoredRouter(new, called, address, info.public)])
        return self.get(new)

    def _check_new(self, there: tuple[_StoredRouter, ...], *, address: str, key: bytes = b"") -> None:
        for one in there:
            if one.address == address or one.public_key == key:
                raise RouterExists(one.name)

    def _change(self, id: str, **values: object) -> Router:
        self.get(id)
        self.stored.change(
            lambda stored: [msgspec.structs.replace(one, **values) if one.id == id else one for one in stored]
        )
        return self.get(id)

    def _router(self, one: _StoredRouter) -> Router:
        return Router(one.id, one.name, one.address, one.public_key, self._invite(one.id), one.enabled)

    def _invite(self, id: str) -> str:
        if id not in self._invites:
            self._invites[id] = (self._vault.get(_entry(id)) or b"").decode()
        return self._invites[id]

    def _keep_invite(self, id: str, invite: str) -> None:
        if invite:
            self._vault.put(_entry(id), invite.encode())
        else:
            self._vault.remove(_entry(id))
        self._invites[id] = invite


def meeting_address(routers: Iterable[Router]) -> str:
    """Where devices of a group meet: the first router that is used and that others can reach; or nothing."""
    for router in routers:
        if router.enabled and not is_this_device(urlsplit(router.address).hostname or ""):
            return router.address
    return ""


def _tidy(name: str) -> str:
    return harmless(" ".join(name.split()))[:64]


def _entry(id: str) -> str:
    return f"invitation {id}"
