"""How two people make sure that their devices really speak to each other.

Either one scans the other's code (or types it), or both compare a number of 60 digits, which is the same on
both screens exactly if nobody stands between them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from network.errors import PairingCodeInvalid, PairingMismatch
from network.protocol.cards import NodeCard

_PREFIX = "DAI1:"
_CHECKSUM_BYTES = 5
_LETTERS = 60
_ROUNDS = 5_200
"""As in Signal's safety numbers: makes it expensive to search for a key with nearly the same number."""
_TYPED_WRONG = str.maketrans("018", "OIB", " -\n\r\t\u200c\u200f\u200e")


def safety_number(one: bytes, other: bytes) -> str:
    """Twelve groups of five digits for two Ed25519 public keys, the same whichever comes first."""
    digits = "".join(sorted((_digits(one), _digits(other))))
    return " ".join(digits[at : at + 5] for at in range(0, len(digits), 5))


def pairing_code(identity: bytes) -> str:
    """What the QR picture holds: capital letters and digits, so that the picture stays small."""
    return _PREFIX + base64.b32encode(identity + _checksum(identity)).decode("ascii").rstrip("=")


def read_pairing_code(text: str) -> bytes:
    """The Ed25519 public key in a scanned or typed code; blanks, hyphens and small letters do not matter.

    Raises:
        PairingCodeInvalid: it is none, or has a mistake in it.
    """
    head, colon, letters = text.strip().upper().partition(":")
    if head + colon != _PREFIX:
        raise PairingCodeInvalid
    letters = letters.translate(_TYPED_WRONG)
    if len(letters) != _LETTERS or not letters.isascii():
        raise PairingCodeInvalid
    try:
        data = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except (binascii.Error, ValueError):
        raise PairingCodeInvalid from None
    identity, checksum = data[:32], data[32:]
    if _checksum(identity) != checksum or pairing_code(identity) != _PREFIX + letters:
        raise PairingCodeInvalid
    return identity


def confirm(identity: bytes, card: NodeCard) -> None:
    """Raises PairingMismatch unless the card is of the device whose code was scanned."""
    if card.identity != identity:
        raise PairingMismatch(card.name or card.node[:8])


def _digits(identity: bytes) -> str:
    digest = b"dai safety number 1" + identity
    for _ in range(_ROUNDS):
        digest = hashlib.sha512(digest + identity).digest()
    return "".join(f"{int.from_bytes(digest[at : at + 5], 'big') % 100_000:05}" for at in range(0, 30, 5))


def _checksum(identity: bytes) -> bytes:
    return hashlib.sha256(b"dai pairing code" + identity).digest()[:_CHECKSUM_BYTES]
