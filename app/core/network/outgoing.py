"""The one place where the app makes HTTP clients. Each obeys the offline switch and writes into the ledger.

The parts below (engines, rag, network) get `Outgoing.opener(purpose)` from the app and call it like
`httpx.AsyncClient`. tests/app/core/network/test_every_way_out.py holds all source to that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, cast

import httpcore
import httpx

from app.core.network.ledger import Exchange, Ledger, Purpose
from app.core.network.offline import OfflineSwitch

_EXCHANGE = "dai.exchange"
_SWITCHING_PROTOCOLS = 101


class Outgoing:
    """Opens HTTP clients for a purpose."""

    def __init__(self, ledger: Ledger, offline: OfflineSwitch) -> None:
        self.ledger = ledger
        self.offline = offline

    def opener(self, purpose: Purpose) -> Callable[..., httpx.AsyncClient]:
        """What opens clients for this purpose; takes the arguments of `httpx.AsyncClient`.

        A request to a host that the offline switch forbids raises OfflineChosen before anything is sent, also
        before the host's name is looked up. What is under way when the switch is turned ends with its next
        byte, with the same error.
        """

        def open_client(**options: Any) -> httpx.AsyncClient:
            watch = _Watch(purpose, self.ledger, self.offline)
            return httpx.AsyncClient(
                event_hooks={"request": [watch.request], "response": [watch.response]}, **options
            )

        return open_client

    def check(self, purpose: Purpose, host: str) -> None:
        """For whoever must look up a host's name before he asks it.

        Raises:
            OfflineChosen: the host may not be spoken to; the ledger notes that, too.
        """
        if not self.offline.allows(host):
            self.ledger.begin(purpose, host, refused=True)
        self.offline.check(host)


class _Watch:
    """Stands at the door of one client."""

    def __init__(self, purpose: Purpose, ledger: Ledger, offline: OfflineSwitch) -> None:
        self._purpose = purpose
        self._ledger = ledger
        self._offline = offline

    async def request(self, request: httpx.Request) -> None:
        url = request.url
        where = url.netloc.decode("ascii")
        if not self._offline.allows(url.host):
            self._ledger.begin(self._purpose, where, refused=True)
            self._offline.check(url.host)
        counted = _Counted(self._ledger.begin(self._purpose, where), self._offline, url.host)
        counted.sent(len(request.method) + len(url.raw_path) + _size(request.headers.raw))
        request.extensions = {**request.extensions, _EXCHANGE: counted}
        request.stream = _Upload(cast(httpx.AsyncByteStream, request.stream), counted)

    async def response(self, response: httpx.Response) -> None:
        counted: _Counted = response.request.extensions[_EXCHANGE]
        counted.received(_size(response.headers.raw))
        if response.status_code == _SWITCHING_PROTOCOLS:
            plain = response.extensions["network_stream"]
            response.extensions = {**response.extensions, "network_stream": _WebSocketBytes(plain, counted)}
        response.stream = _Download(cast(httpx.AsyncByteStream, response.stream), counted)


class _Counted:
    """An exchange that ends when the user turns the switch."""

    def __init__(self, exchange: Exchange, offline: OfflineSwitch, host: str) -> None:
        self._exchange = exchange
        self._offline = offline
        self._host = host

    def sent(self, size: int) -> None:
        self._offline.check(self._host)
        self._exchange.count(sent=size)

    def received(self, size: int) -> None:
        self._exchange.count(received=size)
        self._offline.check(self._host)

    def end(self) -> None:
        self._exchange.end()


class _Upload(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, counted: _Counted) -> None:
        self._stream = stream
        self._counted = counted

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._counted.sent(len(piece))
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Download(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, counted: _Counted) -> None:
        self._stream = stream
        self._counted = counted

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._counted.received(len(piece))
            yield piece

    async def aclose(self) -> None:
        self._counted.end()
        await self._stream.aclose()


class _WebSocketBytes(httpcore.AsyncNetworkStream):
    """The bytes of a WebSocket, counted."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, counted: _Counted) -> None:
        self._stream = stream
        self._counted = counted

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - as httpcore
        data = await self._stream.read(max_bytes, timeout)
        self._counted.received(len(data))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._counted.sent(len(buffer))
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _size(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in headers)
