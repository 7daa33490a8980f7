"""What the engine and its runtime say to each other, and how it travels through a pipe.

A frame is four bytes of length (little-endian) and that many bytes of MessagePack.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from engines.protocol import Finish, LoadOptions, Message, Prompt, Usage

_LENGTH = struct.Struct("<I")
_MOST_BYTES = 1 << 30
"""Of a frame. What claims to be longer is none."""
_BYTES_AT_ONCE = 1 << 20


class _Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    pass


class Open(_Frame, frozen=True):
    """Load the model. Answered by `Opened` or `Failed`."""

    path: bytes
    """In the file system's own encoding, which need not be UTF-8."""

    options: LoadOptions


class Answer(_Frame, frozen=True):
    """Answer a prompt: `Text` and `Thought`, then `Answered` or `Failed`."""

    id: int
    prompt: Prompt


class Cancel(_Frame, frozen=True):
    """End an answer, whether it runs already or not yet."""

    id: int


class Pause(_Frame, frozen=True):
    """Interrupt an answer so that it can go on later. Answered by `Paused`, or by its end."""

    id: int


class Resume(_Frame, frozen=True):
    """Go on with an answer that was paused."""

    id: int


class CountMessages(_Frame, frozen=True):
    """Count the tokens of a conversation with its template. Answered by `Counted` or `Failed`."""

    id: int
    messages: tuple[Message, ...]


class CountTexts(_Frame, frozen=True):
    """Count the tokens of each text. Answered by `Counted`."""

    id: int
    texts: tuple[str, ...]


class Opened(_Frame, frozen=True):
    """The model is in memory."""

    name: str
    architecture: str
    family: str
    context_tokens: int
    trained_context_tokens: int
    can_think: bool
    has_chat_template: bool


class Text(_Frame, frozen=True):
    """More of an answer."""

    id: int
    text: str


class Thought(_Frame, frozen=True):
    """More of the thought before an answer."""

    id: int
    text: str


class Answered(_Frame, frozen=True):
    """An answer has ended."""

    id: int
    finish: Finish
    usage: Usage
    whole: bool = True


class Paused(_Frame, frozen=True):
    """An answer stands still until `Resume`."""

    id: int


class Counted(_Frame, frozen=True):
    """The numbers that were asked for."""

    id: int
    counts: tuple[int, ...]


class Failed(_Frame, frozen=True):
    """A request failed; `error` is the name of a leaf in `engines.errors`."""

    id: int
    error: str
    details: str
    values: dict[str, int | str] = {}
    path: bytes = b""
    """The file that is to blame, where it is not the model's."""


class Progress(_Frame, frozen=True):
    """Work goes on, though there is nothing to show."""


class Alive(_Frame, frozen=True):
    """The runtime has not frozen; says nothing about its work."""


class Ended(_Frame, frozen=True):
    """The runtime is gone. Not sent by it: the channel says so."""

    details: str = ""
    signal: int | None = None


Request = Open | Answer | Cancel | Pause | Resume | CountMessages | CountTexts
Told = Opened | Text | Thought | Answered | Paused | Counted | Failed | Progress | Alive
Event = Told | Ended

OPENING = 0
"""The id under which opening fails."""


def _path_to_bytes(value: Any) -> bytes:
    if isinstance(value, Path):
        return os.fsencode(value)
    raise NotImplementedError(type(value).__name__)


def _path_from_bytes(kind: type, value: Any) -> Path:
    if kind is Path and isinstance(value, bytes):
        return Path(os.fsdecode(value))
    raise NotImplementedError(kind.__name__)


encode = msgspec.msgpack.Encoder(enc_hook=_path_to_bytes).encode
_decode_request = msgspec.msgpack.Decoder(Request, dec_hook=_path_from_bytes).decode
_decode_event = msgspec.msgpack.Decoder(Told).decode


def write_frame(pipe: BinaryIO, message: Request | Event) -> None:
    """Write one message and let it go."""
    content = encode(message)
    pipe.write(_LENGTH.pack(len(content)) + content)
    pipe.flush()


def read_requests(pipe: BinaryIO) -> Iterator[Request]:
    """The requests on a pipe until it is closed; raises `msgspec.DecodeError` on anything else."""
    return map(_decode_request, _frames(pipe))


def read_events(pipe: BinaryIO) -> Iterator[Event]:
    """The events on a pipe until it is closed; raises `msgspec.DecodeError` on anything else."""
    return map(_decode_event, _frames(pipe))


def _frames(pipe: BinaryIO) -> Iterator[bytes]:
    while len(head := pipe.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        if length > _MOST_BYTES:
            raise msgspec.DecodeError(f"a frame of {length} bytes")
        content = _read(pipe, length)
        if len(content) < length:
            return
        yield content


def _read(pipe: BinaryIO, length: int) -> bytes:
    """So many bytes, or what there is; a length that is a lie takes no memory."""
    if length <= _BYTES_AT_ONCE:
        return pipe.read(length)
    content = bytearray()
    while len(content) < length and (piece := pipe.read(min(_BYTES_AT_ONCE, length - len(content)))):
        content += piece
    return bytes(content)
