"""The test vectors for other implementations, made by the product's own code from fixed seeds.

`python -m tests.network.vectors` writes docs/reference/vectors/*.json; a test fails when they would change.
Bytes are in hex, times in seconds; `seed` is the raw private key.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from network import envelope
from network.cards import Offer, issue_card, read_card
from network.chunks import AnswerSealer
from network.fingerprints import key_id
from network.groups import group_code, membership
from network.keys import DeviceKeys, EncryptionKey
from network.padding import pad_chunk, pad_question
from network.pairing import pairing_code, safety_number
from network.protocol.cards import ModelOffer
from network.protocol.content import AnswerCitation, AnswerEnd, AnswerText, Question, Turn
from network.protocol.message import Signed, canonical, encode
from network.protocol.receipts import Receipt
from network.receipts import countersign, issue_receipt
from network.signatures import verify
from tests.network import reference_hpke

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference" / "vectors"
NOW = 1_800_000_000
JOB = hashlib.sha256(b"dai vectors: job").digest()[:16].hex()

QUESTION = Question(
    turns=(
        Turn(role="system", text="Answer in one sentence."),
        Turn(role="user", text="پایتخت فرانسه کجاست؟ And what is on “page 3”?\n\t\u0001😀"),
    ),
    model="qwen3-1.7b",
    language="fa",
    max_tokens=256,
)
PARTS = (
    AnswerText(text="پاریس "),
    AnswerText(text=""),
    AnswerText(text="[1]. " + "é" * 60),
    AnswerCitation(number=1, title="Atlas", page=3, quote="Paris"),
)


def seed(name: str) -> bytes:
    """32 bytes that look random and are the same everywhere."""
    return hashlib.sha256(b"dai vectors: " + name.encode()).digest()


def device(name: str) -> DeviceKeys:
    """A device with fixed keys."""
    key = EncryptionKey(X25519PrivateKey.from_private_bytes(seed(f"{name} encryption")), NOW)
    return DeviceKeys(Ed25519PrivateKey.from_private_bytes(seed(f"{name} identity")), (key,), 0)


@contextmanager
def fixed_randomness(name: str) -> Iterator[None]:
    """All random bytes, and the ephemeral keys of HPKE, from a counter."""
    counter = 0

    def urandom(size: int) -> bytes:
        nonlocal counter
        counter += 1
        return seed(f"{name} random {counter}")[:size]

    def seal(plaintext: bytes, recipient: bytes, info: bytes) -> bytes:
        ephemeral = X25519PrivateKey.from_private_bytes(seed(f"{name} ephemeral {key_id(recipient)}"))
        return reference_hpke.seal(plaintext, recipient, info, ephemeral)

    with mock.patch.object(os, "urandom", urandom), mock.patch.object(envelope, "seal", seal):
        yield


def _signed(signed: Signed) -> dict[str, str]:
    return {"statement": signed.statement.decode(), "signature": signed.signature.hex()}


def cards() -> dict[str, Any]:
    """Identities, fingerprints, pairing, and a signed card."""
    sara, reza = device("sara"), device("reza")
    offer = Offer(
        name="لپ‌تاپ سارا",
        models=(ModelOffer(model="qwen3-1.7b", context_tokens=8192, tokens_per_second=14),),
        topics=("law",),
        languages=("fa", "en"),
        slots=2,
        shares_documents=True,
    )
    _, card = issue_card(sara, offer, NOW)
    successor = device("sara again")
    word = sara.identity.sign(b"dai succession 1\x00" + successor.public)
    return {
        "identity_seed": seed("sara identity").hex(),
        "identity": sara.public.hex(),
        "node": sara.node,
        "encryption_seed": seed("sara encryption").hex(),
        "encryption": sara.encryption[0].public.hex(),
        "encryption_key_id": sara.encryption[0].id,
        "card": _signed(card),
        "signed_bytes": (b"dai statement 1\x00" + card.statement).hex(),
        "pairing_code": pairing_code(sara.public),
        "other_identity": reza.public.hex(),
        "safety_number": safety_number(sara.public, reza.public),
        "succession": {"new_identity": successor.public.hex(), "signature": word.hex()},
    }


def envelopes() -> dict[str, Any]:
    """A question sealed for one worker and one spare."""
    asker = device("asker")
    workers = {name: device(name) for name in ("sara", "reza")}
    found = {name: read_card(issue_card(keys, Offer(), NOW)[1], NOW) for name, keys in workers.items()}
    with fixed_randomness("envelope"):
        sealed = envelope.seal_question(
            QUESTION, [found["sara"]], [found["reza"]], job=JOB, identity=asker.identity, now=NOW
        )
    recipients = []
    for signed, (name, keys) in zip(sealed.request.grants, workers.items(), strict=True):
        opened = envelope.open_question(signed, sealed.request.body, keys, NOW)
        recipients.append(
            {
                "encryption_seed": seed(f"{name} encryption").hex(),
                "ephemeral_seed": seed(f"envelope ephemeral {opened.grant.key}").hex(),
                "node": keys.node,
                "grant": _signed(signed),
                "hpke_info": envelope.seal_context(opened.grant).hex(),
                "answer_secret": opened.answer_secret.hex(),
            }
        )
    return {
        "asker_identity_seed": seed("asker identity").hex(),
        "asker": asker.node,
        "job": JOB,
        "issued": NOW,
        "expires": NOW + 600,
        "question": encode(QUESTION).decode(),
        "padded_bytes": len(pad_question(encode(QUESTION))),
        "content_key": seed("envelope random 1").hex(),
        "body_context": (
            b"dai body 1\x00" + bytes.fromhex(JOB + asker.node) + (NOW + 600).to_bytes(8, "big")
        ).hex(),
        "body": sealed.request.body.hex(),
        "recipients": recipients,
    }


def answer() -> tuple[AnswerSealer, list[Any], list[Any], Signed]:
    """A sealer that has sealed everything, with its parts, its chunks and its receipt."""
    sara, asker = device("sara"), device("asker")
    card = read_card(issue_card(sara, Offer(), NOW)[1], NOW)
    with fixed_randomness("envelope"):
        sealed = envelope.seal_question(QUESTION, [card], [], job=JOB, identity=asker.identity, now=NOW)
    grant = envelope.open_question(sealed.request.grants[0], sealed.request.body, sara, NOW).grant
    with fixed_randomness("answer"):
        sealer = AnswerSealer(seed("answer secret"), JOB, sara.node, attempt=2)
    chunks = [sealer.seal(part) for part in PARTS]
    receipt = issue_receipt(
        grant,
        sara.identity,
        attempt=2,
        model="qwen3-1.7b",
        finish="complete",
        tokens=41,
        milliseconds=2_900,
        transcript=sealer.transcript,
        now=NOW + 3,
    )
    end = AnswerEnd(finish="complete", receipt=receipt)
    return sealer, [*PARTS, end], [*chunks, sealer.seal(end)], receipt


def chunks() -> dict[str, Any]:
    """A whole sealed answer."""
    sealer, parts, sealed, receipt = answer()
    transcript = verify(receipt, Receipt, device("sara").public).transcript
    return {
        "answer_secret": seed("answer secret").hex(),
        "start": json.loads(encode(sealer.start)),
        "salt": sealer.start.salt.hex(),
        "hkdf_info": (
            b"dai answer 1\x00" + bytes.fromhex(JOB + sealer.start.node) + (2).to_bytes(4, "big")
        ).hex(),
        "parts": [
            {
                "index": chunk.index,
                "last": chunk.last,
                "part": encode(part).decode(),
                "padded": pad_chunk(encode(part)).hex(),
                "data": chunk.data.hex(),
            }
            for part, chunk in zip(parts, sealed, strict=True)
        ],
        "transcript_before_end": transcript.hex(),
    }


def receipts() -> dict[str, Any]:
    """What both sides sign."""
    _, _, _, signed = answer()
    sara, asker = device("sara"), device("asker")
    receipt = verify(signed, Receipt, sara.public)
    pair = countersign(signed, receipt, asker.identity, "good", now=NOW + 60)
    return {
        "worker_identity": sara.public.hex(),
        "asker_identity": asker.public.hex(),
        "receipt": _signed(pair.receipt),
        "receipt_digest": hashlib.sha256(pair.receipt.statement).hexdigest(),
        "verdict": _signed(pair.verdict),
    }


def spelling() -> dict[str, Any]:
    """Canonical JSON: texts and their only spelling."""
    texts = ["", "é", "\u200c\u2028", '"\\/', "\x00\x08\t\n\x0c\r\x1f\x7f", "😀\ufb33"]
    return {
        "texts": [
            {"code_points": [ord(c) for c in text], "canonical": msgspec.json.encode(text).hex()}
            for text in texts
        ],
        "question": canonical(QUESTION).decode(),
    }


def groups() -> dict[str, Any]:
    """A group, at a router, with a member."""
    secret, sara, router = seed("group"), device("sara"), device("router")
    shown = membership(secret, router.public, sara.public)
    return {
        "group": secret.hex(),
        "router": router.public.hex(),
        "identity": sara.public.hex(),
        "membership": {"group": shown.group, "proof": shown.proof.hex()},
        "address": "https://router.example",
        "code": group_code(secret, "https://router.example"),
        "code_without_address": group_code(secret),
    }


VECTORS = {
    "cards": cards,
    "groups": groups,
    "envelopes": envelopes,
    "chunks": chunks,
    "receipts": receipts,
    "spelling": spelling,
}


def text_of(name: str) -> str:
    """The contents of a file."""
    return json.dumps(VECTORS[name](), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    for name in VECTORS:
        (FOLDER / f"{name}.json").write_text(text_of(name), encoding="utf-8")
