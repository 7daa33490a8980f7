"""One answer under way, which can be cancelled at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


class Cancelled(Exception):
    """`cancel` was called."""


@dataclass(eq=False, slots=True)
class Call:
    """One answer under way."""

    step: asyncio.Future[Any] | None = None
    cancelled: bool = False

    def cancel(self) -> None:
        """End what it waits for, and all that it would wait for later."""
        self.cancelled = True
        if self.step is not None:
            self.step.cancel()

    async def wait_for(self, work: Awaitable[T]) -> T:
        """Await something; `cancel` ends that with `Cancelled`."""
        step = asyncio.ensure_future(work)
        self.step = step
        try:
            if self.cancelled:
                step.cancel()
            return await step
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if self.cancelled and not (waiting and waiting.cancelling()):
                raise Cancelled from None
            raise
        finally:
            self.step = None
