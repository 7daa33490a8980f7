"""Short names of keys: they are compared, logged and sent instead of the keys."""

from __future__ import annotations

import hashlib


def node_id(identity: bytes) -> str:
    """The number of a device: 128 bits of a digest of its Ed25519 public key, in hex."""
    return hashlib.sha256(b"dai node" + identity).digest()[:16].hex()


def key_id(public: bytes) -> str:
    """The number of an encryption key: 64 bits of a digest of it, in hex. Tells keys of one device apart."""
    return hashlib.sha256(b"dai key" + public).digest()[:8].hex()
