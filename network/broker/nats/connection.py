"""A connection to NATS on which a write is repeated until it is known to have happened, once."""

from __future__ import annotations

import asyncio
import logging
import ssl
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar
from urllib.parse import urlsplit

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import Header, RawStreamMsg
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError, ServiceUnavailableError

from network.broker.nats.feed import Feed
from network.broker.nats.settings import NatsSettings
from network.broker.nats.streams import MARKER_SECONDS, Names, stream_configs
from network.errors import BrokerUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

_CALL_SECONDS = 1.0
"""After a kill of the server the client may not notice at once: a call is lost and has to be made again."""
_PAUSE_SECONDS = 0.2
_WRONG_REVISION = 10071
_NOT_NOW = (
    nats.errors.TimeoutError,
    nats.errors.NoRespondersError,
    nats.errors.OutboundBufferLimitError,
    nats.errors.StaleConnectionError,
    NoStreamResponseError,
    ServiceUnavailableError,
    OSError,
)


class RevisionChanged(Exception):
    """Somebody else has written to this subject meanwhile."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A message of a stream, and its place there."""

    sequence: int
    data: bytes = field(repr=False)


class NatsConnection:
    """Reads, writes and feeds of one namespace. Belongs to one event loop; open it with `connect`."""

    def __init__(self, client: Client, settings: NatsSettings) -> None:
        self.names = Names(settings.namespace)
        self._client = client
        self._settings = settings
        self._stream: JetStreamContext = client.jetstream(timeout=_CALL_SECONDS)
        self._writer = uuid.uuid4().hex
        self._writes = count()
        self._feeds: set[Feed] = set()
        self.on_reconnect: Callable[[], None] = lambda: None

    @property
    def connected(self) -> bool:
        """Whether the server can be reached at the moment, as far as is known."""
        return self._client.is_connected

    async def prepare(self) -> None:
        """Create the streams, or give them the present settings.

        Raises:
            BrokerUnavailable: the server does not let us, or has no JetStream.
        """
        for config in stream_configs(self._settings):

            async def create(config: Any = config) -> None:
                try:
                    await self._stream.add_stream(config)
                except APIError as error:
                    if error.code != 400:
                        raise
                    await self._stream.update_stream(config)  # it is there, with other settings

            await self._insist(create)

    async def put(
        self, subject: str, data: bytes, *, revision: int | None = None, seconds: float | None = None
    ) -> int:
        """Write; returns the message's place in its stream.

        Where `revision` is given, only if the last message of the subject, which is a bucket's key then, has
        it (0: there is none). The message expires after `seconds`.

        Raises:
            RevisionChanged: nothing was written.
            BrokerUnavailable: it is not known whether it was written.
        """
        headers: dict[str, str] = {}
        if revision is not None:
            headers[Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value] = str(revision)
        if seconds is not None:
            headers[Header.MSG_TTL.value] = f"{max(1, round(seconds))}s"
        return await self._write(subject, data, headers)

    async def remove(self, subject: str, revision: int) -> int:
        """Say in a bucket that a key is gone, if its entry is still this one. Raises as `put`."""
        headers = {
            "KV-Operation": "DEL",
            Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value: str(revision),
            Header.MSG_TTL.value: f"{MARKER_SECONDS:.0f}s",
        }
        return await self._write(subject, b"", headers)

    async def _write(self, subject: str, data: bytes, headers: dict[str, str]) -> int:
        # The server knows by it that a repeated write is one and the same.
        this = headers[Header.MSG_ID.value] = f"{self._writer}.{next(self._writes)}"

        async def write() -> int:
            try:
                return (await self._stream.publish(subject, data, headers=dict(headers))).seq
            except APIError as error:
                if error.err_code != _WRONG_REVISION:
                    raise
            # A server that was killed in between may have kept the write, but not its name in mind: look.
            found = await self._read(_bucket_of(subject), subject=subject)
            if found is not None and found.seq is not None and _name_of(found) == this:
                return found.seq
            raise RevisionChanged

        return await self._insist(write)

    async def get(self, stream: str, sequence: int) -> bytes | None:
        """The message at this place; None if it is gone."""
        found = await self._insist(lambda: self._read(stream, seq=sequence))
        return None if found is None else found.data or b""

    async def last(self, stream: str, subject: str) -> Entry | None:
        """The last message of a subject; its data is empty where it only says that there is nothing."""
        found = await self._insist(lambda: self._read(stream, subject=subject))
        return None if found is None or found.seq is None else Entry(found.seq, found.data or b"")

    async def erase(self, stream: str, sequence: int) -> None:
        """Overwrite a message, if it is there."""

        async def delete() -> None:
            try:
                await self._stream.delete_msg(stream, sequence)
            except APIError as error:
                if isinstance(error, ServiceUnavailableError):
                    raise
                log.debug("a message was gone already: %s", error.err_code)

        await self._insist(delete)

    def follow(self, stream: str, subject: str, after: int | None) -> Feed:
        """What comes on a subject after this place; for None, the last of each subject and what follows."""
        feed = Feed(self._client, self._stream, stream, subject, after, self._feeds.discard)
        self._feeds.add(feed)
        return feed

    async def close(self) -> None:
        """End the connection."""
        for feed in list(self._feeds):
            await feed.close()
        await self._client.close()

    async def reconnected(self) -> None:
        """The client has found a server again."""
        log.info("the connection to NATS is there again")
        self.on_reconnect()
        for feed in self._feeds:
            feed.begin_again()

    async def _read(self, stream: str, **which: Any) -> RawStreamMsg | None:
        try:
            return await self._stream.get_msg(stream, direct=True, **which)
        except NotFoundError:
            return None

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call until it works or fails for a reason that stays."""
        deadline = asyncio.get_running_loop().time() + self._settings.patience_seconds
        while True:
            try:
                return await call()
            except _NOT_NOW as error:
                if asyncio.get_running_loop().time() >= deadline:
                    raise BrokerUnavailable(type(error).__name__) from error
                await asyncio.sleep(_PAUSE_SECONDS)
            except nats.errors.Error as error:
                raise BrokerUnavailable(str(error)) from error


async def connect(settings: NatsSettings) -> NatsConnection:
    """Find a server and prepare it.

    Raises:
        BrokerUnavailable: there is none, or it does not let us in.
        OSError: a file of credentials or certificates cannot be read.
    """
    tls = _tls(settings)
    client = Client() if tls is None else _EncryptedClient()
    opened: list[NatsConnection] = []

    async def again() -> None:
        for connection in opened:
            await connection.reconnected()

    async def lost() -> None:
        if not client.is_closed:
            log.warning("the connection to NATS is lost")

    async def note(error: Exception) -> None:
        log.debug("NATS: %s", type(error).__name__)

    try:
        async with asyncio.timeout(settings.connect_seconds):
            await client.connect(
                list(settings.servers),
                name="dai router",
                error_cb=note,
                disconnected_cb=lost,
                reconnected_cb=again,
                max_reconnect_attempts=-1,
                reconnect_time_wait=1,
                connect_timeout=2,
                ping_interval=5,
                tls=tls,
                user=settings.user or None,
                password=settings.password or None,
                user_credentials=str(settings.credentials) if settings.credentials else None,
                nkeys_seed=str(settings.nkey) if settings.nkey else None,
            )
        connection = NatsConnection(client, settings)
        opened.append(connection)
        await connection.prepare()
    except BaseException as error:
        await client.close()
        if isinstance(error, nats.errors.Error | TimeoutError):
            # Never the address itself: it may hold a password.
            hosts = ", ".join(str(urlsplit(server).hostname) for server in settings.servers)
            raise BrokerUnavailable(f"{hosts}: {type(error).__name__}") from error
        raise
    return connection


def _bucket_of(subject: str) -> str:
    """The stream of a key: `$KV.NAME.key` lies in `KV_NAME`."""
    return "KV_" + subject.split(".")[1]


def _name_of(message: RawStreamMsg) -> str | None:
    return (message.headers or {}).get(Header.MSG_ID.value)


class _EncryptedClient(Client):
    """The library encrypts where the *server* demands it, also at tls:// addresses: whoever stands in between
    only has to leave that out to be told the password."""

    def _connect_command(self) -> bytes:
        """Credentials are in it; the connection is encrypted by now, or never."""
        scheme = self._current_server.uri.scheme if self._current_server else ""
        if scheme != "wss" and not self._server_info.get("tls_required"):
            raise nats.errors.SecureConnWantedError
        return super()._connect_command()


def _tls(settings: NatsSettings) -> ssl.SSLContext | None:
    encrypted = any(server.startswith(("tls://", "wss://")) for server in settings.servers)
    if not encrypted and settings.authorities is None and settings.certificate is None:
        return None
    context = ssl.create_default_context(cafile=settings.authorities)
    if settings.certificate is not None:
        context.load_cert_chain(settings.certificate, settings.certificate_key)
    return context
