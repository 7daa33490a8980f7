"""A small file that only its passphrase opens.

scrypt (RFC 7914) makes the passphrase expensive to guess, ChaCha20-Poly1305 seals.
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from msgspec import Meta

from network.errors import KeysDamaged, KeysLocked, KeyStoreUnavailable
from network.whole_file import replace_file

log = logging.getLogger(__name__)

SCRYPT_COST = 2**15
"""32 MB and about a tenth of a second: what the slowest phones can bear."""
NO_STRETCHING = 2
"""For a passphrase of random bytes, which nobody can guess."""
_LARGEST_SECRET = 64 * 1024
_FIRST_NONCE = bytes(12)
"""Each file has a fresh salt and so a fresh key, which seals exactly once."""


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. Its limits keep a prepared file from using all memory or time."""

    cost: Annotated[int, Meta(ge=2, le=2**20)]
    block: Annotated[int, Meta(ge=1, le=8)]
    lanes: Annotated[int, Meta(ge=1, le=4)]
    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    sealed: Annotated[bytes, Meta(min_length=16, max_length=_LARGEST_SECRET)]
    checksum: Annotated[bytes, Meta(min_length=32, max_length=32)]
    """Tells a damaged file from a wrong passphrase; secures nothing."""
    version: Annotated[int, Meta(ge=1, le=1)] = 1


class SealedFile:
    """One secret in a file. Deriving the key takes memory and time: call in a thread."""

    def __init__(self, path: Path, passphrase: str, *, cost: int = SCRYPT_COST) -> None:
        self._path = path
        self._passphrase = passphrase
        self._cost = cost

    def __repr__(self) -> str:
        return f"SealedFile({self._path.name!r})"

    def read(self) -> bytes | None:
        """The secret; None where there is no file.

        Raises:
            KeysLocked: the passphrase is not the right one.
            KeysDamaged: what is kept is not what was written.
            KeyStoreUnavailable: the file cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                data = file.read(_LARGEST_SECRET * 2)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unavailable(error) from None
        try:
            envelope = msgspec.json.decode(data, type=_Envelope)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise KeysDamaged from None
        if _checksum(envelope) != envelope.checksum:
            raise KeysDamaged
        try:
            return self._cipher(envelope).decrypt(_FIRST_NONCE, envelope.sealed, _bound(envelope))
        except InvalidTag:
            raise KeysLocked from None

    def write(self, secret: bytes) -> None:
        """Keep this instead of what was there, as a whole or not at all. Raises KeyStoreUnavailable."""
        header = _Envelope(
            cost=self._cost, block=8, lanes=1, salt=os.urandom(16), sealed=bytes(16), checksum=bytes(32)
        )
        sealed = self._cipher(header).encrypt(_FIRST_NONCE, secret, _bound(header))
        envelope = msgspec.structs.replace(header, sealed=sealed)
        envelope = msgspec.structs.replace(envelope, checksum=_checksum(envelope))
        try:
            replace_file(self._path, msgspec.json.encode(envelope))
        except OSError as error:
            raise self._unavailable(error) from None

    def erase(self) -> None:
        """Delete the file. Raises KeyStoreUnavailable."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unavailable(error) from None

    def _cipher(self, envelope: _Envelope) -> ChaCha20Poly1305:
        scrypt = Scrypt(envelope.salt, 32, envelope.cost, envelope.block, envelope.lanes)
        try:
            return ChaCha20Poly1305(scrypt.derive(self._passphrase.encode()))
        except (ValueError, MemoryError):  # a cost that is no power of two, or more than there is
            raise KeysDamaged from None

    def _unavailable(self, error: OSError) -> KeyStoreUnavailable:
        log.warning("a sealed file cannot be used: %s", type(error).__name__)
        return KeyStoreUnavailable(type(error).__name__)


def _bound(envelope: _Envelope) -> bytes:
    """What the seal binds: whoever weakens the parameters breaks it."""
    return b"dai key file %d %d %d %d" % (envelope.version, envelope.cost, envelope.block, envelope.lanes)


def _checksum(envelope: _Envelope) -> bytes:
    return hashlib.sha256(_bound(envelope) + envelope.salt + envelope.sealed).digest()
