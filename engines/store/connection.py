"""The way to the hub: HTTP with limits, and every failure under a name of `engines.errors`.

Redirects are followed by hand: large files lie on other hosts, and those must never see the access token.
"""

from __future__ import annotations

import asyncio
import email.utils
import errno
import importlib.metadata
import ipaddress
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from engines.errors import (
    DownloadError,
    HubAddressInvalid,
    HubAnswerBroken,
    HubBusy,
    HubFileMissing,
    HubGated,
    HubRefused,
    HubTokenRejected,
    HubUnreachable,
    HubUntrusted,
    Offline,
)

DEFAULT_ENDPOINT = "https://huggingface.co"
_MOST_REDIRECTS = 5
_NO_NETWORK = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH})
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524, 529})


def _no_token() -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class HubAccess:
    """Where the hub is, and what it takes to get in."""

    endpoint: str = DEFAULT_ENDPOINT
    """The hub, or a mirror of it."""
    token: Callable[[], str | None] = field(default=_no_token, repr=False)
    """Tells the access token; asked for every request, in a thread, as a keyring may block. Sent to the
    endpoint and nowhere else."""
    proxy: str | None = field(default=None, repr=False)
    """Address of a proxy; `None` leaves it to the environment (HTTPS_PROXY and so on)."""
    open_client: Callable[..., httpx.AsyncClient] = field(default=httpx.AsyncClient, repr=False)
    """Makes the client; takes what `httpx.AsyncClient` takes. For whoever wants to count or refuse."""
    connect_seconds: float = 15.0
    silence_seconds: float = 45.0
    """A connection that brings nothing for so long is given up."""


@dataclass(frozen=True, slots=True)
class HubReply:
    """A successful response, whose body is still to come, and what the hub itself said about the file."""

    response: httpx.Response
    first: httpx.Headers
    """Headers of the hub's own response, before any redirect."""

    @property
    def linked_etag(self) -> str | None:
        """What identifies a large file's content, whichever host sends it: its SHA-256."""
        return _plain_etag(self.first.get("x-linked-etag"))

    @property
    def linked_bytes(self) -> int | None:
        """Its size."""
        return header_number(self.first.get("x-linked-size"))


