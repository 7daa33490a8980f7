"""Makes GGUF headers that lie: built piece by piece, so that each piece can be another than it should be."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

U32, U64, F32, BOOL, TEXT, ARRAY = 4, 10, 6, 7, 8, 9
EXTREMES = (0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63, 2**64 - 1)
_SIZES = (
    b"context_length",
    b"embedding_length",
    b"block_count",
    b"attention.head_count",
    b"attention.head_count_kv",
    b"attention.key_length",
    b"attention.sliding_window",
)
_FORMATS = {U32: "<I", U64: "<Q", F32: "<f", BOOL: "<?"}


def text(value: bytes, length: int | None = None) -> bytes:
    """A text, with another length in front if one is given."""
    return struct.pack("<Q", len(value) if length is None else length) + value


def entry(key: bytes, kind: int, value: bytes) -> bytes:
    """One piece of metadata."""
    return text(key) + struct.pack("<I", kind) + value


def number(key: bytes, value: float, kind: int = U32) -> bytes:
    """A number of the metadata."""
    return entry(key, kind, struct.pack(_FORMATS[kind], value))


def word(key: bytes, value: bytes) -> bytes:
    """A text of the metadata."""
    return entry(key, TEXT, text(value))


def array(key: bytes, kind: int, content: bytes, count: int) -> bytes:
    """An array of the metadata."""
    return entry(key, ARRAY, struct.pack("<IQ", kind, count) + content)


def tensor(name: bytes, extents: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    """The record of a tensor."""
    return text(name) + struct.pack(f"<I{len(extents)}QIQ", len(extents), *extents, kind, offset)


@dataclass
class Forgery:
    """A header in pieces, and the bytes behind it. As it is made, it is a sound model of 4 tensors."""

    metadata: list[bytes] = field(
        default_factory=lambda: [
            word(b"general.architecture", b"llama"),
            word(b"general.name", b"Forged"),
            number(b"llama.context_length", 2048),
            number(b"llama.embedding_length", 64),
            number(b"llama.block_count", 2),
            number(b"llama.attention.head_count", 4),
            number(b"llama.attention.head_count_kv", 2),
            word(b"tokenizer.ggml.model", b"gpt2"),
            array(b"tokenizer.ggml.tokens", TEXT, text(b"a") + text(b"b"), 2),
            array(b"tokenizer.ggml.token_type", U32, struct.pack("<2I", 1, 1), 2),
            word(b"tokenizer.chat_template", b"{{ messages }}"),
        ]
    )
    tensors: list[bytes] = field(
        default_factory=lambda: [tensor(b"t%d" % place, (64, 2), 0, 512 * place) for place in range(4)]
    )
    version: int = 3
    counts: tuple[int, int] | None = None
    """Tensors and metadata, if others than there are."""
    data: bytes = bytes(4 * 512)
    alignment: int = 32

    def pieces(self) -> list[bytes]:
        """All of it; the ends of the pieces are the file's structural boundaries."""
        tensors, metadata = self.counts or (len(self.tensors), len(self.metadata))
        head = [
            b"GGUF",
            struct.pack("<I", self.version),
            struct.pack("<Q", tensors),
            struct.pack("<Q", metadata),
        ]
        pieces = [*head, *self.metadata, *self.tensors]
        size = sum(map(len, pieces))
        return [*pieces, bytes(-size % self.alignment), self.data]

    def content(self) -> bytes:
        return b"".join(self.pieces())


def forgeries(seed: int, count: int) -> Iterator[bytes]:
    """All lies of the list, each cut at every boundary of a sound file, and `count` random ones."""
    yield from _cut_at_boundaries()
    yield from _lies()
    dice = random.Random(seed)
    for _ in range(count):
        yield _random(dice)


