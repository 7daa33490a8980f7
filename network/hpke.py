"""Hybrid public key encryption, RFC 9180, base mode, one message: a thin layer over `cryptography`.

There is one suite, named in cards and grants, so that a later one can stand beside it.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from network.protocol.fields import SUITE

SUITES = frozenset({SUITE})
"""The names of the suites that this version can open."""
OVERHEAD_BYTES = 48
"""The sender's key share and the tag."""

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class SealBroken(Exception):
    """Altered, or not sealed for this key and this purpose. Callers turn it into an error of their own."""


def seal(plaintext: bytes, recipient: bytes, info: bytes) -> bytes:
    """Seal for the holder of this raw X25519 public key; opens only with the same `info`."""
    return _SUITE.encrypt(plaintext, X25519PublicKey.from_public_bytes(recipient), info=info)


def unseal(sealed: bytes, key: X25519PrivateKey, info: bytes) -> bytes:
    """Raises SealBroken."""
    try:
        return _SUITE.decrypt(sealed, key, info=info)
    except (InvalidTag, ValueError):
        raise SealBroken from None


def is_usable(recipient: bytes) -> bool:
    """Whether questions can be sealed for this key: a few public keys make every shared secret zero."""
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(recipient))
    except ValueError:
        return False
    return True
