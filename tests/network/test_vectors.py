"""The published test vectors are what the code makes, and the code opens what they hold."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from network.cards import read_card
from network.chunks import AnswerOpener
from network.envelope import open_question
from network.groups import GroupInvitation, group_tag, is_member, read_group_code
from network.pairing import read_pairing_code
from network.protocol.answers import AnswerChunk, AnswerStart
from network.protocol.content import AnswerPart, Question
from network.protocol.groups import Membership
from network.protocol.message import Signed, decode, encode
from network.receipts import check_receipt
from tests.network.vectors import FOLDER, NOW, VECTORS, device, text_of


def load(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def signed(entry) -> Signed:
    return Signed(statement=entry["statement"].encode(), signature=bytes.fromhex(entry["signature"]))


@pytest.mark.parametrize("name", VECTORS)
def test_the_code_makes_exactly_the_published_vectors(name):
    published = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert text_of(name) == published, "run `python -m tests.network.vectors` if this was meant"


def test_the_published_card_is_valid_and_signed_over_the_published_bytes():
    vector = load("cards")
    card = read_card(signed(vector["card"]), NOW)
    assert (card.node, card.identity.hex()) == (vector["node"], vector["identity"])
    Ed25519PublicKey.from_public_bytes(card.identity).verify(
        bytes.fromhex(vector["card"]["signature"]), bytes.fromhex(vector["signed_bytes"])
    )
    assert read_pairing_code(vector["pairing_code"]) == card.identity


def test_the_published_member_belongs_to_the_published_group():
    vector = load("groups")
    secret = bytes.fromhex(vector["group"])
    shown = Membership(
        group=vector["membership"]["group"], proof=bytes.fromhex(vector["membership"]["proof"])
    )
    assert group_tag(secret, bytes.fromhex(vector["router"])) == shown.group
    assert is_member(secret, shown, bytes.fromhex(vector["identity"]))
    assert read_group_code(vector["code"]) == GroupInvitation(secret, vector["address"])
    assert read_group_code(vector["code_without_address"]) == GroupInvitation(secret)


def test_the_published_envelope_opens_for_the_worker_and_for_the_spare():
    vector = load("envelopes")
    for name, recipient in zip(("sara", "reza"), vector["recipients"], strict=True):
        opened = open_question(signed(recipient["grant"]), bytes.fromhex(vector["body"]), device(name), NOW)
        assert opened.question == decode(vector["question"].encode(), Question)
        assert opened.answer_secret.hex() == recipient["answer_secret"]


def test_the_published_answer_opens_to_its_parts_and_its_receipt():
    vector = load("chunks")
    start = decode(encode_json(vector["start"]), AnswerStart)
    opener = AnswerOpener(bytes.fromhex(vector["answer_secret"]), start.job, start.node)
    opener.begin(start)
    for entry in vector["parts"]:
        chunk = AnswerChunk(
            job=start.job,
            node=start.node,
            attempt=start.attempt,
            index=entry["index"],
            last=entry["last"],
            data=bytes.fromhex(entry["data"]),
        )
        part = opener.open(chunk)
        assert part == decode(entry["part"].encode(), AnswerPart)
    opener.finish()
    assert opener.transcript.hex() == vector["transcript_before_end"]
    check_receipt(
        part.receipt,
        device("sara").public,
        job=start.job,
        asker=device("asker").node,
        attempt=start.attempt,
        transcript=opener.transcript,
    )


def test_the_published_texts_have_the_published_spelling():
    for entry in load("spelling")["texts"]:
        text = "".join(map(chr, entry["code_points"]))
        assert json.loads(bytes.fromhex(entry["canonical"])) == text


def encode_json(value) -> bytes:
    return json.dumps(value).encode()


def test_messages_are_encoded_in_the_order_of_their_fields():
    vector = load("envelopes")
    assert encode(decode(vector["question"].encode(), Question)).decode() == vector["question"]
