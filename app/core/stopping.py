"""Stop: one switch that ends whatever an answer does at the moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


class StoppedEarly(Exception):
    """The user stopped before the model had begun."""


class StopSwitch:
    """Pressed by the user, from the event loop's thread; stays pressed."""

    def __init__(self) -> None:
        self._pressed = False
        self._end: Callable[[], object] | None = None

    @property
    def pressed(self) -> bool:
        """Whether it was."""
        return self._pressed

    def press(self) -> None:
        """End what runs now; nothing more begins."""
        self._pressed = True
        if self._end is not None:
            self._end()

    @contextmanager
    def ends_by(self, end: Callable[[], object]) -> Iterator[None]:
        """While the block runs, pressing calls `end`.

        Raises:
            StoppedEarly: it was pressed before.
        """
        if self._pressed:
            raise StoppedEarly
        self._end = end
        try:
            yield
        finally:
            self._end = None

    async def wait_for(self, work: Awaitable[T]) -> T:
        """Await something; pressing cancels it.

        Raises:
            StoppedEarly: it was pressed, before or meanwhile.
        """
        task = asyncio.ensure_future(work)
        try:
            with self.ends_by(task.cancel):
                return await task
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if self._pressed and not (waiting and waiting.cancelling()):
                raise StoppedEarly from None
            raise
        finally:
            task.cancel()  # where it was pressed before: nothing has begun yet
