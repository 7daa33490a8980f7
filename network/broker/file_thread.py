"""The one thread that works on the file of questions.

Whatever is asked for while the thread works is done together next: one change of threads, one transaction and
one commit for all of it. Nobody is told of a result before that commit, so what was acknowledged survives a
kill; each piece of work still succeeds or fails for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from network.broker.job_table import JobTable

T = TypeVar("T")
R = TypeVar("R")


@dataclass(eq=False, slots=True)
class _Asked:
    """A piece of work, what follows from it, and who waits for it."""

    work: Callable[[], Any]
    then: Callable[[Any, bool], Any]
    waits: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class FileThread:
    """Does what is asked for in a thread, together where much is asked for. Belongs to one event loop."""

    def __init__(self, table: JobTable, thread: ThreadPoolExecutor) -> None:
        self._table = table
        self._thread = thread
        self._loop = asyncio.get_running_loop()
        self._gathered: list[_Asked] = []
        self._running: asyncio.Future[None] | None = None
        self._closed = False

    def do(
        self, work: Callable[..., T], *arguments: object, then: Callable[[T, bool], R]
    ) -> asyncio.Future[R]:
        """What `then` makes of the result of this work.

        `then` runs in the event loop right after the commit, also where nobody waits any more: its second
        argument says whether somebody does. Raises what the work raises; nothing of it was kept then.
        """
        if self._closed:
            raise RuntimeError("the file is closed")
        waits: asyncio.Future[R] = self._loop.create_future()
        waits.add_done_callback(_hear)
        asked = _Asked(partial(work, *arguments), then, waits)
        self._gathered.append(asked)
        if self._running is None:
            # At the end of this turn of the loop: what else it asks for comes along.
            self._running = self._loop.create_future()
            self._loop.call_soon(self._start)
        return waits

    async def close(self) -> None:
        """Finish everything, close the file, end the thread."""
        while self._running is not None:
            await asyncio.shield(self._running)
        self._closed = True
        await self._loop.run_in_executor(self._thread, self._table.close)
        self._thread.shutdown(wait=False)

    def _start(self) -> None:
        batch, self._gathered = self._gathered, []
        done = self._loop.run_in_executor(self._thread, self._work, batch)
        done.add_done_callback(partial(self._finish, batch))

    def _work(self, batch: list[_Asked]) -> None:
        """In the thread."""
        with self._table.together() as all_is_well:
            for asked in batch:
                try:
                    asked.result = asked.work()
                except Exception as error:
                    asked.error = error
                    if not all_is_well():
                        raise

    def _finish(self, batch: list[_Asked], done: asyncio.Future[None]) -> None:
        failure = done.exception()
        for asked in batch:
            self._tell(asked, failure or asked.error)
        running, self._running = self._running, None
        if self._gathered:
            self._running = self._loop.create_future()
            self._start()
        if running is not None:
            running.set_result(None)

    def _tell(self, asked: _Asked, error: BaseException | None) -> None:
        heard = not asked.waits.done()
        if error is None:
            try:
                result = asked.then(asked.result, heard)
            except Exception as raised:  # noqa: BLE001 - it belongs to whoever asked
                error = raised
        if not heard:
            return
        if error is None:
            asked.waits.set_result(result)
        else:
            asked.waits.set_exception(error)


def _hear(waits: asyncio.Future[Any]) -> None:
    if not waits.cancelled():
        waits.exception()  # whoever asked may not be there any more to hear of it
