"""The way to one server: HTTP with limits, and every failure under a name of `engines.errors`.

Redirects are not followed: where a server sends us, the user has not agreed to send a question, or a key.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import msgspec

from engines.errors import (
    EngineNotLoaded,
    RemoteAnswerBroken,
    RemoteError,
    RemoteIncompatible,
    RemoteRefused,
    RemoteUnreachable,
    RemoteUntrusted,
)
from engines.remote.address import ServerAddress

_MOST_BYTES = 8 << 20
"""Of a response that is read as a whole."""
_MOST_FAULT_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server may take. In seconds."""

    connect: float = 10.0
    begin: float = 600.0
    """Until it begins to answer: it may have to load the model and to read a long prompt first."""
    between: float = 120.0
    """Between two signs of life, once the answer has begun."""
    listing: float = 20.0
    """For the list of its models."""


@dataclass(frozen=True, slots=True)
class ServerAccess:
    """What it takes to reach a server, beside its address."""

    key: str | None = field(default=None, repr=False)
    """Sent to this server and nowhere else."""
    proxy: str | None = field(default=None, repr=False)
    """Address of a proxy; `None` leaves it to the environment (HTTPS_PROXY and so on). Not used for servers
    that are `nearby`."""
    patience: Patience = Patience()
    open_client: Callable[..., httpx.AsyncClient] = field(default=httpx.AsyncClient, repr=False)
    """Makes the client; takes what `httpx.AsyncClient` takes. For whoever wants to count or refuse."""


NO_KEY = ServerAccess()


class Reply:
    """A response whose body is still to come."""

    def __init__(self, host: str, response: httpx.Response, patience: Patience) -> None:
        self._host = host
        self._response = response
        self._patience = patience
        self.status = response.status_code
        self.content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.retry_after = response.headers.get("retry-after", "")

    @property
    def ok(self) -> bool:
        """Whether the server does what it was asked for."""
        return self.status == httpx.codes.OK

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it arrives.

        Raises:
            RemoteAnswerBroken: it breaks off, stalls, or is compressed though nobody asked for that.
        """
        if self._response.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            raise RemoteAnswerBroken(self._host, "compressed")
        body = self._response.aiter_raw()
        while True:
            try:
                async with asyncio.timeout(self._patience.between):
                    piece = await anext(body)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise RemoteAnswerBroken(self._host, f"silent for {self._patience.between:.0f} s") from None
            except httpx.HTTPError as error:
                raise RemoteAnswerBroken(self._host, type(error).__name__) from None
            yield piece

    async def whole(self) -> bytes:
        """The body at once.

        Raises:
            RemoteAnswerBroken: also when it is larger than any sensible one.
        """
        body = bytearray()
        async for piece in self.pieces():
            body += piece
            if len(body) > _MOST_BYTES:
                raise RemoteAnswerBroken(self._host, "too long")
        return bytes(body)

    async def beginning(self) -> bytes:
        """The first 64 KiB of the body, or what can be had of them; for the text of an error."""
        body = bytearray()
        try:
            async for piece in self.pieces():
                body += piece
                if len(body) >= _MOST_FAULT_BYTES:
                    break
        except RemoteAnswerBroken:
            pass  # the status alone tells enough
        return bytes(body[:_MOST_FAULT_BYTES])


class Connection:
    """Speaks with one server. Use it within one event loop, and close it."""

    def __init__(self, server: ServerAddress, access: ServerAccess = NO_KEY) -> None:
        self.server = server
        self.patience = access.patience
        self._access = access
        self._client: httpx.AsyncClient | None = None
        self._closed = False

    @asynccontextmanager
    async def get(self, path: str) -> AsyncIterator[Reply]:
        """Ask for a resource of the API, such as `/models`.

        Raises:
            RemoteUnreachable, RemoteUntrusted, RemoteRefused, RemoteIncompatible: nothing comes back, or no
                response of such a server.
            EngineNotLoaded: the connection was closed.
        """
        async with self._send("GET", path, None, self.patience.listing) as reply:
            yield reply

    @asynccontextmanager
    async def post(self, path: str, body: Mapping[str, object]) -> AsyncIterator[Reply]:
        """Send JSON; raises what `get` raises."""
        content = msgspec.json.encode(body)
        async with self._send("POST", path, content, self.patience.begin) as reply:
            yield reply

    async def close(self) -> None:
        """End all that is under way."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @asynccontextmanager
    async def _send(
        self, method: str, path: str, content: bytes | None, seconds: float
    ) -> AsyncIterator[Reply]:
        client = await self._opened()
        host = self.server.host
        # Compressed text would come in lumps, and could be a bomb.
        headers = {"accept-encoding": "identity"} | ({"content-type": "application/json"} if content else {})
        try:
            request = client.build_request(method, self.server.url + path, content=content, headers=headers)
            async with asyncio.timeout(seconds):
                response = await client.send(request, stream=True)
        except TimeoutError:
            raise RemoteUnreachable(host, f"silent for {seconds:.0f} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            raise _no_response(host, error) from None
        try:
            if response.is_redirect:
                raise RemoteIncompatible(host, "leads to another address")
            yield Reply(host, response, self.patience)
        finally:
            await response.aclose()

    async def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            # In a thread: reading the system's certificates takes some ten milliseconds.
            client = await asyncio.to_thread(self._make)
            if self._closed:
                await client.aclose()
            else:
                self._client = client
        if self._closed or self._client is None:
            raise EngineNotLoaded
        return self._client

    def _make(self) -> httpx.AsyncClient:
        headers = {}
        if key := (self._access.key or "").strip():
            if not (key.isascii() and key.isprintable()):
                raise RemoteRefused(self.server.host, "the key has characters that no key has")
            headers["authorization"] = f"Bearer {key}"
        patience = self.patience
        try:
            return self._access.open_client(
                headers=headers,
                timeout=httpx.Timeout(None, connect=patience.connect, pool=patience.connect),
                limits=httpx.Limits(
                    max_keepalive_connections=0
                ),  # a kept one may be dead by the next question
                follow_redirects=False,
                proxy=None if self.server.nearby else self._access.proxy,
                trust_env=not self.server.local,  # no proxy leads to this device
            )
        except (ValueError, httpx.InvalidURL, OSError, ImportError) as error:
            raise RemoteUnreachable(self.server.host, f"proxy: {type(error).__name__}") from None


def _no_response(host: str, error: Exception) -> RemoteError:
    """Names what went wrong; the library's own words stay out, they may hold an address with a key."""
    kind = type(error).__name__
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            certificate = isinstance(cause, ssl.SSLCertVerificationError)
            return (RemoteUntrusted if certificate else RemoteUnreachable)(host, cause.reason or kind)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.RemoteProtocolError) and "disconnected" not in str(error):
        return RemoteIncompatible(host, kind)
    return RemoteUnreachable(host, kind)
