"""A question on its way: sealed once, opened only by the workers that its asker has chosen.

    content key, fresh ──seals──▶ body                     once, for all
    content key + answer secret ──HPKE──▶ sealed key       for each worker and each spare
    sealed key, job, worker, times, digest of the body ──Ed25519──▶ grant

HPKE's `info` and the body's additional data name the job, the asker, the worker and the time, so that a
router can neither pass a question on to another worker, nor in another job, nor later. Every worker has an
answer secret of its own: none can read or write the answer of another. docs/reference/protocol.md has the
bytes.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from network.errors import QuestionAltered, QuestionExpired, QuestionNotForUs, QuestionTooLong
from network.fingerprints import key_id, node_id
from network.hpke import SUITES, SealBroken, seal, unseal
from network.keys import DAY, DeviceKeys
from network.padding import PaddingBroken, pad_question, unpad
from network.protocol.cards import NodeCard
from network.protocol.content import Question
from network.protocol.fields import MAX_BODY_BYTES, MAX_RECIPIENTS
from network.protocol.jobs import Grant, JobRequest
from network.protocol.message import Signed, decode, encode
from network.signatures import sign, verify_own

LONGEST_LIFE_SECONDS = DAY
CLOCK_TOLERANCE_SECONDS = 300

_TAG_BYTES = 16
_KEY_BYTES = 32
_BODY_NONCE = bytes(12)
"""The content key is fresh for every question and seals exactly once."""


@dataclass(frozen=True, slots=True)
class SealedQuestion:
    """What goes to the router, and what stays here to open the answers."""

    request: JobRequest
    answer_secrets: Mapping[str, bytes] = field(repr=False)
    """For each node, workers and spares alike."""


@dataclass(frozen=True, slots=True)
class OpenedQuestion:
    """What a worker finds in a lease."""

    question: Question = field(repr=False)
    grant: Grant
    answer_secret: bytes = field(repr=False)


def new_job() -> str:
    """The number of a new question."""
    return os.urandom(16).hex()


def seal_question(
    question: Question,
    workers: Sequence[NodeCard],
    spares: Sequence[NodeCard],
    *,
    job: str,
    identity: Ed25519PrivateKey,
    now: int,
    life_seconds: int = 600,
    ticket: Signed | None = None,
) -> SealedQuestion:
    """Seal a question for these workers and spares, whose cards the caller has checked.

    `identity` signs the grants; its number is all that router and workers learn about the asker.

    Raises:
        QuestionTooLong: with its padding it is longer than a message may be.
        ValueError: no worker, a worker twice, too many, or a life of more than a day.
    """
    cards = [*workers, *spares]
    if not workers or len(cards) > MAX_RECIPIENTS or len({card.node for card in cards}) < len(cards):
        raise ValueError("a question goes to 1 to 16 different workers")
    if not 0 < life_seconds <= LONGEST_LIFE_SECONDS:
        raise ValueError("a question lives for at most a day")
    public = identity.public_key().public_bytes_raw()
    asker, expires = node_id(public), now + life_seconds

    padded = pad_question(encode(question))
    if len(padded) + _TAG_BYTES > MAX_BODY_BYTES:
        raise QuestionTooLong(job, len(padded), MAX_BODY_BYTES - _TAG_BYTES)
    content_key = os.urandom(_KEY_BYTES)
    body = ChaCha20Poly1305(content_key).encrypt(_BODY_NONCE, padded, _body_context(job, asker, expires))
    digest = hashlib.sha256(body).digest()

    secrets = {card.node: os.urandom(_KEY_BYTES) for card in cards}
    grants = []
    for card in cards:
        grant = Grant(
            job=job,
            asker=asker,
            identity=public,
            node=card.node,
            key=key_id(card.encryption),
            suite=card.suite,
            issued=now,
            expires=expires,
            body_digest=digest,
            sealed_key=b"",
        )
        sealed = seal(content_key + secrets[card.node], card.encryption, seal_context(grant))
        grants.append(sign(msgspec.structs.replace(grant, sealed_key=sealed), identity))
    request = JobRequest(job=job, body=body, grants=tuple(grants), workers=len(workers), ticket=ticket)
    return SealedQuestion(request, secrets)


def open_question(signed: Signed, body: bytes, keys: DeviceKeys, now: int) -> OpenedQuestion:
    """Open a question that a router handed out.

    Raises:
        MessageError: the grant is none, or its asker did not sign it, or no question was inside.
        QuestionNotForUs: for another worker, or for a key that is gone.
        QuestionExpired: too late, or the clocks differ.
        QuestionAltered: the body is not the one that was sealed.
    """
    grant = verify_own(signed, Grant)
    job = grant.job
    if grant.node != keys.node or grant.suite not in SUITES:
        raise QuestionNotForUs(job)
    life = grant.expires - grant.issued
    if not (grant.issued <= now + CLOCK_TOLERANCE_SECONDS and now <= grant.expires + CLOCK_TOLERANCE_SECONDS):
        raise QuestionExpired(job)
    if not 0 < life <= LONGEST_LIFE_SECONDS:
        raise QuestionExpired(job, "a life that no question may have")
    if hashlib.sha256(body).digest() != grant.body_digest:
        raise QuestionAltered(job, "another body")
    key = keys.encryption_key(grant.key)
    if key is None:
        raise QuestionNotForUs(job, "the key is gone")
    try:
        opened = unseal(grant.sealed_key, key.private, seal_context(grant))
    except SealBroken:
        raise QuestionAltered(job, "the sealed key does not open") from None
    content_key, answer_secret = opened[:_KEY_BYTES], opened[_KEY_BYTES:]
    try:
        context = _body_context(job, grant.asker, grant.expires)
        padded = ChaCha20Poly1305(content_key).decrypt(_BODY_NONCE, body, context)
        question = decode(unpad(padded), Question)
    except (InvalidTag, PaddingBroken):
        raise QuestionAltered(job, "the body does not open") from None
    return OpenedQuestion(question, grant, answer_secret)


def seal_context(grant: Grant) -> bytes:
    """HPKE's `info`: everything in the grant but the sealed key. All parts have fixed lengths."""
    return b"".join(
        (
            b"dai question 1\x00",
            bytes.fromhex(grant.job),
            bytes.fromhex(grant.asker),
            bytes.fromhex(grant.node),
            bytes.fromhex(grant.key),
            struct.pack(">QQ", grant.issued, grant.expires),
            grant.body_digest,
        )
    )


def _body_context(job: str, asker: str, expires: int) -> bytes:
    return b"dai body 1\x00" + bytes.fromhex(job) + bytes.fromhex(asker) + struct.pack(">Q", expires)
