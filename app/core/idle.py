"""Notices that something has not been used for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class IdleTimer:
    """Calls `action` once nothing has been in use for `seconds()`; zero seconds mean never.

    Lives in the event loop in which `restart` is first called.
    """

    def __init__(self, seconds: Callable[[], float], action: Callable[[], None]) -> None:
        self._seconds = seconds
        self._action = action
        self._uses = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handle: asyncio.TimerHandle | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """As long as this lasts, something is in use."""
        self._uses += 1
        self.stop()
        try:
            yield
        finally:
            self._uses -= 1
            self.restart()

    def restart(self) -> None:
        """Count from now on."""
        self.stop()
        self._loop = asyncio.get_running_loop()
        seconds = self._seconds()
        if seconds and not self._uses:
            self._handle = self._loop.call_later(seconds, self._action)

    def stop(self) -> None:
        """There is nothing to wait for."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def seconds_changed(self) -> None:
        """What `seconds` gives is another now. May be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.restart)
