"""An asker's ear: the messages about one question, from all its workers, become words and receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from network.chunks import AnswerOpener
from network.envelope import SealedQuestion
from network.errors import AnswerError, MessageError, ReceiptInvalid
from network.protocol import frames
from network.protocol.answers import AnswerChunk, AnswerStart
from network.protocol.cards import NodeCard
from network.protocol.content import AnswerEnd, AnswerPart
from network.protocol.jobs import Grant
from network.protocol.message import Signed, decode_canonical
from network.protocol.receipts import Receipt
from network.receipts import check_receipt


@dataclass(frozen=True, slots=True)
class Began:
    """A worker begins, or begins anew: what it said before is void."""

    node: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Said:
    """The next part of a worker's answer; authentic."""

    node: str
    part: AnswerPart = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that was not believed. The answer may go on with the right one."""

    node: str
    error: AnswerError | MessageError | ReceiptInvalid


class AskedQuestion:
    """Reads everything that a router passes on about a question."""

    def __init__(self, sealed: SealedQuestion, cards: Mapping[str, NodeCard]) -> None:
        """`cards` are those for which the question was sealed, by node."""
        grant = decode_canonical(sealed.request.grants[0].statement, Grant)
        self._job, self._asker = grant.job, grant.asker
        self._cards = dict(cards)
        self._openers = {
            node: AnswerOpener(secret, self._job, node) for node, secret in sealed.answer_secrets.items()
        }
        self.receipts: dict[str, tuple[Signed, Receipt]] = {}
        """Of the answers that are whole, to be countersigned."""

    def complete(self, node: str) -> bool:
        """Whether the whole answer of this worker has arrived."""
        return self._openers[node].complete

    def hear(self, data: bytes) -> Began | Said | Refused | None:
        """What a message of the router means; None if it is about no answer.

        Raises:
            MessageError: it is no message for an asker.
        """
        message = frames.to_asker(data)
        if not isinstance(message, AnswerStart | AnswerChunk):
            return None
        opener = self._openers.get(message.node)
        if opener is None:
            return None  # of somebody who was not asked
        if opener.has(message):
            return None  # said again after a broken connection
        try:
            if isinstance(message, AnswerStart):
                opener.begin(message)
                return Began(message.node, message.attempt)
            part = opener.open(message)
            if isinstance(part, AnswerEnd):
                self._check(message.node, opener, part)
            return Said(message.node, part)
        except (AnswerError, MessageError, ReceiptInvalid) as error:
            return Refused(message.node, error)

    def _check(self, node: str, opener: AnswerOpener, end: AnswerEnd) -> None:
        receipt = check_receipt(
            end.receipt,
            self._cards[node].identity,
            job=self._job,
            asker=self._asker,
            attempt=opener.attempt,
            transcript=opener.transcript,
        )
        self.receipts[node] = end.receipt, receipt
