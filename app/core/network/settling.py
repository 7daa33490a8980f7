"""After an answer: receipts are countersigned and kept, and what was seen of the workers is noted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from app.core.network.joining import Joined
from app.core.network.preparation import Prepared
from app.core.network.receipt_store import ReceiptStore
from app.core.network.trust_store import TrustStore
from network.errors import NetworkError
from network.protocol.receipts import CountersignedReceipt
from network.receipts import VerdictWord, countersign
from rag.errors import KnowledgeError

log = logging.getLogger(__name__)


class Settling:
    """Knows the receipts and the book of trust."""

    def __init__(self, receipts: ReceiptStore, trust: TrustStore) -> None:
        self._receipts = receipts
        self._trust = trust

    async def settle(self, prepared: Prepared, joined: Joined, router: str, now: int) -> None:
        """For every whole answer. The answer stands, whatever goes wrong here."""
        pairs = []
        for node, (signed, receipt) in prepared.asked.receipts.items():
            supported = joined.supported.get(node)
            word: VerdictWord = "accepted" if supported is None else "good" if supported else "bad"
            pairs.append(countersign(signed, receipt, prepared.keys.identity, word, now=now))
            self._trust.book.answer(node, receipt.model, now, agreed=supported)
        await self._keep(pairs, router)

    async def note_canary(self, prepared: Prepared, router: str, now: int, passed: dict[str, bool]) -> None:
        """For each node whether it knew the answer."""
        pairs = []
        for node, right in passed.items():
            signed, receipt = prepared.asked.receipts[node]
            word: VerdictWord = "good" if right else "wrong"
            pairs.append(countersign(signed, receipt, prepared.keys.identity, word, now=now, canary=True))
            self._trust.book.canary(node, receipt.model, now, passed=right)
        await self._keep(pairs, router)

    async def _keep(self, pairs: Sequence[CountersignedReceipt], router: str) -> None:
        def keep() -> None:
            for pair in pairs:
                self._receipts.add(pair, router)
            self._trust.save()

        try:
            await asyncio.to_thread(keep)
        except (NetworkError, KnowledgeError, OSError) as error:
            log.warning("receipts were not kept: %s", type(error).__name__)
