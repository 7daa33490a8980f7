"""What both sides sign under an answer, and how to check it.

A worker's receipt says what it did, by the digest of its sealed answer; the asker's verdict says what came of
it. Neither counts alone: a worker could write receipts for itself, an asker could invent workers.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from network.errors import MessageError, ReceiptInvalid
from network.fingerprints import node_id
from network.protocol.fields import FinishReason
from network.protocol.jobs import Grant
from network.protocol.message import Signed
from network.protocol.receipts import CountersignedReceipt, Receipt, Verdict
from network.signatures import sign, verify

VerdictWord = Literal["accepted", "good", "bad", "wrong", "unreadable"]


def issue_receipt(
    grant: Grant,
    identity: Ed25519PrivateKey,
    *,
    attempt: int,
    model: str,
    finish: FinishReason,
    tokens: int,
    milliseconds: int,
    transcript: bytes,
    now: int,
) -> Signed:
    """A worker's receipt; `transcript` is `AnswerSealer.transcript` before the end is sealed."""
    receipt = Receipt(
        job=grant.job,
        node=grant.node,
        asker=grant.asker,
        attempt=attempt,
        model=model,
        finish=finish,
        tokens=tokens,
        milliseconds=milliseconds,
        transcript=transcript,
        issued=now,
    )
    return sign(receipt, identity)


def check_receipt(
    signed: Signed, identity: bytes, *, job: str, asker: str, attempt: int, transcript: bytes
) -> Receipt:
    """The receipt, if the worker with this identity signed it for exactly the answer that arrived.

    Raises:
        ReceiptInvalid: it did not, or for another answer.
    """
    try:
        receipt = verify(signed, Receipt, identity)
    except MessageError as error:
        raise ReceiptInvalid(error.details) from None
    wanted = (job, node_id(identity), asker, attempt, transcript)
    if (receipt.job, receipt.node, receipt.asker, receipt.attempt, receipt.transcript) != wanted:
        raise ReceiptInvalid("a receipt for another answer")
    return receipt


def countersign(
    signed: Signed,
    receipt: Receipt,
    identity: Ed25519PrivateKey,
    verdict: VerdictWord,
    *,
    now: int,
    canary: bool = False,
) -> CountersignedReceipt:
    """The asker's word under a receipt that it has checked."""
    word = Verdict(
        job=receipt.job,
        node=receipt.node,
        asker=receipt.asker,
        receipt=hashlib.sha256(signed.statement).digest(),
        verdict=verdict,
        canary=canary,
        issued=now,
    )
    return CountersignedReceipt(receipt=signed, verdict=sign(word, identity))


def verify_pair(pair: CountersignedReceipt, worker: bytes, asker: bytes) -> tuple[Receipt, Verdict]:
    """Receipt and verdict, if these two identities signed them and they belong together.

    Raises:
        ReceiptInvalid: they do not.
    """
    try:
        receipt = verify(pair.receipt, Receipt, worker)
        verdict = verify(pair.verdict, Verdict, asker)
    except MessageError as error:
        raise ReceiptInvalid(error.details) from None
    same = (receipt.job, receipt.node, receipt.asker) == (verdict.job, verdict.node, verdict.asker)
    parties = (receipt.node, receipt.asker) == (node_id(worker), node_id(asker))
    if not (same and parties and verdict.receipt == hashlib.sha256(pair.receipt.statement).digest()):
        raise ReceiptInvalid("receipt and verdict do not belong together")
    return receipt, verdict
