"""What stands before several routers: one address, whose connections go to any of them that is there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Front:
    """Passes bytes on. A router that is killed takes its connections with it; new ones go to the others."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        """Of the routers, the preferred one first."""
        self.address = ""
        self.delay_seconds = 0.0
        """How long bytes are on the way, each way."""
        self._flows = asyncio.Event()
        self._flows.set()
        self._connections: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Front]:
        """Listen on a free port."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            self.cut()
            await asyncio.gather(*self._connections, return_exceptions=True)
            await server.wait_closed()

    def cut(self) -> None:
        """Break all connections, as when a network changes."""
        for task in self._connections:
            task.cancel()

    def hold(self) -> None:
        """Nothing comes through any more, and nobody is told: until `release`."""
        self._flows.clear()

    def release(self) -> None:
        """What was held goes on."""
        self._flows.set()

    def strand(self) -> Callable[[], None]:
        """Nothing comes through what is open now, for good; new connections are well.

        Returns what ends those that are stranded.
        """
        self._flows.clear()
        self._flows = asyncio.Event()
        self._flows.set()
        stranded = set(self._connections)

        def end() -> None:
            for task in stranded & self._connections:
                task.cancel()

        return end

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._pass_on(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # cut off
        finally:
            self._connections.discard(task)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in list(self.ports):
            with contextlib.suppress(OSError):
                there, to_there = await asyncio.open_connection("127.0.0.1", port)
                break
        else:
            return
        flows = self._flows
        ways = [
            asyncio.create_task(self._copy(reader, to_there, flows)),
            asyncio.create_task(self._copy(there, writer, flows)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_there.close()

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flows: asyncio.Event
    ) -> None:
        while data := await reader.read(65_536):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            await flows.wait()
            writer.write(data)
            await writer.drain()