class HubConnection:
    """Speaks with the hub. Use it within one event loop, and close it."""

    def __init__(self, access: HubAccess) -> None:
        """`access.endpoint` may be what a user has typed.

        Raises:
            HubAddressInvalid: it is no address of a server.
        """
        endpoint = access.endpoint.strip().rstrip("/")
        try:
            self._origin = httpx.URL(endpoint)
        except httpx.InvalidURL:
            raise HubAddressInvalid(endpoint[:80]) from None
        if self._origin.scheme not in ("http", "https") or not self._origin.host or self._origin.userinfo:
            raise HubAddressInvalid(self._origin.host or "?")
        self.endpoint = endpoint
        self.host = self._origin.host
        self._access = access
        try:
            self._client = access.open_client(
                headers={"user-agent": user_agent(), "accept-encoding": "identity"},
                timeout=httpx.Timeout(access.silence_seconds, connect=access.connect_seconds),
                follow_redirects=False,
                proxy=access.proxy,
                trust_env=not _is_this_device(self.host),  # no proxy leads to this device
            )
        except (ValueError, httpx.InvalidURL, ImportError):
            raise HubAddressInvalid("proxy") from None

    @asynccontextmanager
    async def get(
        self, url: str, name: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[HubReply]:
        """Ask for a URL of the hub and follow it where it leads.

        Statuses 200, 206 and 416 come back, all others are raised; so are failures inside of the block.

        Args:
            url: below the endpoint.
            name: of the repository, for the errors.
            headers: more of them, sent to every host on the way.

        Raises:
            Offline, HubUnreachable, HubUntrusted, HubBusy: it may work later.
            HubRefused, HubTokenRejected, HubGated, HubFileMissing, HubAnswerBroken: it will not, unless
                something changes.
        """
        address = httpx.URL(url)
        first: httpx.Headers | None = None
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                sent = await self._headers(address, headers)
                request = self._client.build_request("GET", address, headers=sent)
                response = await self._client.send(request, stream=True)
                try:
                    first = response.headers if first is None else first
                    if not response.is_redirect:
                        self._check(response, name)
                        yield HubReply(response, first)
                        return
                    address = self._next(address, response)
                finally:
                    await response.aclose()
            except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
                raise _no_response(address.host or self.host, error) from error
        raise HubAnswerBroken(self.host, "goes round in circles")

    async def close(self) -> None:
        """End all that is under way."""
        await self._client.aclose()

    async def _headers(self, address: httpx.URL, headers: Mapping[str, str] | None) -> dict[str, str]:
        sent = dict(headers or {})
        token = await asyncio.to_thread(self._access.token) if self._is_hub(address) else None
        if token and (token := token.strip()):
            if not (token.isascii() and token.isprintable()):
                raise HubTokenRejected(self.host, "characters that no token has")
            sent["authorization"] = f"Bearer {token}"
        return sent

    def _is_hub(self, address: httpx.URL) -> bool:
        """The same scheme, host and port: only there the token is at home."""
        return (address.scheme, address.host, address.port) == (
            self._origin.scheme,
            self._origin.host,
            self._origin.port,
        )

    def _next(self, address: httpx.URL, response: httpx.Response) -> httpx.URL:
        following = address.join(response.headers.get("location", ""))
        if following.scheme not in ("http", "https") or (
            address.scheme == "https" and following.scheme == "http"
        ):
            raise HubAnswerBroken(self.host, "leads away from encryption")
        return following

    def _check(self, response: httpx.Response, name: str) -> None:
        status, host = response.status_code, response.url.host
        if status in (200, 206, 416):
            if response.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
                raise HubAnswerBroken(host, "compressed")
            return
        reason = response.headers.get("x-error-code", "")
        if status in (401, 403, 451) and not self._is_hub(response.url):
            raise HubBusy(host, str(status))  # a link to the other host that has expired: ask for a new one
        if reason == "GatedRepo":
            raise HubGated(host, name, f"{self.endpoint}/{name}", str(status))
        if status in (404, 410) or reason in ("RepoNotFound", "RevisionNotFound", "EntryNotFound"):
            raise HubFileMissing(host, name, str(status))
        if status == 401:
            if "authorization" in response.request.headers:
                raise HubTokenRejected(host, str(status))
            raise HubFileMissing(host, name, str(status))  # or private
        if status in (403, 451):
            raise HubRefused(host, str(status))
        if status in _BUSY:
            raise HubBusy(host, str(status), _retry_after(response.headers.get("retry-after")))
        raise HubAnswerBroken(host, str(status))


def user_agent() -> str:
    """How the app introduces itself: its name and version, nothing about the device."""
    try:
        return f"dai-chat/{importlib.metadata.version('dai-chat')}"
    except (
        importlib.metadata.PackageNotFoundError
    ):  # run from a folder of sources, or packed without metadata
        return "dai-chat/0"


def header_number(text: str | None) -> int | None:
    """A length as a header tells it; None where it does not."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 19 else None


def _plain_etag(etag: str | None) -> str | None:
    return etag.removeprefix("W/").strip('"') or None if etag else None


def _retry_after(text: str | None) -> float | None:
    """Seconds, from a number or a date (RFC 9110, 10.2.3)."""
    if not text:
        return None
    if (seconds := header_number(text.strip())) is not None:
        return float(seconds)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _is_this_device(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _no_response(host: str, error: Exception) -> DownloadError:
    """Names what went wrong; the library's own words stay out, they may hold a signed address."""
    kind = type(error).__name__
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return HubUntrusted(host, cause.reason or kind)
        if isinstance(cause, socket.gaierror) or (isinstance(cause, OSError) and cause.errno in _NO_NETWORK):
            return Offline(kind)
        cause = cause.__cause__ or cause.__context__
    return HubUnreachable(host, kind)
