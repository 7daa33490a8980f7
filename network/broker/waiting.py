"""How workers wait for questions, the same with every broker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from network.broker.protocol import Handout

Look = Callable[[], Awaitable[tuple[list[Handout], float | None]]]
"""Takes what is there for a worker, and tells at which moment there may be more without a wake-up."""


class WaitingWorkers:
    """Lets each worker wait until there is something for it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def wake(self, node: str) -> None:
        """There may be something for this worker."""
        for news in self._waiting.get(node, ()):
            news.set()

    async def lease(self, node: str, wait_seconds: float, look: Look) -> list[Handout]:
        """Look, and again at each wake-up, until something is there or the time is over."""
        deadline = self._now() + wait_seconds
        news = asyncio.Event()
        self._waiting.setdefault(node, set()).add(news)
        try:
            while True:
                news.clear()
                handouts, due = await look()
                left = deadline - self._now()
                if handouts or left <= 0:
                    return handouts
                pause = left if due is None else min(left, max(0.0, due - self._now()))
                try:
                    async with asyncio.timeout(pause):  # in Python 3.11 wait_for can lose a cancellation
                        await news.wait()
                except TimeoutError:
                    continue
        finally:
            self._waiting[node].discard(news)
            if not self._waiting[node]:
                del self._waiting[node]
