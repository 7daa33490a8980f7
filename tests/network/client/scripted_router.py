"""A router that answers what it is told to, and breaks where it is told to; the client around it is real."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx

from network.backoff import Backoff
from network.client.router_client import RouterClient
from network.protocol.answers import AnswerStart
from network.protocol.jobs import JobProgress
from network.protocol.message import encode
from network.protocol.problems import MEDIA_TYPE, Kind

ADDRESS = "https://router.example"
JOB = "a" * 32
NODE = "b" * 32
ACCESS = bytes(range(32))


class Bytes(httpx.AsyncByteStream):
    """A body that comes in these parts and then ends, or breaks."""

    def __init__(self, *parts: bytes, breaks: Exception | None = None) -> None:
        self.parts = parts
        self.breaks = breaks
        self.taken = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            self.taken += 1
            yield part
        if self.breaks is not None:
            raise self.breaks

    async def aclose(self) -> None:
        self.closed = True


@dataclass
class ScriptedRouter(httpx.AsyncBaseTransport):
    """Answers requests with these responses or errors, one after the other, and keeps what was asked."""

    script: list[httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]]
    requests: list[httpx.Request] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        step = self.script[len(self.requests) - 1]
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, httpx.Response) else step(request)

    def client(self, invite: str = "") -> RouterClient:
        """A client whose waits take no time."""

        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        http = httpx.AsyncClient(transport=self)
        return RouterClient(
            ADDRESS, http, invite, backoff=lambda: Backoff(first=1.0, chance=lambda: 1.0), sleep=sleep
        )


def reply(status: int, content: bytes = b"", **headers: str) -> httpx.Response:
    """A response as it comes over a wire, not read yet."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, stream=Bytes(content))


def refusal(kind: Kind, *, retry_after: str = "", **details: int | None) -> httpx.Response:
    """A router's problem, with a header where one is given."""
    headers = {"retry_after": retry_after} if retry_after else {}
    return reply(kind.status, encode(kind.problem(**details)), content_type=MEDIA_TYPE, **headers)


def stream(*events: tuple[int, bytes], breaks: Exception | None = None) -> httpx.Response:
    """An event stream of these ids and messages."""
    parts = [b"id: %d\ndata: %s\n\n" % event for event in events]
    return httpx.Response(
        200, headers={"content-type": "text/event-stream"}, stream=Bytes(*parts, breaks=breaks)
    )


def part(attempt: int) -> bytes:
    """Some message about the question."""
    return encode(AnswerStart(job=JOB, node=NODE, attempt=attempt, salt=bytes(32)))


DONE = encode(JobProgress(job=JOB, event="done"))
