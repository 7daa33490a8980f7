"""A question opens for the workers that its asker chose, and for nobody and nothing else."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import msgspec
import pytest

from network.answered import AnsweredQuestions
from network.cards import Offer, issue_card, read_card
from network.envelope import LONGEST_LIFE_SECONDS, new_job, open_question, seal_question
from network.errors import (
    MessageError,
    MessageInvalid,
    NetworkError,
    QuestionAltered,
    QuestionError,
    QuestionExpired,
    QuestionNotForUs,
    QuestionRepeated,
    QuestionTooLong,
    SignatureInvalid,
)
from network.fingerprints import node_id
from network.keys import DAY, KEPT_SECONDS, DeviceKeys
from network.protocol.content import Question, Turn
from network.protocol.fields import MAX_BODY_BYTES
from network.protocol.jobs import Grant, JobRequest
from network.protocol.message import Signed, decode, decode_canonical, encode
from network.signatures import sign

SECRET_WORDS = "my landlord’s name is Bartholomew"
QUESTION = Question(turns=(Turn(role="user", text=SECRET_WORDS),))


@dataclass
class Circle:
    """An asker, two workers and a spare."""

    asker: DeviceKeys
    workers: list[DeviceKeys]
    job: str
    now: int

    def cards(self):
        return [read_card(issue_card(keys, Offer(), self.now)[1], self.now) for keys in self.workers]

    def ask(self, question=QUESTION, **options):
        one, two, spare = self.cards()
        return seal_question(
            question, [one, two], [spare], job=self.job, identity=self.asker.identity, now=self.now, **options
        )

    def resign(self, signed, **changes):
        """What a hostile asker could write."""
        grant = decode_canonical(signed.statement, Grant)
        return sign(msgspec.structs.replace(grant, **changes), self.asker.identity)


@pytest.fixture
def circle(now):
    return Circle(DeviceKeys.generate(now), [DeviceKeys.generate(now) for _ in range(3)], new_job(), now)


def test_every_worker_and_every_spare_reads_the_question(circle, now):
    sealed = circle.ask()
    opened = [
        open_question(grant, sealed.request.body, keys, now)
        for grant, keys in zip(sealed.request.grants, circle.workers, strict=True)
    ]
    assert [one.question for one in opened] == [QUESTION] * 3
    assert [one.answer_secret for one in opened] == list(sealed.answer_secrets.values())
    assert len({one.answer_secret for one in opened}) == 3, "none can read the answer of another"
    assert opened[0].grant.asker == circle.asker.node == node_id(opened[0].grant.identity)
    assert sealed.request.workers == 2


def test_it_survives_the_journey_as_a_message(circle, now):
    sealed = circle.ask()
    arrived = decode(encode(sealed.request), JobRequest)
    assert open_question(arrived.grants[2], arrived.body, circle.workers[2], now).question == QUESTION


def test_a_router_sees_neither_words_nor_their_number(circle):
    short = encode(circle.ask().request)
    long = encode(circle.ask(Question(turns=(Turn(role="user", text=SECRET_WORDS * 5),))).request)
    assert SECRET_WORDS.encode() not in short
    assert len(short) == len(long)


def test_workers_do_not_learn_of_each_other(circle):
    sealed = circle.ask()
    for mine, grant in enumerate(sealed.request.grants):
        for other, keys in enumerate(circle.workers):
            assert (keys.node.encode() in grant.statement) == (mine == other)


def test_another_device_cannot_open_it(circle, other_keys, now):
    sealed = circle.ask()
    grant = sealed.request.grants[0]
    for keys in (other_keys, circle.workers[1]):
        with pytest.raises(QuestionNotForUs):
            open_question(grant, sealed.request.body, keys, now)


def test_a_grant_cannot_be_turned_to_another_worker(circle, now):
    """Not even by the asker's own signature: the seal binds the worker."""
    sealed = circle.ask()
    two = circle.workers[1]
    turned = circle.resign(sealed.request.grants[0], node=two.node, key=two.encryption[0].id)
    with pytest.raises(QuestionAltered):
        open_question(turned, sealed.request.body, two, now)


