"""An engine that takes a moment for each of its words."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

from network.protocol.content import Question
from network.worker.answerer import Written
from tests.network.small_world import MODEL

WORDS = ("One", " two", " three", " four", " five.")


class SlowAnswerer:
    """Says its words one after the other."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    async def answer(self, question: Question, asker: bytes) -> AsyncIterator[str | Written]:
        """As `Answerer.answer`."""
        for word in WORDS:
            await asyncio.sleep(self._chance.uniform(0.0, 0.3))
            yield word
        yield Written("complete", MODEL, len(WORDS))
