"""A worker proves who it is, to this router, now."""

from __future__ import annotations

import msgspec
import pytest

from network.cards import Offer, issue_card, read_card
from network.errors import MessageInvalid, SignatureInvalid
from network.protocol import frames
from network.protocol.message import encode
from network.protocol.registration import Hello, Proof
from network.registration import check_proof, new_challenge, prove

HERE = "https://router.example"
ORIGINS = frozenset({HERE, "http://192.168.1.20:8642"})


@pytest.fixture
def card(keys, now):
    return read_card(issue_card(keys, Offer(), now)[1], now)


@pytest.fixture
def challenge(other_keys):
    return new_challenge(other_keys.public)


def test_a_worker_registers_over_the_wire(keys, other_keys, now):
    _, signed = issue_card(keys, Offer(name="Sara"), now)
    hello = frames.from_worker(encode(Hello(card=signed)))
    challenge = frames.to_worker(encode(new_challenge(other_keys.public)))
    proof = frames.from_worker(encode(prove(challenge, HERE, keys, now)))
    check_proof(proof, challenge, read_card(hello.card, now), ORIGINS, now)


def test_nobody_registers_with_the_card_of_another(other_keys, card, challenge, now):
    with pytest.raises(SignatureInvalid):
        check_proof(prove(challenge, HERE, other_keys, now), challenge, card, ORIGINS, now)


def test_a_proof_is_good_for_one_challenge(keys, other_keys, card, challenge, now):
    proof = prove(challenge, HERE, keys, now)
    with pytest.raises(SignatureInvalid):
        check_proof(proof, new_challenge(other_keys.public), card, ORIGINS, now)


def test_a_router_cannot_use_a_proof_at_another_router(keys, card, challenge, now):
    """It passes on the challenge of the other one, but cannot change the address that the worker sees."""
    proof = prove(challenge, "https://evil.example", keys, now)
    with pytest.raises(SignatureInvalid):
        check_proof(proof, challenge, card, ORIGINS, now)
    own = msgspec.structs.replace(challenge, router=keys.public)
    with pytest.raises(SignatureInvalid):
        check_proof(prove(own, HERE, keys, now), challenge, card, ORIGINS, now)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_proof_is_of_now(keys, card, challenge, now, seconds):
    check_proof(prove(challenge, HERE, keys, now), challenge, card, ORIGINS, now + 299)
    with pytest.raises(SignatureInvalid):
        check_proof(prove(challenge, HERE, keys, now), challenge, card, ORIGINS, now + seconds)


def test_another_statement_is_no_proof(keys, card, challenge, now):
    _, signed = issue_card(keys, Offer(), now)
    with pytest.raises(MessageInvalid):
        check_proof(Proof(proof=signed), challenge, card, ORIGINS, now)


def test_challenges_differ(other_keys):
    assert new_challenge(other_keys.public).nonce != new_challenge(other_keys.public).nonce
