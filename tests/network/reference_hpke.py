"""RFC 9180, base mode, written down from the RFC: independent of the library that the product uses.

The library chooses its ephemeral keys itself, as it should; with this one, sealed test vectors can be made
from fixed keys, and the library can be held to the vectors of the RFC.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

KEM = b"KEM" + b"\x00\x20"  # DHKEM(X25519, HKDF-SHA256)
SUITE = b"HPKE" + b"\x00\x20" + b"\x00\x01" + b"\x00\x03"


def extract(suite: bytes, salt: bytes, label: bytes, key: bytes) -> bytes:
    """LabeledExtract of section 4."""
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + key, hashlib.sha256)


def expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """LabeledExpand of section 4."""
    labeled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.digest(key, block + labeled + bytes([counter]), hashlib.sha256)
        output, counter = output + block, counter + 1
    return output[:length]


def schedule(shared: bytes, sender: bytes, recipient: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Key and base nonce: ExtractAndExpand of section 4.1 and KeySchedule of 5.1, mode_base."""
    prk = extract(KEM, b"", b"eae_prk", shared)
    secret = expand(KEM, prk, b"shared_secret", sender + recipient, 32)
    context = b"\x00" + extract(SUITE, b"", b"psk_id_hash", b"") + extract(SUITE, b"", b"info_hash", info)
    exporter = extract(SUITE, secret, b"secret", b"")
    return expand(SUITE, exporter, b"key", context, 32), expand(SUITE, exporter, b"base_nonce", context, 12)


def seal(
    plaintext: bytes, recipient: bytes, info: bytes, ephemeral: X25519PrivateKey, aad: bytes = b""
) -> bytes:
    """One message from a given ephemeral key: the key share and the ciphertext."""
    share = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    key, nonce = schedule(shared, share, recipient, info)
    return share + ChaCha20Poly1305(key).encrypt(nonce, plaintext, aad)


def unseal(
    sealed: bytes, private: X25519PrivateKey, info: bytes, aad: bytes = b"", sequence: int = 0
) -> bytes:
    """The message of this sequence number."""
    share, ciphertext = sealed[:32], sealed[32:]
    recipient = private.public_key().public_bytes_raw()
    shared = private.exchange(X25519PublicKey.from_public_bytes(share))
    key, nonce = schedule(shared, share, recipient, info)
    nonce = (int.from_bytes(nonce, "big") ^ sequence).to_bytes(12, "big")
    return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, aad)
