"""Questions whose workers' connections have broken: they may come back to them, here or at another router."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from network.broker.protocol import Claim, Passed
from network.errors import QueueError
from network.protocol.registration import Hello
from network.router.desk import RouterDesk

log = logging.getLogger(__name__)


class ReturningWorkers:
    """What workers that have gone a moment ago were at. Belongs to one event loop.

    The broker keeps the time, also for a worker that comes back elsewhere. Remembered here is only what to
    give back at once when a worker comes back and knows nothing of it.
    """

    def __init__(self, desk: RouterDesk, give_back: Callable[[Claim], Awaitable[None]]) -> None:
        self._desk = desk
        self._give_back = give_back
        self._expected: dict[str, tuple[float, set[Claim]]] = {}

    async def expect(self, node: str, claims: Iterable[Claim]) -> None:
        """Its connection is broken: it has some seconds to come back."""
        now = asyncio.get_running_loop().time()
        self._expected = {
            gone: kept for gone, kept in self._expected.items() if kept[0] + self._desk.times.lease > now
        }
        held = set(claims)
        if held:
            self._expected[node] = now, held | self._expected.get(node, (0.0, set()))[1]
        for claim in held:
            try:
                await self._desk.broker.suspend(claim, self._desk.times.grace)
            except QueueError as error:
                log.warning("a question waits for the end of its lease: %s", error)

    async def welcome(self, node: str, hello: Hello) -> dict[Claim, Passed]:
        """Where it goes on; others get at once what it has forgotten. Raises QueueError."""
        _, expected = self._expected.get(node, (0.0, set[Claim]()))
        found: dict[Claim, Passed] = {}
        for one in hello.answers if hello.session else ():
            claim = Claim(one.job, node, one.attempt)
            passed = await self._desk.broker.resume(claim)
            if passed is not None and passed.parts <= one.next_index:
                found[claim] = passed
        self._expected.pop(node, None)
        for claim in expected - set(found):
            await self._give_back(claim)
        return found