def _cut_at_boundaries() -> Iterator[bytes]:
    content, place = Forgery().content(), 0
    for piece in Forgery().pieces():
        for end in (place, place + 1, place + len(piece) // 2, place + len(piece) - 1):
            yield content[:end]
        place += len(piece)


def _lies() -> Iterator[bytes]:
    for value in EXTREMES:
        yield Forgery(counts=(value, 11)).content()
        yield Forgery(counts=(4, value)).content()
        yield with_metadata(array(b"tokenizer.ggml.tokens", TEXT, b"", value))
        yield with_metadata(array(b"llama.attention.head_count_kv", U32, b"", value))
        yield with_metadata(array(b"llama.attention.head_count_kv", U64, struct.pack("<2Q", value, value), 2))
        yield with_metadata(array(b"nested", ARRAY, struct.pack("<IQ", ARRAY, value) * 100, 100))
        yield with_metadata(entry(b"general.name", TEXT, text(b"x", value)))
        yield with_metadata(number(b"general.alignment", value & 0xFFFFFFFF))
        for key in _SIZES:
            yield with_metadata(number(b"llama." + key, value, U64))
        yield with_metadata(number(b"split.count", value, U64))
        yield with_metadata(number(b"general.file_type", value, U64))
        yield with_tensor(tensor(b"big", (value, value, value, value)))
        yield with_tensor(tensor(b"far", (64, 2), 0, value))
        yield with_tensor(tensor(b"odd", (64, 2), value & 0xFFFFFFFF))
        yield with_tensor(text(b"long", value))
    for kind in range(20):
        yield with_metadata(entry(b"general.architecture", kind, bytes(16)))
        yield with_metadata(entry(b"tokenizer.chat_template", kind, bytes(16)))
        yield with_metadata(array(b"tokenizer.ggml.tokens", kind, bytes(64), 2))
    yield with_metadata(word(b"general.architecture", b"llama"))  # twice
    yield with_metadata(word(b"", b"no key"))
    yield with_metadata(word(b"general.name", b"\xff\xfe\x00\xed\xa0\x80\x1b[31m"))
    yield with_metadata(word(b"general.architecture", b"\x80\x00/../../etc"))
    yield with_metadata(word(b"tokenizer.chat_template", b"{% for %}" * 50_000))
    yield with_metadata(number(b"llama.context_length", float("nan"), F32))
    yield with_metadata(number(b"llama.context_length", True, BOOL))  # noqa: FBT003 - its value
    yield with_tensor(tensor(b"t0", (64, 2)))  # twice, and over another
    yield with_tensor(tensor(b"\xff" * 70_000, (64, 2)))
    for rank in (0, 5, 2**31):
        yield with_tensor(text(b"rank") + struct.pack("<I", rank) + bytes(64))
    for version in (0, 1, 2, 4, 2**31, 3 << 24):
        yield Forgery(version=version).content()
    yield from (
        b"",
        b"G",
        b"GGUF",
        b"GGUF\3\0\0\0",
        b"GGUF" + bytes(100),
        b"\0" * 200,
        b"GGUF" + b"\xff" * 196,
    )


def _random(dice: random.Random) -> bytes:
    forged = Forgery()
    pieces = dice.choice((forged.metadata, forged.tensors))
    for _ in range(dice.randrange(3)):
        match dice.randrange(4):
            case 0:
                pieces.insert(dice.randrange(len(pieces) + 1), dice.choice(pieces))
            case 1:
                pieces.pop(dice.randrange(len(pieces)))
            case 2:
                dice.shuffle(pieces)
            case _:
                pieces.append(dice.randbytes(dice.randrange(64)))
        if not pieces:
            break
    content = bytearray(forged.content())
    for _ in range(dice.choice((0, 1, 1, 2, 8))):
        place = dice.randrange(len(content))
        if dice.random() < 0.5:
            content[place] ^= 1 << dice.randrange(8)
        else:
            extreme = struct.pack("<Q", dice.choice(EXTREMES))
            content[place : place + 8] = extreme[: dice.choice((4, 8))]
    return bytes(content[: dice.randrange(len(content))] if dice.random() < 0.2 else content)


def with_metadata(piece: bytes) -> bytes:
    """A sound file but for one more piece of metadata, which takes the place of any of its kind."""
    forged = Forgery()
    key = piece[8 : 8 + struct.unpack_from("<Q", piece)[0]]
    same = [old for old in forged.metadata if key and old[8 : 8 + struct.unpack_from("<Q", old)[0]] == key]
    if same and key != b"general.architecture":
        forged.metadata[forged.metadata.index(same[0])] = piece
    else:
        forged.metadata.append(piece)
    return forged.content()


def with_tensor(piece: bytes) -> bytes:
    """A sound file but for one more tensor."""
    forged = Forgery()
    forged.tensors.append(piece)
    return forged.content()
