"""A receipt counts with both signatures, for exactly the answer that arrived."""

from __future__ import annotations

import msgspec
import pytest

from network.cards import Offer, issue_card, read_card
from network.chunks import AnswerOpener, AnswerSealer
from network.envelope import new_job, open_question, seal_question
from network.errors import ReceiptInvalid
from network.protocol.content import AnswerEnd, AnswerText, Question, Turn
from network.protocol.receipts import CountersignedReceipt, Receipt, Verdict
from network.receipts import check_receipt, countersign, issue_receipt, verify_pair
from network.signatures import sign, verify


@pytest.fixture
def exchange(keys, other_keys, now):
    """A question that `other_keys` asked and `keys` answered: the receipt, and what it must fit."""
    question = Question(turns=(Turn(role="user", text="Why?"),))
    card = read_card(issue_card(keys, Offer(), now)[1], now)
    job = new_job()
    sealed = seal_question(question, [card], [], job=job, identity=other_keys.identity, now=now)
    opened = open_question(sealed.request.grants[0], sealed.request.body, keys, now)
    sealer = AnswerSealer(opened.answer_secret, job, keys.node, attempt=1)
    opener = AnswerOpener(sealed.answer_secrets[keys.node], job, keys.node)
    opener.begin(sealer.start)
    opener.open(sealer.seal(AnswerText(text="Because.")))
    receipt = issue_receipt(
        opened.grant,
        keys.identity,
        attempt=1,
        model="qwen3-1.7b",
        finish="complete",
        tokens=2,
        milliseconds=80,
        transcript=sealer.transcript,
        now=now + 1,
    )
    end = opener.open(sealer.seal(AnswerEnd(finish="complete", receipt=receipt)))
    assert end.receipt == receipt
    wanted = {"job": job, "asker": other_keys.node, "attempt": 1, "transcript": opener.transcript}
    return receipt, wanted


def test_the_receipt_fits_the_answer_that_arrived(exchange, keys):
    receipt, wanted = exchange
    assert check_receipt(receipt, keys.public, **wanted).tokens == 2


@pytest.mark.parametrize(
    "change",
    [{"job": "0" * 32}, {"asker": "0" * 32}, {"attempt": 2}, {"transcript": bytes(32)}],
    ids=lambda change: next(iter(change)),
)
def test_a_receipt_for_another_answer_is_refused(exchange, keys, change):
    receipt, wanted = exchange
    with pytest.raises(ReceiptInvalid):
        check_receipt(receipt, keys.public, **{**wanted, **change})


def test_a_receipt_of_another_worker_is_refused(exchange, keys, other_keys):
    receipt, wanted = exchange
    with pytest.raises(ReceiptInvalid):
        check_receipt(receipt, other_keys.public, **wanted)
    taken = sign(verify(receipt, Receipt, keys.public), other_keys.identity)
    with pytest.raises(ReceiptInvalid):
        check_receipt(taken, other_keys.public, **wanted)


def test_both_signatures_make_a_pair(exchange, keys, other_keys, now):
    signed, wanted = exchange
    receipt = check_receipt(signed, keys.public, **wanted)
    pair = countersign(signed, receipt, other_keys.identity, "good", now=now, canary=True)
    got, verdict = verify_pair(pair, keys.public, other_keys.public)
    assert got == receipt
    assert (verdict.verdict, verdict.canary) == ("good", True)


def test_a_pair_that_does_not_belong_together_is_refused(exchange, keys, other_keys, now):
    signed, wanted = exchange
    receipt = check_receipt(signed, keys.public, **wanted)
    pair = countersign(signed, receipt, other_keys.identity, "good", now=now)
    better = sign(msgspec.structs.replace(receipt, tokens=2_000), keys.identity)
    verdict = verify(pair.verdict, Verdict, other_keys.public)
    for wrong in (
        CountersignedReceipt(receipt=better, verdict=pair.verdict),
        CountersignedReceipt(receipt=pair.verdict, verdict=pair.receipt),
        CountersignedReceipt(receipt=pair.receipt, verdict=sign(verdict, keys.identity)),
        CountersignedReceipt(
            receipt=pair.receipt,
            verdict=sign(msgspec.structs.replace(verdict, job="0" * 32), other_keys.identity),
        ),
    ):
        with pytest.raises(ReceiptInvalid):
            verify_pair(wrong, keys.public, other_keys.public)


def test_a_worker_cannot_be_its_own_asker(exchange, keys, other_keys, now):
    signed, wanted = exchange
    receipt = check_receipt(signed, keys.public, **wanted)
    forged = countersign(signed, receipt, keys.identity, "good", now=now)
    with pytest.raises(ReceiptInvalid):
        verify_pair(forged, keys.public, other_keys.public)
    with pytest.raises(ReceiptInvalid):
        verify_pair(forged, keys.public, keys.public)
