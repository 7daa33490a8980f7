"""The values that messages are made of, each with its limits.

Patterns end in `(?![\\s\\S])`, "nothing follows", instead of `$`: in Python `$` also matches before a last
line break, in JavaScript it does not, and both must accept exactly the same messages.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

PROTOCOL_VERSION = 1
"""Raised when an old program could misunderstand a new one; the HTTP routes carry it, too."""

SUITE = "hpke-0020-0001-0003"
"""RFC 9180 numbers of KEM, KDF and AEAD: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305."""

MAX_STATEMENT_BYTES = 8 * 1024
MAX_BODY_BYTES = 512 * 1024
"""Of a sealed question. In base64 inside a message it stays below the 1 MB that a NATS server takes."""
MAX_CHUNK_BYTES = 16 * 1024
MAX_FRAME_BYTES = 1_000_000
MAX_RECIPIENTS = 16
"""Workers and spares of one question together."""
MAX_SAFE_INTEGER = 2**53 - 1
"""Beyond it JavaScript and RFC 8785 lose digits."""

_END = r"(?![\s\S])"

Version = Annotated[int, Meta(ge=1, le=PROTOCOL_VERSION, description="Version of the protocol.")]
NodeId = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{32}" + _END,
        description="The first 16 bytes of SHA-256 over 'dai node' and the Ed25519 public key, in hex.",
    ),
]
JobId = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{32}" + _END, description="16 random bytes in hex, used once.")
]
KeyId = Annotated[
    str,
    Meta(pattern=r"^[0-9a-f]{16}" + _END, description="The first 8 bytes of SHA-256 over a public key."),
]
GroupTag = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{32}" + _END,
        description="The first 16 bytes of HMAC-SHA256 with a group's secret over 'dai group 1', a zero byte "
        "and the router's Ed25519 public key, in hex.",
    ),
]
SuiteId = Annotated[
    str,
    Meta(pattern=r"^[a-z0-9-]{1,64}" + _END, description="How questions are sealed: numbers of RFC 9180."),
]
PublicKey = Annotated[bytes, Meta(min_length=32, max_length=32, description="A raw public key.")]
Signature = Annotated[bytes, Meta(min_length=64, max_length=64, description="An Ed25519 signature.")]
Digest = Annotated[bytes, Meta(min_length=32, max_length=32, description="A SHA-256 value.")]
Nonce = Annotated[bytes, Meta(min_length=32, max_length=32, description="32 random bytes.")]
SealedKey = Annotated[
    bytes,
    Meta(min_length=112, max_length=112, description="32 bytes HPKE key share, 64 sealed, 16 tag."),
]
SealedBody = Annotated[
    bytes, Meta(min_length=16, max_length=MAX_BODY_BYTES, description="The padded question, sealed.")
]
SealedChunk = Annotated[
    bytes, Meta(min_length=16, max_length=MAX_CHUNK_BYTES, description="Part of an answer, padded, sealed.")
]
Time = Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER, description="Seconds since 1970-01-01 UTC.")]
Sequence = Annotated[int, Meta(ge=1, le=MAX_SAFE_INTEGER, description="Rises with every new card.")]
Attempt = Annotated[int, Meta(ge=1, le=1000, description="How often the question was handed to this worker.")]
ChunkIndex = Annotated[int, Meta(ge=0, le=1_000_000, description="Place of a part in its answer, from 0.")]
Slots = Annotated[int, Meta(ge=0, le=1024, description="Questions a worker takes at the same time.")]
Seconds = Annotated[int, Meta(ge=0, le=86_400)]
Count = Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER)]
ModelTag = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9._:/+-]{0,63}" + _END,
        description="Name of a model in lower case, such as qwen3-1.7b.",
    ),
]
TopicTag = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9-]{0,31}" + _END,
        description="A coarse field of knowledge that a worker's shared documents cover.",
    ),
]
LanguageTag = Annotated[
    str, Meta(pattern=r"^[a-z]{2,3}" + _END, description="ISO 639 code of a language, such as en or fa.")
]
DeviceName = Annotated[
    str,
    Meta(
        # Nothing that could turn round or hide the text beside it on a screen.
        pattern=r"^[^\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]{0,64}"
        + _END,
        description="What its owner calls a device; empty for volunteers, who are known by number only.",
    ),
]
Origin = Annotated[
    str,
    Meta(
        pattern=r"^https?://[a-z0-9.:\[\]-]{1,255}" + _END,
        description="Scheme, host and port of a router, as the worker has it.",
    ),
]
ShortText = Annotated[str, Meta(max_length=200)]
FinishReason = Literal["complete", "length", "stopped"]
