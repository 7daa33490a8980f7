"""Servers whose models may answer: which there are, and how one is opened.

Nothing is sent to a server unless the user asks for its list of models or has chosen one of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.core.errors import ModelMissing, ServerExists
from app.core.server_keys import ServerKeys, SessionKeys
from app.core.settings import ServerSetting, SettingsStore
from engines.errors import RemoteAddressInvalid
from engines.opening import open_engine
from engines.protocol import Engine, LoadOptions
from engines.remote.address import ServerAddress, read_address
from engines.remote.connection import ServerAccess
from engines.remote.models import RemoteModel, list_models

log = logging.getLogger(__name__)

_PREFIX = "server:"


@dataclass(frozen=True, slots=True)
class ServerModel:
    """A model of a server, as the lists show it."""

    id: str
    """Stays the same across restarts."""
    name: str
    """What the user calls it."""
    url: str
    model: str
    """Its name on the server."""
    host: str
    """The computer that questions and passages of documents go to."""
    local: bool
    """The server runs on this device: nothing leaves it."""
    encrypted: bool
    """Nobody on the way can read along."""


class Servers:
    """The servers of the settings."""

    def __init__(
        self,
        settings: SettingsStore,
        keys: ServerKeys | None = None,
        opener: Callable[..., Awaitable[Engine]] = open_engine,
    ) -> None:
        self._settings = settings
        self._keys = keys or SessionKeys()
        self._open = opener

    def added(self) -> list[ServerModel]:
        """All of them, in the order in which they were added."""
        found = []
        for setting in self._settings.current.servers:
            try:
                found.append(_described(setting))
            except RemoteAddressInvalid:
                log.warning("a server of the settings has no address that can be used")
        return found

    def get(self, model_id: str) -> ServerModel:
        """One of them.

        Raises:
            ModelMissing: it was removed.
        """
        found = next((model for model in self.added() if model.id == model_id), None)
        if found is None:
            raise ModelMissing
        return found

    async def offered(self, url: str, key: str | None = None) -> list[RemoteModel]:
        """Ask a server which models it has, before one is added.

        Raises:
            RemoteError: the leaf says what is wrong with the address or the server.
        """
        server = read_address(url)
        return await list_models(server, await self._access(server, key))

    def add(self, name: str, url: str, model: str, key: str | None = None) -> ServerModel:
        """Add a model of a server; nothing is sent for that.

        Args:
            name: what the user wants to call it; empty: the model's own name.
            url: the server's address as people write it.
            model: the model's name there.
            key: the server's key, where it needs one.

        Raises:
            RemoteAddressInvalid: the address is none.
            ServerExists: one of this name is there.
            msgspec.ValidationError: the name of the model is empty or too long.
        """
        server = read_address(url)
        name = " ".join((name or model).split())
        there = self._settings.current.servers
        if any(setting.name.casefold() == name.casefold() for setting in there):
            raise ServerExists(name)
        added = ServerSetting(name=name, url=server.url, model=model)
        self._settings.change(servers=(*there, added))
        if key:
            self._keys.keep(server.url, key)
        return _described(added)

    def remove(self, model_id: str) -> None:
        """Remove one, and its key where no other model of that server is left.

        Raises:
            ModelMissing: it is not there any more.
        """
        removed = self.get(model_id)
        rest = tuple(setting for setting in self._settings.current.servers if _id(setting) != model_id)
        self._settings.change(servers=rest)
        if all(setting.url != removed.url for setting in rest):
            self._keys.forget(removed.url)

    async def open(self, model: ServerModel, options: LoadOptions) -> Engine:
        """The engine for a model that the user has chosen.

        Raises:
            RemoteError: the leaf says what is wrong with the server.
        """
        server = read_address(model.url)
        return await self._open(server.model(model.model), options, access=await self._access(server, None))

    def knows_key(self, model: ServerModel) -> bool:
        """Whether there is a key for its server. May ask the system: call it in a thread."""
        return self._keys.get(model.url) is not None

    def keep_key(self, url: str, key: str) -> bool:
        """Take the key of a server, before or after its models are added.

        Returns whether it will be known after a restart. May ask the system: call it in a thread.

        Raises:
            RemoteAddressInvalid: the address is none.
        """
        return self._keys.keep(read_address(url).url, key)

    async def _access(self, server: ServerAddress, key: str | None) -> ServerAccess:
        return ServerAccess(key or await asyncio.to_thread(self._keys.get, server.url))


def _described(setting: ServerSetting) -> ServerModel:
    server = read_address(setting.url)
    return ServerModel(
        id=_id(setting),
        name=setting.name,
        url=server.url,
        model=setting.model,
        host=server.host,
        local=server.local,
        encrypted=server.encrypted,
    )


def _id(setting: ServerSetting) -> str:
    return f"{_PREFIX}{setting.name}"
