"""Devices that belong together: a person's own ("my devices"), or those of a circle of friends.

A group is 32 secret bytes that its devices share. A router learns a tag and a proof made from them, never
the secret: it can bring members together, but neither join nor put strangers in. The tag is another one at
every router, so that two routers cannot compare who is in which circle; the proof names the member, so that
whoever has seen it cannot use it for another device. The asker checks it: a router need not be believed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass, field

import msgspec

from network.errors import PairingCodeInvalid
from network.protocol.fields import Origin
from network.protocol.groups import Membership

SECRET_BYTES = 32
_TAG_CONTEXT = b"dai group 1\x00"
_MEMBER_CONTEXT = b"dai member 1\x00"
_CODE_CONTEXT = b"dai group code 1\x00"
_PREFIX = "DAIG1:"
_CHECKSUM_BYTES = 5
_LONGEST_CODE = 600
_TYPED_WRONG = str.maketrans("018", "OIB", " -\n\r\t\u200c\u200f\u200e")


@dataclass(frozen=True, slots=True)
class GroupInvitation:
    """What a device needs to join: the secret, and where the others meet (empty: it has to be told)."""

    secret: bytes = field(repr=False)
    router: str = ""


def new_group() -> bytes:
    """The secret of a new group."""
    return os.urandom(SECRET_BYTES)


def group_tag(secret: bytes, router: bytes) -> str:
    """The name of a group at the router with this Ed25519 public key."""
    return _digest(secret, _TAG_CONTEXT + router)[:16].hex()


def membership(secret: bytes, router: bytes, identity: bytes) -> Membership:
    """What the device with this Ed25519 public key shows at this router."""
    return Membership(group=group_tag(secret, router), proof=_digest(secret, _MEMBER_CONTEXT + identity))


def is_member(secret: bytes, shown: Membership, identity: bytes) -> bool:
    """Whether the device with this identity knows the secret of the group, whatever the router says."""
    return hmac.compare_digest(shown.proof, _digest(secret, _MEMBER_CONTEXT + identity))


def group_code(secret: bytes, router: str = "") -> str:
    """What a QR picture for a new device holds. Whoever reads it is a member: show it to those only.

    Raises:
        ValueError: no secret of a group, or no address of a router such as https://router.example.
    """
    if len(secret) != SECRET_BYTES or not _is_address(router):
        raise ValueError("not a group's secret, or not a router's address")
    data = secret + router.encode("ascii")
    return _PREFIX + base64.b32encode(data + _checksum(data)).decode("ascii").rstrip("=")


def read_group_code(text: str) -> GroupInvitation:
    """The invitation in a scanned or typed code; blanks, hyphens and small letters do not matter.

    Raises:
        PairingCodeInvalid: it is none, or has a mistake in it.
    """
    head, colon, letters = text.strip().upper().partition(":")
    if head + colon != _PREFIX or len(text) > _LONGEST_CODE:
        raise PairingCodeInvalid
    letters = letters.translate(_TYPED_WRONG)
    try:
        whole = base64.b32decode(letters + "=" * (-len(letters) % 8))
        data, checksum = whole[:-_CHECKSUM_BYTES], whole[-_CHECKSUM_BYTES:]
        invitation = GroupInvitation(data[:SECRET_BYTES], data[SECRET_BYTES:].decode("ascii"))
        if (
            _checksum(data) == checksum
            and group_code(invitation.secret, invitation.router) == _PREFIX + letters
        ):
            return invitation
    except (binascii.Error, ValueError):
        pass
    raise PairingCodeInvalid


def _digest(secret: bytes, message: bytes) -> bytes:
    return hmac.digest(secret, message, hashlib.sha256)


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(_CODE_CONTEXT + data).digest()[:_CHECKSUM_BYTES]


def _is_address(router: str) -> bool:
    try:
        msgspec.convert(router, Origin)
    except msgspec.ValidationError:
        return router == ""
    return True
