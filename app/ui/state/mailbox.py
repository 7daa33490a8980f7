"""Work from other threads and other sessions, done on this session's event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Mailbox:
    """Runs actions in the order they were posted, and work beside them, in the context of one page.

    Flet accepts changes of the screen's state only there: a listener that is called by the
    indexer's thread, or while another session's page is current, posts its work here.
    """

    def __init__(self) -> None:
        """Make it in the context of the page.

        Nothing here asks the page to run it: a page whose browser has lost the connection for a moment, as it
        may while it opens, runs nothing, and would not be up to date, or even empty, when it is back.
        """
        self._loop = asyncio.get_running_loop()
        self._actions: asyncio.Queue[Callable[[], object]] = asyncio.Queue()
        self._running: set[asyncio.Task[object]] = set()
        self._worker = self._loop.create_task(self._work())

    def run(self, work: Callable[..., Coroutine[Any, Any, object]], *arguments: object) -> None:
        """Begin a coroutine of this session."""
        task = self._loop.create_task(work(*arguments))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work of a session failed", exc_info=error)

    def post(self, action: Callable[[], object]) -> None:
        """Run `action` soon. May be called from any thread; after `close` it does nothing."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._actions.put_nowait, action)

    def close(self) -> None:
        """Stop; what still waits is dropped."""
        self._worker.cancel()

    async def _work(self) -> None:
        while True:
            action = await self._actions.get()
            try:
                action()
            except Exception:
                log.exception("an update of the screen failed")
