"""Fetching one page: asks the host it was told to ask and no other, with limits on size, time and redirects.

No cookies, no referrer, nothing that a page refers to. A redirect to another host is not followed but told,
and one into a private network is refused: a page of the internet must not make this device look around there.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import getproxies

import httpx

from rag.documents.formats import format_of
from rag.errors import (
    DocumentTooLarge,
    UnsupportedFormat,
    WebAddressInvalid,
    WebPageError,
    WebPageMissing,
    WebPageMoved,
    WebPagePrivate,
    WebPageRefused,
    WebPageUnreachable,
    WebPageUntrusted,
)
from rag.web.address import WebAddress, is_private, read_address

LIMIT_BYTES = 64 * 1024 * 1024
_SECONDS = 90.0
"""For all of a page."""
_TIMEOUT = httpx.Timeout(20.0, connect=15.0)
_MOST_REDIRECTS = 5
_MISSING = frozenset({404, 410})
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "application/pdf": ".pdf",
    "application/json": ".json",
    "application/epub+zip": ".epub",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}
_HEADERS = {
    "user-agent": "Mozilla/5.0 (compatible; DAI; reads one page for its user)",
    "accept": "text/html,application/xhtml+xml,application/pdf,text/plain,*/*;q=0.5",
}


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """What a host gave."""

    address: str
    """Where it was found: after redirects, without what stands behind `#`."""
    content: bytes
    suffix: str
    """Of the format it is in, one of those that can be read."""
    charset: str | None
    """What the host says of the encoding of a text."""


async def fetch_page(
    typed: str | WebAddress,
    *,
    proxy: str | None = None,
    progress: Callable[[int], None] = lambda received: None,
    open_client: Callable[..., httpx.AsyncClient] = httpx.AsyncClient,
) -> FetchedPage:
    """Fetch a page or a document from the web. Cancel the task to stop it.

    Args:
        typed: Its address, as the user has typed it.
        proxy: Address of a proxy; None leaves it to the environment.
        progress: Told how many bytes have come.
        open_client: Makes the client; takes what `httpx.AsyncClient` takes. For whoever wants to count.

    Raises:
        WebPageError: Leaves of it.
        DocumentTooLarge: More than `LIMIT_BYTES`.
        UnsupportedFormat: It is in no format that can be read.
    """
    address = read_address(typed) if isinstance(typed, str) else typed
    try:
        async with asyncio.timeout(_SECONDS):
            return await _fetch(address, proxy, progress, open_client)
    except TimeoutError as error:
        raise WebPageUnreachable(address.host, "not in time") from error


async def _fetch(
    typed: WebAddress,
    proxy: str | None,
    progress: Callable[[int], None],
    open_client: Callable[..., httpx.AsyncClient],
) -> FetchedPage:
    address = typed
    try:
        client = open_client(
            headers=_HEADERS,
            timeout=_TIMEOUT,
            follow_redirects=False,
            proxy=None if typed.private else proxy,
            trust_env=not typed.private,
        )
    except (ValueError, httpx.InvalidURL, ImportError):
        raise WebAddressInvalid("proxy") from None
    direct = typed.private or not (proxy or getproxies())
    async with client:
        for _ in range(_MOST_REDIRECTS + 1):
            if not typed.private:
                await _refuse_private(address, direct=direct)
            try:
                async with client.stream("GET", address.url) as response:
                    if direct and not typed.private:
                        _check_peer(response, address)
                    if not response.is_redirect:
                        return await _page(response, address, progress)
                    address = _followed(address, response.headers.get("location", ""))
                    client.cookies.clear()
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError) as error:
                raise _failure(error, address) from error
    raise WebPageRefused(typed.host, "redirects without end")


def _followed(address: WebAddress, location: str) -> WebAddress:
    try:
        target = read_address(urljoin(address.url, location))
    except (WebAddressInvalid, ValueError) as error:
        raise WebPageRefused(address.host, "a redirect to nowhere") from error
    if not address.same_site(target):
        raise WebPageMoved(address.host, target.url)
    if address.url.startswith("https:") and target.url.startswith("http:"):
        raise WebPageUntrusted(address.host, "a redirect to an open connection")
    return target


async def _refuse_private(address: WebAddress, *, direct: bool) -> None:
    """Before anything is sent: where does the name lead? A proxy looks up names itself."""
    if address.private:
        raise WebPagePrivate(address.host)
    if not direct:
        return
    port = urlsplit(address.url).port or (443 if address.url.startswith("https:") else 80)
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(address.host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise WebPageUnreachable(address.host, type(error).__name__) from error
    if any(is_private(str(sockaddr[0])) for *_, sockaddr in found):
        raise WebPagePrivate(address.host)


def _check_peer(response: httpx.Response, address: WebAddress) -> None:
    """And who did answer? The name may have led elsewhere a moment later."""
    stream = response.extensions.get("network_stream")
    peer = stream.get_extra_info("server_addr") if stream is not None else None
    if peer and is_private(str(peer[0])):
        raise WebPagePrivate(address.host)


async def _page(
    response: httpx.Response, address: WebAddress, progress: Callable[[int], None]
) -> FetchedPage:
    status = response.status_code
    if status in _MISSING:
        raise WebPageMissing(address.host, str(status))
    if status in _LATER:
        raise WebPageUnreachable(address.host, str(status))
    if status != httpx.codes.OK:
        raise WebPageRefused(address.host, str(status))
    suffix = _suffix(response, address)
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > LIMIT_BYTES:
        raise DocumentTooLarge(address.host, int(announced), LIMIT_BYTES)
    content = bytearray()
    async for block in response.aiter_bytes():
        content += block
        progress(len(content))
        if len(content) > LIMIT_BYTES:
            raise DocumentTooLarge(address.host, len(content), LIMIT_BYTES)
    return FetchedPage(address.url, bytes(content), suffix, response.charset_encoding)


def _suffix(response: httpx.Response, address: WebAddress) -> str:
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    named = PurePosixPath(unquote(urlsplit(address.url).path)).suffix.lower()
    if content_type in ("", "application/octet-stream", "text/plain", "application/zip"):
        if format_of(named) is not None:
            return named
        return ".html" if not content_type else _known(content_type, address)
    return _known(content_type, address)


def _known(content_type: str, address: WebAddress) -> str:
    if (suffix := _SUFFIXES.get(content_type)) is not None:
        return suffix
    if content_type.startswith("text/"):
        return ".txt"
    raise UnsupportedFormat(address.host, content_type[:80])


def _failure(error: Exception, address: WebAddress) -> WebPageError:
    if isinstance(error, httpx.InvalidURL) or "location header" in str(error):  # httpx looks ahead
        return WebPageRefused(address.host, "a redirect to nowhere")
    causes = [error, error.__cause__, error.__context__]
    while causes[-1] is not None and causes[-1].__context__ is not None and len(causes) < 10:
        causes.append(causes[-1].__context__)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return WebPageUntrusted(address.host, type(error).__name__)
    return WebPageUnreachable(address.host, type(error).__name__)
