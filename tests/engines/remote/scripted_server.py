"""A server on this machine that answers exactly what a test wants, sound or hostile."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.content)


class Client:
    """The other end of a connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.gone = asyncio.Event()

    async def send(self, data: bytes | str) -> None:
        """Bytes as they are."""
        self._writer.write(data.encode() if isinstance(data, str) else data)
        await self._writer.drain()

    async def head(self, status: int = 200, content_type: str = "text/event-stream", **headers: str) -> None:
        """The beginning of a response whose body ends with the connection."""
        lines = [f"HTTP/1.1 {status} X", f"content-type: {content_type}", "connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send("\r\n".join(lines) + "\r\n\r\n")

    async def json(self, value: object, status: int = 200, **headers: str) -> None:
        """A whole response."""
        await self.head(status, "application/json", **headers)
        await self.send(json.dumps(value))

    async def event(self, value: object) -> None:
        """One event."""
        await self.send(f"data: {json.dumps(value, ensure_ascii=False)}\n\n")

    async def words(self, *words: str) -> None:
        """Pieces of an answer."""
        for word in words:
            await self.event({"choices": [{"index": 0, "delta": {"content": word}}]})

    async def end(self, reason: str = "stop", usage: dict[str, Any] | None = None) -> None:
        """The end of a good answer."""
        await self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        if usage is not None:
            await self.event({"choices": [], "usage": usage})
        await self.send("data: [DONE]\n\n")


Script = Callable[[Client, Received], Awaitable[None]]


@dataclass
class ScriptedServer:
    """Answers `/models` with `models` and everything else by `script`."""

    url: str = ""
    script: Script | None = None
    listing: Script | None = None
    """Answers `/models` in its own way."""
    models: list[dict[str, Any]] | None = field(default_factory=lambda: [{"id": "tiny"}])
    received: list[Received] = field(default_factory=list)

    @property
    def asked(self) -> list[Received]:
        """The requests for an answer."""
        return [request for request in self.received if request.path.endswith("/chat/completions")]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Client(writer)
        try:
            request = await self._read(reader)
            self.received.append(request)
            if request.path.endswith("/models") and self.listing is not None:
                await self.listing(client, request)
            elif request.path.endswith("/models") and self.models is not None:
                await client.json({"object": "list", "data": self.models})
            elif self.script is None or request.path.endswith("/models"):
                await client.json({"error": {"message": "File Not Found"}}, status=404)
            else:
                watch = asyncio.create_task(self._watch(reader, client))
                try:
                    await self.script(client, request)
                finally:
                    watch.cancel()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            client.gone.set()
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    @staticmethod
    async def _read(reader: asyncio.StreamReader) -> Received:
        first = await reader.readexactly(1)
        if first == b"\x16":
            raise ConnectionError("somebody speaks TLS")
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        return Received(method, path, headers, content)

    @staticmethod
    async def _watch(reader: asyncio.StreamReader, client: Client) -> None:
        with suppress(ConnectionError):
            while await reader.read(1024):
                pass
        client.gone.set()


@asynccontextmanager
async def scripted_server(
    script: Script | None = None, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[ScriptedServer]:
    """A running server."""
    server = ScriptedServer(script=script)
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await server.serve(reader, writer)
        tasks.discard(task)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"http{'s' if tls else ''}://127.0.0.1:{port}/v1"
    try:
        yield server
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
