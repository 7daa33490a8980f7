"""The keys of this device: who it is, and how questions are sealed for it.

The identity (Ed25519) stays; the encryption key (X25519) is replaced every day, and the earlier ones are kept
only as long as a question sealed for them can still arrive. What was asked before cannot be opened by whoever
finds the device later.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Meta

from network.errors import KeysDamaged
from network.fingerprints import key_id, node_id
from network.protocol.cards import Succession

DAY = 86_400
ROTATION_SECONDS = DAY
KEPT_SECONDS = 3 * DAY
"""A day as the newest, a day until the last card that shows it expires, a day for the question to arrive."""

SUCCESSION_CONTEXT = b"dai succession 1\x00"
_MOST_KEYS = 8


@dataclass(frozen=True, slots=True, eq=False)
class EncryptionKey:
    """An X25519 key and when it was made (seconds since 1970)."""

    private: X25519PrivateKey = field(repr=False)
    made: int

    @property
    def public(self) -> bytes:
        """The raw public key, as in a card."""
        return self.private.public_key().public_bytes_raw()

    @property
    def id(self) -> str:
        """The number of the key, as in a grant."""
        return key_id(self.public)


@dataclass(frozen=True, slots=True, eq=False)
class DeviceKeys:
    """All secret keys of a device. Shows none of them in `repr`."""

    identity: Ed25519PrivateKey = field(repr=False)
    encryption: tuple[EncryptionKey, ...] = field(repr=False)
    """The newest first."""
    sequence: int
    """Of the card that was published last; 0 before the first."""
    succession: Succession | None = None
    """The word of the identity before this one, for the cards."""

    @classmethod
    def generate(cls, now: int) -> DeviceKeys:
        """Keys of a device that nobody knows yet."""
        return cls(Ed25519PrivateKey.generate(), (EncryptionKey(X25519PrivateKey.generate(), now),), 0)

    @property
    def public(self) -> bytes:
        """The raw Ed25519 public key: the identity that others see."""
        return self.identity.public_key().public_bytes_raw()

    @property
    def node(self) -> str:
        """The number of the device."""
        return node_id(self.public)

    def encryption_key(self, id: str) -> EncryptionKey | None:
        """The key of this number, if it is still kept."""
        return next((key for key in self.encryption if key.id == id), None)

    def rotation_due(self, now: int) -> bool:
        """Whether the newest encryption key is a day old, or comes from a clock that was wrong."""
        return not 0 <= now - self.encryption[0].made < ROTATION_SECONDS

    def rotated(self, now: int) -> DeviceKeys:
        """With a new encryption key in front, and without those for which nothing can arrive any more."""
        kept = [key for key in self.encryption if 0 <= now - key.made < KEPT_SECONDS][: _MOST_KEYS - 1]
        return replace(self, encryption=(EncryptionKey(X25519PrivateKey.generate(), now), *kept))

    def advanced(self) -> DeviceKeys:
        """Ready for the next card: no two cards of a device have the same sequence number."""
        return replace(self, sequence=self.sequence + 1)

    def succeeded(self, now: int) -> DeviceKeys:
        """A new identity for this device, with the word of the present one for it.

        Others who know the device go on with the new one, but have to compare the safety number again: a
        thief of the old key could have written the same.
        """
        new = DeviceKeys.generate(now)
        signature = self.identity.sign(SUCCESSION_CONTEXT + new.public)
        return replace(new, succession=Succession(identity=self.public, signature=signature))

    def to_secret_bytes(self) -> bytes:
        """Everything, to be kept where secrets are kept and nowhere else."""
        stored = _StoredKeys(
            identity=self.identity.private_bytes_raw(),
            encryption=tuple(
                _StoredKey(private=key.private.private_bytes_raw(), made=key.made) for key in self.encryption
            ),
            sequence=self.sequence,
            succession=self.succession,
        )
        return msgspec.json.encode(stored)

    @classmethod
    def from_secret_bytes(cls, data: bytes) -> DeviceKeys:
        """Raises KeysDamaged, without a word about the contents."""
        try:
            stored = msgspec.json.decode(data, type=_StoredKeys)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise KeysDamaged from None
        return cls(
            Ed25519PrivateKey.from_private_bytes(stored.identity),
            tuple(
                EncryptionKey(X25519PrivateKey.from_private_bytes(key.private), key.made)
                for key in stored.encryption
            ),
            stored.sequence,
            stored.succession,
        )


_Secret = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Whole = Annotated[int, Meta(ge=0)]


class _StoredKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    private: _Secret
    made: _Whole

    def __repr__(self) -> str:
        return "_StoredKey()"


class _StoredKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    identity: _Secret
    encryption: Annotated[tuple[_StoredKey, ...], Meta(min_length=1, max_length=_MOST_KEYS)]
    sequence: _Whole
    succession: Succession | None
    version: Annotated[int, Meta(ge=1, le=1)] = 1

    def __repr__(self) -> str:
        return "_StoredKeys()"