def test_nobody_can_ask_in_the_name_of_another(circle, other_keys, now):
    sealed = circle.ask()
    grant = decode_canonical(sealed.request.grants[0].statement, Grant)
    with pytest.raises(SignatureInvalid):
        open_question(sign(grant, other_keys.identity), sealed.request.body, circle.workers[0], now)
    pretended = msgspec.structs.replace(grant, identity=other_keys.public)
    with pytest.raises(SignatureInvalid):
        open_question(sign(pretended, other_keys.identity), sealed.request.body, circle.workers[0], now)
    stolen = msgspec.structs.replace(grant, identity=other_keys.public, asker=other_keys.node)
    with pytest.raises(QuestionAltered):
        open_question(sign(stolen, other_keys.identity), sealed.request.body, circle.workers[0], now)


@pytest.mark.parametrize(
    "change",
    [
        {"job": "0" * 32},
        {"expires": 1_800_000_601},
        {"issued": 1_799_999_999},
        {"sealed_key": bytes(112)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_everything_in_a_grant_is_bound_to_the_seal(circle, now, change):
    sealed = circle.ask()
    with pytest.raises(QuestionAltered):
        open_question(
            circle.resign(sealed.request.grants[0], **change), sealed.request.body, circle.workers[0], now
        )


def test_bodies_cannot_be_swapped(circle, now):
    one, other = circle.ask(), circle.ask()
    with pytest.raises(QuestionAltered):
        open_question(one.request.grants[0], other.request.body, circle.workers[0], now)


def test_a_worker_that_knows_the_content_key_cannot_put_words_into_the_question(circle, now, monkeypatch):
    """A hostile worker and a hostile router together: the honest worker's grant fixes the body."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    from network import envelope
    from network.padding import pad_question

    sealed = circle.ask()
    grant = decode_canonical(sealed.request.grants[0].statement, Grant)
    known = envelope.unseal(
        grant.sealed_key, circle.workers[0].encryption[0].private, envelope.seal_context(grant)
    )
    context = envelope._body_context(grant.job, grant.asker, grant.expires)
    evil = encode(Question(turns=(Turn(role="user", text="another question"),)))
    body = ChaCha20Poly1305(known[:32]).encrypt(bytes(12), pad_question(evil), context)
    with pytest.raises(QuestionAltered):
        open_question(sealed.request.grants[1], body, circle.workers[1], now)


def test_every_flipped_bit_of_a_question_is_refused_by_name(circle, now):
    sealed = circle.ask()
    grant, body, keys = sealed.request.grants[0], sealed.request.body, circle.workers[0]
    for bit in range(0, len(body) * 8, 5):
        with pytest.raises(QuestionAltered):
            open_question(grant, flipped(body, bit), keys, now)
    for field in ("statement", "signature"):
        original = getattr(grant, field)
        for bit in range(0, len(original) * 8, 3):
            altered = msgspec.structs.replace(grant, **{field: flipped(original, bit)})
            with pytest.raises((MessageError, QuestionError)):
                open_question(altered, body, keys, now)


def test_truncated_questions_are_refused(circle, now):
    sealed = circle.ask()
    for size in (0, 1, 16, len(sealed.request.body) - 1):
        with pytest.raises(QuestionAltered):
            open_question(sealed.request.grants[0], sealed.request.body[:size], circle.workers[0], now)
    grant = sealed.request.grants[0]
    short = Signed(statement=grant.statement[:-1], signature=grant.signature)
    with pytest.raises(MessageInvalid):
        open_question(short, sealed.request.body, circle.workers[0], now)


def test_a_question_is_answered_in_its_time_only(circle, now):
    sealed = circle.ask(life_seconds=60)
    grant, body, keys = sealed.request.grants[0], sealed.request.body, circle.workers[0]
    open_question(grant, body, keys, now - 299)
    open_question(grant, body, keys, now + 60 + 299)
    for moment in (now - 301, now + 60 + 301):
        with pytest.raises(QuestionExpired):
            open_question(grant, body, keys, moment)


@pytest.mark.parametrize("life", [0, -1, LONGEST_LIFE_SECONDS + 1])
def test_no_question_lives_for_ever(circle, now, life):
    sealed = circle.ask()
    with pytest.raises(ValueError, match="day"):
        circle.ask(life_seconds=life)
    with pytest.raises(QuestionExpired):
        open_question(
            circle.resign(sealed.request.grants[0], expires=now + life),
            sealed.request.body,
            circle.workers[0],
            now,
        )


def test_a_question_for_yesterdays_key_opens_until_that_key_is_dropped(circle, now):
    sealed = circle.ask(life_seconds=DAY)
    grant, body, keys = sealed.request.grants[0], sealed.request.body, circle.workers[0]
    rotated = keys.rotated(now + DAY)
    assert open_question(grant, body, rotated, now + DAY).question == QUESTION
    with pytest.raises(QuestionNotForUs):
        open_question(grant, body, rotated.rotated(now + KEPT_SECONDS), now + DAY)


def test_an_unknown_suite_is_not_for_us(circle, now):
    sealed = circle.ask()
    with pytest.raises(QuestionNotForUs):
        open_question(
            circle.resign(sealed.request.grants[0], suite="hpke-x"),
            sealed.request.body,
            circle.workers[0],
            now,
        )


def test_what_is_inside_is_checked_too(circle, now):
    sealed = circle.ask(Turn(role="user", text="no question, only a part of one"))
    with pytest.raises(MessageInvalid):
        open_question(sealed.request.grants[0], sealed.request.body, circle.workers[0], now)


def test_a_question_that_is_too_long_is_told_before_it_is_sent(circle):
    long = Question(turns=tuple(Turn(role="user", text="ه" * 100_000) for _ in range(3)))
    with pytest.raises(QuestionTooLong) as caught:
        circle.ask(long)
    assert caught.value.size_bytes > caught.value.limit_bytes


def test_the_longest_question_fits(circle, now):
    longest = Question(turns=(Turn(role="user", text="a" * 200_000), Turn(role="user", text="b" * 200_000)))
    sealed = circle.ask(longest)
    assert len(sealed.request.body) <= MAX_BODY_BYTES
    arrived = decode(encode(sealed.request), JobRequest)
    assert open_question(arrived.grants[0], arrived.body, circle.workers[0], now).question == longest


def test_a_question_goes_to_different_workers(circle, now):
    one, two, _ = circle.cards()
    ask = {"job": circle.job, "identity": circle.asker.identity, "now": now}
    for workers, spares in (([], [one]), ([one, one], []), ([one], [two, one])):
        with pytest.raises(ValueError, match="different"):
            seal_question(QUESTION, workers, spares, **ask)


def test_no_secret_shows_in_representations_logs_or_errors(circle, now, caplog):
    caplog.set_level(logging.DEBUG)
    sealed = circle.ask()
    opened = open_question(sealed.request.grants[0], sealed.request.body, circle.workers[0], now)
    shown = repr(sealed) + repr(opened) + caplog.text
    for attack in (
        lambda: open_question(sealed.request.grants[0], sealed.request.body[:-1], circle.workers[0], now),
        lambda: open_question(sealed.request.grants[0], sealed.request.body, circle.workers[1], now),
        lambda: open_question(sealed.request.grants[0], sealed.request.body, circle.workers[0], now * 2),
    ):
        with pytest.raises(NetworkError) as caught:
            attack()
        shown += repr(caught.value) + str(caught.value) + repr(vars(caught.value))
        assert caught.value.__cause__ is None
    secrets = [*sealed.answer_secrets.values(), SECRET_WORDS.encode()]
    assert not any(secret.hex() in shown or str(secret)[2:-1] in shown for secret in secrets)
    assert SECRET_WORDS not in shown


def test_an_answered_question_is_not_answered_again(circle, now):
    sealed = circle.ask()
    grant = open_question(sealed.request.grants[0], sealed.request.body, circle.workers[0], now).grant
    answered = AnsweredQuestions()
    answered.check(grant)
    answered.add(grant, now)
    with pytest.raises(QuestionRepeated):
        answered.check(grant)
    answered.check(msgspec.structs.replace(grant, asker="f" * 32))


def test_what_was_answered_is_remembered_as_long_as_it_matters_and_no_longer(circle, now):
    sealed = circle.ask()
    grant = decode_canonical(sealed.request.grants[0].statement, Grant)
    answered = AnsweredQuestions(capacity=100)
    for number in range(1_000):
        answered.add(msgspec.structs.replace(grant, job=f"{number:032x}", expires=now + number), now + number)
        assert len(answered) <= 100
    with pytest.raises(QuestionRepeated):
        answered.check(msgspec.structs.replace(grant, job=f"{999:032x}"))


def flipped(data: bytes, bit: int) -> bytes:
    altered = bytearray(data)
    altered[bit // 8] ^= 1 << bit % 8
    return bytes(altered)
