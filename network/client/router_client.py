"""What an asker says to a router over HTTP, and how it hears the answers, also through broken connections."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from types import MappingProxyType

import httpx
import httpx_sse

from network.backoff import Backoff
from network.client.reading import PLAIN, bounded_events, read_bounded
from network.client.refusals import LARGEST_PROBLEM_BYTES, error_of
from network.errors import (
    JobUnknown,
    RouterBusy,
    RouterFailed,
    RouterUnreachable,
)
from network.protocol import frames
from network.protocol.fields import MAX_FRAME_BYTES
from network.protocol.jobs import JobAccepted, JobProgress, JobRequest
from network.protocol.message import decode, encode
from network.protocol.presence import Bye
from network.protocol.routers import Pool, RouterInfo
from network.protocol.tickets import Candidates, WorkerQuery

CONNECT_SECONDS = 10.0
REQUEST_SECONDS = 30.0
SILENCE_SECONDS = 50.0
"""A router says something about every open question at least every twenty seconds."""
MOST_RECONNECTS = 8
"""In a row, without a new message in between: about a minute and a half."""
_REQUEST_TRIES = 3
_UTF_8 = "utf-8"
"""Of headers: invitations may be words of any language."""
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_ENDS = ("done", "failed", "cancelled", "expired")


class RouterClient:
    """One router, as an asker sees it. Shares `http`, which whoever made it closes."""

    def __init__(
        self,
        address: str,
        http: httpx.AsyncClient,
        invite: str = "",
        *,
        backoff: Callable[[], Backoff] = Backoff,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`address` is scheme, host and port, such as https://router.example."""
        self._address = address.rstrip("/")
        self._host = httpx.URL(self._address).host
        self._http = http
        self._headers = {**PLAIN, **({"DAI-Invite": invite} if invite else {})}
        self._backoff = backoff
        self._sleep = sleep

    async def info(self) -> RouterInfo:
        """Who the router is and whom it takes. Raises as `candidates`."""
        return decode(await self._request("GET", "/v1/router"), RouterInfo)

    async def pool(self) -> Pool:
        """Its public workers in numbers. Raises as `candidates`."""
        return decode(await self._request("GET", "/v1/pool"), Pool)

    async def candidates(self, query: WorkerQuery) -> Candidates:
        """Workers that could answer.

        Raises:
            RouterUnreachable: no connection, or it broke.
            RouterRefused: it wants an invitation, or does not admit this device.
            RouterBusy: `wait_seconds` says when to ask again.
            RouterFailed: it answers, but not as a router does.
            NoWorkerFits: nobody is there for this.
            MessageError: what it says is no message of this protocol.
        """
        return decode(await self._request("POST", "/v1/candidates", encode(query)), Candidates)

    async def submit(self, request: JobRequest) -> JobAccepted:
        """Hand in a question; the router keeps it from then on. Sending it again does no harm.

        Raises:
            QueueFull: with its place and when to try again.
            QueueConflict: another question has this number.
            And all that `candidates` raises.
        """
        accepted = decode(await self._request("POST", "/v1/jobs", encode(request)), JobAccepted)
        if accepted.job != request.job:
            raise RouterFailed(self._host, "accepted another question")
        return accepted

    async def answers(self, job: str, access: bytes) -> AsyncGenerator[bytes, None]:
        """Every encoded message about a question, each once, until the question has ended.

        A connection that breaks is made again, and goes on after the last message that arrived.

        Raises:
            JobUnknown: the router does not know the question (any more).
            RouterUnreachable, RouterBusy: it did not come back in time.
            RouterRefused, RouterFailed, MessageError: as `candidates`.
        """
        backoff = self._backoff()
        heard = _Heard()
        while True:
            before = heard.last_id
            try:
                async with aclosing(self._listen(job, access, heard)) as messages:
                    async for data in messages:
                        backoff.succeeded()
                        yield data
                if heard.ended or heard.last_id == before:
                    return  # a stream that ends with nothing new has been heard to its end
                wait = heard.come_back_seconds
            except (RouterUnreachable, RouterBusy) as error:
                if backoff.tries >= MOST_RECONNECTS:
                    raise
                wait = error.wait_seconds if isinstance(error, RouterBusy) else 0
            except JobUnknown:
                if heard.last_id:
                    return  # it was known: it has ended while the connection was broken
                raise
            await self._sleep(backoff.next_seconds(wait))

    async def cancel(self, job: str, access: bytes) -> None:
        """Nobody waits for the question any more. One that has ended already is no error.

        Raises:
            As `candidates`.
        """
        try:
            await self._request("DELETE", f"/v1/jobs/{job}", headers=_bearer(access))
        except JobUnknown:
            return

    async def _listen(self, job: str, access: bytes, heard: _Heard) -> AsyncGenerator[bytes, None]:
        """The messages of one connection."""
        headers = httpx.Headers({**self._headers, **_bearer(access)}, _UTF_8)
        if heard.last_id:
            headers["Last-Event-ID"] = heard.last_id
        timeout = httpx.Timeout(REQUEST_SECONDS, connect=CONNECT_SECONDS, read=SILENCE_SECONDS)
        try:
            async with httpx_sse.aconnect_sse(
                self._http, "GET", f"{self._address}/v1/jobs/{job}/events", headers=headers, timeout=timeout
            ) as source:
                if source.response.status_code != 200:
                    body = await read_bounded(source.response, LARGEST_PROBLEM_BYTES)
                    raise error_of(source.response, body)
                bounded_events(source.response)
                heard.connected()
                async for event in source.aiter_sse():
                    if event.data and heard.is_new(event.id, event.data.encode()):
                        yield event.data.encode()
                    if heard.ended:
                        return
        except httpx_sse.SSEError:
            raise RouterFailed(self._host, "no event stream") from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise RouterUnreachable(self._host, type(error).__name__) from None

    async def _request(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> bytes:
        """The body of a response that went well; broken connections are tried again."""
        backoff = self._backoff()
        while True:
            try:
                return await self._once(method, path, content, headers)
            except RouterUnreachable:
                if backoff.tries + 1 >= _REQUEST_TRIES:
                    raise
            await self._sleep(backoff.next_seconds())

    async def _once(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> bytes:
        sent = httpx.Headers({**self._headers, **headers}, _UTF_8)
        if content is not None:
            sent["Content-Type"] = "application/json"
        timeout = httpx.Timeout(REQUEST_SECONDS, connect=CONNECT_SECONDS)
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                async with self._http.stream(
                    method, self._address + path, content=content, headers=sent, timeout=timeout
                ) as response:
                    limit = MAX_FRAME_BYTES if response.is_success else LARGEST_PROBLEM_BYTES
                    body = await read_bounded(response, limit)
                    if not response.is_success:
                        raise error_of(response, body)
                    return body
        except (httpx.HTTPError, httpx.StreamError, TimeoutError) as error:
            raise RouterUnreachable(self._host, type(error).__name__) from None


class _Heard:
    """How far the messages about a question have been heard."""

    def __init__(self) -> None:
        self.last_id = ""
        self.ended = False
        self.come_back_seconds = 0
        self._before = ""
        self._previous = ""

    def connected(self) -> None:
        """A new connection: its router may not know the number after which it was asked to go on."""
        self._before, self._previous = self.last_id, ""

    def is_new(self, id: str, data: bytes) -> bool:
        """Note a message; False if an earlier connection has brought it.

        A message without a number has the one before it (the standard says so), and was never there.
        """
        numbered, self._previous = id != self._previous, id
        if numbered and _number(id) <= _number(self._before):
            return False
        self.last_id = id or self.last_id
        message = frames.to_asker(data)
        self.ended = isinstance(message, JobProgress) and message.event in _ENDS
        self.come_back_seconds = message.retry_seconds if isinstance(message, Bye) else 0
        return True


def _number(id: str) -> int:
    """0 for what is none; ids of routers are numbers that rise."""
    return int(id) if id.isascii() and id.isdigit() and len(id) < 20 else 0


def _bearer(access: bytes) -> dict[str, str]:
    return {"Authorization": "Bearer " + base64.urlsafe_b64encode(access).decode().rstrip("=")}
