"""Servers whose models may answer: which there are, and how one is opened.

Nothing is sent to a server unless the user asks for its list of models or has chosen one of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import PurePosixPath
from time import perf_counter

import httpx

from app.core.errors import ModelMissing, ServerExists
from app.core.server_keys import ServerKeys, SessionKeys
from app.core.settings import ServerSetting, SettingsStore
from engines.errors import RemoteAddressInvalid, RemoteAnswerBroken
from engines.opening import open_engine
from engines.protocol import Engine, LoadOptions, Message, Prompt, Sampling, TextDelta, ThinkingDelta
from engines.remote.address import ServerAddress, read_address
from engines.remote.connection import ServerAccess
from engines.remote.models import RemoteModel, list_models

log = logging.getLogger(__name__)

_PREFIX = "server:"
TRIAL_QUESTION = "Hello! Answer with one word."
"""All that a trial sends, beside the key."""
_TRIAL_TOKENS = 16
_LONGEST_NAME = 100


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
        open_client: Callable[..., httpx.AsyncClient] = httpx.AsyncClient,
    ) -> None:
        """`open_client` makes HTTP clients, as `httpx.AsyncClient` does."""
        self._settings = settings
        self._keys = keys or SessionKeys()
        self._open = opener
        self._open_client = open_client

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

    async def try_out(self, url: str, model: str, key: str | None = None) -> float:
        """Send `TRIAL_QUESTION` to a model and nothing of the user's; returns the seconds to its first word.

        Raises:
            RemoteError: the leaf says what is wrong with the address, the server or the model.
        """
        server = read_address(url)
        access = await self._access(server, key)
        engine = await self._open(server.model(model), LoadOptions(), access=access)
        try:
            prompt = Prompt((Message("user", TRIAL_QUESTION),), Sampling(max_tokens=_TRIAL_TOKENS))
            began = perf_counter()
            async with aclosing(engine.stream(prompt)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, TextDelta | ThinkingDelta):
                        return perf_counter() - began
            raise RemoteAnswerBroken(server.host, "an empty answer")
        finally:
            await engine.close()

    def add(self, name: str, url: str, model: str, key: str | None = None) -> ServerModel:
        """Add a model of a server; nothing is sent for that.

        Args:
            name: what the user wants to call it; empty: the model's own name, with the server's if need be.
            url: the server's address as people write it.
            model: the model's name there.
            key: the server's key, where it needs one.

        Raises:
            RemoteAddressInvalid: the address is none.
            ServerExists: one of this name is there.
            msgspec.ValidationError: the name of the model is empty or too long.
        """
        return self.add_all(url, [(name, model)], key)[0]

    def add_all(
        self, url: str, models: Sequence[tuple[str, str]], key: str | None = None
    ) -> list[ServerModel]:
        """Add several models of one server, or none of them; see `add`.

        Args:
            url: the server's address.
            models: the name of each here, and there.
            key: the server's key.
        """
        server = read_address(url)
        added: list[ServerSetting] = []
        for wanted, model in models:
            name = _tidy(wanted) or self._free_name(model, server, added)
            self._check_free(name, added)
            added.append(ServerSetting(name=name, url=server.url, model=model))
        self._settings.change(servers=(*self._settings.current.servers, *added))
        if key:
            self._keys.keep(server.url, key)
        return [_described(setting) for setting in added]

    def change(self, model_id: str, name: str, url: str, model: str, key: str | None = None) -> ServerModel:
        """Change what is known of one; nothing is sent for that. With its name its id changes, too.

        Args:
            model_id: which one.
            name: its new name; empty: the one before.
            url: see `add`.
            model: see `add`.
            key: a new key; None: the one that is known.

        Raises:
            ModelMissing: it is not there any more.
            RemoteAddressInvalid, ServerExists, msgspec.ValidationError: as `add`.
        """
        before = self.get(model_id)
        server = read_address(url)
        changed = ServerSetting(name=_tidy(name) or before.name, url=server.url, model=model)
        self._check_free(changed.name, but=model_id)
        there = self._settings.current.servers
        rest = tuple(changed if _id(setting) == model_id else setting for setting in there)
        self._settings.change(servers=rest)
        if key:
            self._keys.keep(server.url, key)
        self._forget_unused(before.url)
        return _described(changed)

    def remove(self, model_id: str) -> None:
        """Remove one, and its key where no other model of that server is left.

        Raises:
            ModelMissing: it is not there any more.
        """
        removed = self.get(model_id)
        rest = tuple(setting for setting in self._settings.current.servers if _id(setting) != model_id)
        self._settings.change(servers=rest)
        self._forget_unused(removed.url)

    async def open(self, model: ServerModel, options: LoadOptions) -> Engine:
        """The engine for a model that the user has chosen.

        Raises:
            RemoteError: the leaf says what is wrong with the server.
        """
        server = read_address(model.url)
        return await self._open(server.model(model.model), options, access=await self._access(server, None))

    def knows_key(self, url: str) -> bool:
        """Whether there is a key for the server at this address. May ask the system: call it in a thread."""
        return self._keys.get(url) is not None

    def keeps_keys(self) -> bool:
        """Whether a key will be known after a restart. May ask the system: call it in a thread."""
        return self._keys.lasting()

    def keep_key(self, url: str, key: str) -> bool:
        """Take the key of a server, before or after its models are added.

        Returns whether it will be known after a restart. May ask the system: call it in a thread.

        Raises:
            RemoteAddressInvalid: the address is none.
        """
        return self._keys.keep(read_address(url).url, key)

    def forget_key(self, url: str) -> None:
        """Forget the key of a server that was entered. May ask the system: call it in a thread."""
        self._keys.forget(url)

    def _free_name(self, model: str, server: ServerAddress, added: Sequence[ServerSetting]) -> str:
        path = PurePosixPath(model.replace("\\", "/"))  # what some servers call a file that they were given
        short = _tidy(path.stem if path.suffix == ".gguf" else model)[:_LONGEST_NAME]
        taken = {one.name.casefold() for one in (*self._settings.current.servers, *added)}
        if short.casefold() not in taken:
            return short
        where = f" ({server.host})"
        return short[: _LONGEST_NAME - len(where)] + where

    def _check_free(self, name: str, added: Sequence[ServerSetting] = (), *, but: str = "") -> None:
        taken = (*self._settings.current.servers, *added)
        if any(one.name.casefold() == name.casefold() and _id(one) != but for one in taken):
            raise ServerExists(name)

    def _forget_unused(self, url: str) -> None:
        if all(read_address(model.url).url != url for model in self.added()):
            self._keys.forget(url)

    async def _access(self, server: ServerAddress, key: str | None) -> ServerAccess:
        key = key or await asyncio.to_thread(self._keys.get, server.url)
        return ServerAccess(key, proxy=self._settings.current.proxy, open_client=self._open_client)


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


def _tidy(name: str) -> str:
    return " ".join(name.split())


def _id(setting: ServerSetting) -> str:
    return f"{_PREFIX}{setting.name}"
