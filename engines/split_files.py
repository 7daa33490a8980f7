"""The names of a model's parts: "name-00001-of-00003.gguf" and so on. llama.cpp finds them by these names.

Source: `llama_split_path` in https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})(\.gguf)", re.IGNORECASE | re.DOTALL)

_MOST_PARTS = 512
"""More are in no real model; a name may claim 99,999."""


@dataclass(frozen=True, slots=True)
class PartName:
    """What the name of a part tells."""

    stem: str
    """What all parts share."""
    number: int
    """From 1."""
    count: int


def part_name(path: Path) -> PartName | None:
    """What a file's name says of its place among parts; None for the name of a whole file."""
    found = _PART.fullmatch(path.name)
    if found is None or not 1 <= int(found[2]) <= int(found[3]) <= _MOST_PARTS:
        return None
    return PartName(found[1], int(found[2]), int(found[3]))


def parts_beside(path: Path) -> tuple[Path, ...]:
    """All parts of the model that a file belongs to, there or not; the file alone, if it is whole."""
    named = part_name(path)
    if named is None or named.count == 1:
        return (path,)
    suffix = path.suffix  # as it is written here: ".gguf" or ".GGUF"
    return tuple(
        path if number == named.number else path.with_name(_name(named.stem, number, named.count, suffix))
        for number in range(1, named.count + 1)
    )


def part_names(stem: str, count: int) -> tuple[str, ...]:
    """The names of all files of a model: one, or so many parts."""
    if count == 1:
        return (f"{stem}.gguf",)
    return tuple(_name(stem, number, count, ".gguf") for number in range(1, count + 1))


def content_hash(parts: Sequence[str]) -> str:
    """What tells a model's content apart: the SHA-256 of its file, or of the list of its parts' hashes."""
    if len(parts) == 1:
        return parts[0]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _name(stem: str, number: int, count: int, suffix: str) -> str:
    return f"{stem}-{number:05d}-of-{count:05d}{suffix}"
