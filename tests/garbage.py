"""Bytes that are no JSON, or not what is expected: for whatever reads files and answers of others."""

from __future__ import annotations

import random
from collections.abc import Iterator

NOT_JSON = (
    b"",
    b"\0" * 100,
    b"{",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"\xff\xfe\x00",
    b"\xef\xbb\xbf{}",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"a": ' + b"9" * 10_000 + b"}",
    b'{"a": 1e999}',
    b'{"a": NaN}',
    b'{"\xd8\xb3\xd8": 1}',
    "سلام".encode("utf-16"),
)
INSTEAD = (
    b"null",
    b"7",
    b"-1",
    b"1e400",
    b"[]",
    b"{}",
    b'"\xff"',
    b"true",
    b"9" * 400,
    b"[" * 5_000,
    b'"\\ud800"',
)


def garbage(sound: bytes, seed: int, count: int) -> Iterator[bytes]:
    """The list above, the sound document cut at every place, and `count` random changes of it."""
    yield from NOT_JSON
    yield from (sound[:end] for end in range(0, len(sound), max(1, len(sound) // 60)))
    dice = random.Random(seed)
    for _ in range(count):
        content = bytearray(sound)
        match dice.randrange(4):
            case 0:
                content[dice.randrange(len(content))] = dice.randrange(256)
            case 1:
                begin = dice.randrange(len(content))
                del content[begin : begin + dice.randrange(1, 20)]
            case 2:
                _replace_value(dice, content)
            case _:
                begin = dice.randrange(len(content))
                content[begin:begin] = content[begin : begin + dice.randrange(1, 40)]
        yield bytes(content)


def _replace_value(dice: random.Random, content: bytearray) -> None:
    colons = [place for place, byte in enumerate(content) if byte in b":["]
    if not colons:
        return
    begin = dice.choice(colons) + 1
    end = begin
    while end < len(content) and content[end] not in b",}]":
        end += 1
    content[begin:end] = dice.choice(INSTEAD)
