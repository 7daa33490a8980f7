"""Questions whose answer is known, sent now and then to strangers: `network.canaries` on its way."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import aclosing

from app.core.network.panel import Panel
from app.core.network.preparation import Preparation, Prepared
from app.core.network.routers import Router
from app.core.network.settling import Settling
from app.core.network.trust_store import TrustStore
from app.core.provenance import PrivacyLevel
from network.balancing import Choice
from network.canaries import Canary, make_canary
from network.client.router_client import RouterClient
from network.errors import NoWorkerFits
from network.protocol.content import Question, Turn

CANARY_TOKENS = 512
"""Window that a worker needs for one."""
WAIT_SECONDS = 180.0
"""Who answers later was busy or asleep; nothing is noted about it."""


class Canaries:
    """Sends them, and notes who passes."""

    def __init__(
        self,
        preparation: Preparation,
        settling: Settling,
        trust: TrustStore,
        chance: random.Random | None = None,
    ) -> None:
        self._preparation = preparation
        self._settling = settling
        self._trust = trust
        self._chance = chance or random.SystemRandom()

    def share(self, prepared: Prepared) -> float:
        """How many questions among these workers are followed by a canary."""
        seats = [seat for seat in prepared.seats if not seat.spare]
        if not seats:
            return 0.0
        shares = [
            self._trust.book.canary_share([seat.node], seat.model, self._preparation.now) for seat in seats
        ]
        return sum(shares) / len(shares)

    async def send(self, client: RouterClient, router: Router) -> None:
        """One canary to the least tested stranger that is there.

        Raises:
            NetworkError: nobody is there, or it got lost.
            TimeoutError: no answer came in time.
        """
        found = await self._preparation.find(
            client, router, PrivacyLevel.PUBLIC, CANARY_TOKENS, language=None
        )
        strangers = {one.card.node: one for one in found.selected if one.level is PrivacyLevel.PUBLIC}
        if not strangers:
            raise NoWorkerFits(found=0, wanted=1)
        any_model = next(iter(strangers.values())).offer.model
        draw = os.urandom(16)
        [node, *_] = self._trust.book.least_tested(strangers, any_model, 1, draw, self._preparation.now)
        language = self._chance.choice(strangers[node].card.languages or ("en",))
        canary = make_canary(self._chance, language)
        prepared = self._preparation.seal(
            found, Choice((node,)), router, lambda memberships: _question(canary)
        )
        async with asyncio.timeout(WAIT_SECONDS):
            said = await _answer_of(client, prepared, node)
        if said is not None:
            passed = {node: canary.passed(said)}
            await self._settling.note_canary(prepared, router.name, self._preparation.now, passed)


def _question(canary: Canary) -> Question:
    # As a question of a user looks: the same limits, no sign of what it is.
    return Question(turns=(Turn(role="user", text=canary.question),))


async def _answer_of(client: RouterClient, prepared: Prepared, node: str) -> str | None:
    """The whole answer; None where it did not come, which proves nothing."""
    accepted = await client.submit(prepared.sealed.request)
    panel = Panel(prepared.seats, 1, 0.0)
    async with aclosing(client.answers(prepared.job, accepted.access)) as messages:
        async for data in messages:
            news = prepared.asked.hear(data)
            if news is not None:
                panel.hear(news, 0.0)
            if panel.done:
                break
    return panel.seats[node].text if node in prepared.asked.receipts else None
