"""Work from other threads and other sessions, done on this session's event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import flet as ft

log = logging.getLogger(__name__)


class Mailbox:
    """Runs actions in the order they were posted, in the context of one page.

    Flet accepts changes of the screen's state only there: a listener that is called by the
    indexer's thread, or while another session's page is current, posts its work here.
    """

    def __init__(self, page: ft.Page) -> None:
        self._loop = asyncio.get_running_loop()
        self._actions: asyncio.Queue[Callable[[], object]] = asyncio.Queue()
        self._worker: Future[Any] = page.run_task(self._work)

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
