"""Statements become signed bytes, and signed bytes become statements again."""

from __future__ import annotations

from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from network.errors import SignatureInvalid
from network.fingerprints import node_id
from network.protocol.cards import NodeCard
from network.protocol.jobs import Grant
from network.protocol.message import Signed, Statement, canonical, decode_canonical

S = TypeVar("S", bound=Statement)
Own = TypeVar("Own", NodeCard, Grant)

_CONTEXT = b"dai statement 1\x00"
"""Before everything that is signed: no signature of another program, and none of ours for another purpose,
is ever one for a statement. The type of the statement is in its bytes."""


def sign(statement: Statement, key: Ed25519PrivateKey) -> Signed:
    """The statement in its canonical bytes, with a signature over them."""
    data = canonical(statement)
    return Signed(statement=data, signature=key.sign(_CONTEXT + data))


def verify(signed: Signed, kind: type[S], identity: bytes) -> S:
    """The statement, if it is one of this kind and the holder of this Ed25519 public key signed it.

    Raises:
        MessageError: it is not; SignatureInvalid if only the signature is wrong.
    """
    check_signature(identity, signed.signature, _CONTEXT + signed.statement)
    return decode_canonical(signed.statement, kind)


def verify_own(signed: Signed, kind: type[Own]) -> Own:
    """The statement, if it is signed by the key that it names itself, and the key belongs to its number.

    This proves that the signer has the key, not who the signer is: `network.cards` decides about that.

    Raises:
        MessageError: as `verify`.
    """
    statement = decode_canonical(signed.statement, kind)
    check_signature(statement.identity, signed.signature, _CONTEXT + signed.statement)
    number = statement.node if isinstance(statement, NodeCard) else statement.asker
    if number != node_id(statement.identity):
        raise SignatureInvalid("the number is not the one of the key")
    return statement


def check_signature(identity: bytes, signature: bytes, data: bytes) -> None:
    """Raises SignatureInvalid unless the holder of this key signed exactly this."""
    try:
        Ed25519PublicKey.from_public_bytes(identity).verify(signature, data)
    except (InvalidSignature, ValueError):
        raise SignatureInvalid("the signature does not match") from None
