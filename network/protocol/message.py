"""The base of all messages, and the only place where bytes become messages or the other way round.

Messages are JSON. What is signed is *carried as the bytes that were signed* and has one encoding only, the
canonical one of RFC 8785 (docs/decisions/0014-signed-bytes-in-canonical-json.md): keys sorted, no blanks, no
fraction numbers, every field present.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any, TypeVar

import msgspec

from network.errors import MessageInvalid, MessageTooLarge, ProtocolTooNew
from network.protocol.fields import MAX_FRAME_BYTES, MAX_STATEMENT_BYTES, PROTOCOL_VERSION, Signature, Version

T = TypeVar("T")
S = TypeVar("S", bound="Statement")

_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LONGEST_DETAIL = 200


def _wire_name(class_name: str) -> str:
    return _BORDER.sub("_", class_name).lower()


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A piece inside messages."""


class Message(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
    tag=_wire_name,
):
    """A message; its field `type` is the name of the class in snake case."""


class Statement(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that somebody signs. Its type is part of what is signed."""

    version: Version = PROTOCOL_VERSION


class Signed(Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A statement as the very bytes that were signed; `network.signatures` makes and checks them."""

    statement: Annotated[bytes, msgspec.Meta(min_length=2, max_length=MAX_STATEMENT_BYTES)]
    signature: Signature


class _AnyVersion(msgspec.Struct, frozen=True):
    version: int = 0


def encode(message: msgspec.Struct) -> bytes:
    """A message as JSON."""
    return msgspec.json.encode(message)


def decode(data: bytes, type: type[T], *, limit_bytes: int = MAX_FRAME_BYTES) -> T:
    """Read a message of this type (or union of types) and nothing else.

    Raises:
        MessageTooLarge: before anything is read.
        MessageInvalid: not JSON, unknown or missing fields, values out of range.
        ProtocolTooNew: it says that it is of a later version.
    """
    if len(data) > limit_bytes:
        raise MessageTooLarge(limit_bytes)
    try:
        reader: msgspec.json.Decoder[T] = _decoder(type)  # type: ignore[arg-type]
        return reader.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        if (version := _version_of(data)) > PROTOCOL_VERSION:
            raise ProtocolTooNew(version) from None
        raise MessageInvalid(str(error)[:_LONGEST_DETAIL]) from None


def canonical(message: msgspec.Struct) -> bytes:
    """The one encoding of a message that is signed or hashed.

    It is RFC 8785 for the messages of this protocol, whose keys are ASCII and whose numbers are whole and at
    most 2^53 - 1 (tests/network/protocol/test_canonical.py holds them to it).
    """
    return msgspec.json.encode(message, order="sorted")


def decode_canonical(data: bytes, type: type[S]) -> S:
    """Read a statement, and refuse every other spelling of it.

    Raises:
        MessageError: as `decode`; MessageInvalid also if the bytes are not the canonical ones.
    """
    statement = decode(data, type, limit_bytes=MAX_STATEMENT_BYTES)
    if canonical(statement) != data:
        raise MessageInvalid("not in canonical form")
    return statement


@lru_cache(maxsize=64)
def _decoder(type: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type)


def _version_of(data: bytes) -> int:
    try:
        return msgspec.json.decode(data, type=_AnyVersion).version
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return 0
