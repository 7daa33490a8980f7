"""A small HTTP server that answers what a router tells everybody; phones have it, too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from network.protocol.routers import Pool, RouterInfo

NOBODY = Pool(workers=0, paused=0, free=0, running=0, waiting=0)


@asynccontextmanager
async def answering_as_a_router(
    pool: Pool = NOBODY, *, public: bytes = b"\1" * 32, port: int = 0
) -> AsyncIterator[str]:
    """Its address, while the block runs."""
    info = RouterInfo(
        name="Test",
        public=public,
        versions=(1,),
        admission="open",
        needs_invite_to_ask=False,
        max_workers=10,
        time=int(time.time()),
    )

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = msgspec.json.encode(pool if b"/v1/pool" in head else info)
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n" % len(body) + body
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()
