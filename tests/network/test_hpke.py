"""Our sealing is RFC 9180: held to the vectors of the RFC through a second, independent implementation."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from network.hpke import OVERHEAD_BYTES, SealBroken, seal, unseal
from tests.network import reference_hpke
from tests.network.vectors import FOLDER

RFC = json.loads((FOLDER / "rfc9180.json").read_text())
INFO = bytes.fromhex(RFC["info"])
SENDER = X25519PrivateKey.from_private_bytes(bytes.fromhex(RFC["skEm"]))
RECIPIENT = X25519PrivateKey.from_private_bytes(bytes.fromhex(RFC["skRm"]))


def test_the_key_schedule_is_the_one_of_the_rfc():
    public = bytes.fromhex(RFC["pkRm"])
    shared = SENDER.exchange(RECIPIENT.public_key())
    key, nonce = reference_hpke.schedule(shared, bytes.fromhex(RFC["enc"]), public, INFO)
    assert (key.hex(), nonce.hex()) == (RFC["key"], RFC["base_nonce"])


@pytest.mark.parametrize("case", RFC["encryptions"], ids=lambda case: str(case["sequence"]))
def test_the_vectors_of_the_rfc_open(case):
    sealed = bytes.fromhex(RFC["enc"] + case["ct"])
    opened = reference_hpke.unseal(sealed, RECIPIENT, INFO, bytes.fromhex(case["aad"]), case["sequence"])
    assert opened.hex() == case["pt"]


def test_the_first_vector_is_sealed_byte_by_byte():
    first = RFC["encryptions"][0]
    sealed = reference_hpke.seal(
        bytes.fromhex(first["pt"]), bytes.fromhex(RFC["pkRm"]), INFO, SENDER, bytes.fromhex(first["aad"])
    )
    assert sealed.hex() == RFC["enc"] + first["ct"]


@pytest.mark.parametrize("size", [0, 1, 64, 5_000])
def test_the_library_and_the_rfc_open_each_other(size):
    text, info = bytes(range(256)) * 20, b"dai"
    public = RECIPIENT.public_key().public_bytes_raw()
    sealed = seal(text[:size], public, info)
    assert len(sealed) == size + OVERHEAD_BYTES
    assert reference_hpke.unseal(sealed, RECIPIENT, info) == text[:size]
    assert unseal(reference_hpke.seal(text[:size], public, info, SENDER), RECIPIENT, info) == text[:size]


def test_two_seals_of_one_text_differ():
    public = RECIPIENT.public_key().public_bytes_raw()
    assert seal(b"same", public, b"") != seal(b"same", public, b"")


def test_another_purpose_or_another_key_does_not_open():
    sealed = seal(b"text", RECIPIENT.public_key().public_bytes_raw(), b"one")
    with pytest.raises(SealBroken):
        unseal(sealed, RECIPIENT, b"two")
    with pytest.raises(SealBroken):
        unseal(sealed, X25519PrivateKey.generate(), b"one")


def test_every_flipped_bit_and_every_missing_byte_is_noticed():
    sealed = seal(b"text", RECIPIENT.public_key().public_bytes_raw(), b"")
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            unseal(bytes(altered), RECIPIENT, b"")
    for size in range(len(sealed)):
        with pytest.raises(SealBroken):
            unseal(sealed[:size], RECIPIENT, b"")
