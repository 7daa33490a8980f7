"""The form of a collection file; docs/reference/collection-file.md describes it for others.

A zip archive of three members, all read as streams and never unpacked to a disk. Nothing in it
is a path, and nothing is run: a file from a stranger can at worst hold wrong texts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec

from rag.embedded_parts import MOST_PARTS

SUFFIX = ".daikb"
FORMAT = "dai-collection"
VERSION = 2
HEADER, PASSAGES, VECTORS = "collection.json", "passages.jsonl", "vectors.f32"

LARGEST_HEADER = 32 << 20
LARGEST_LINE = 256 << 10
LARGEST_PASSAGES = 2 << 30
LARGEST_VECTORS = 8 << 30
"""Bytes, unpacked."""
SUSPICIOUS_SIZE, LARGEST_RATIO = 64 << 20, 200
"""Text shrinks to a fifth; what unfolds to far more than that was built to fill up a disk."""
LONGEST_PASSAGE = 20_000
"""Characters; ours have about 800."""

Progress = Callable[[int, int], None]
"""Told how many passages are done, and of how many. Whatever it raises ends the work, and undoes it."""


# What fits into a database, and into a date.
Count = Annotated[int, msgspec.Meta(ge=1, le=10**9)]
Size = Annotated[int, msgspec.Meta(ge=0, le=2**60)]
Moment = Annotated[float, msgspec.Meta(ge=0, le=250_000_000_000)]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class FileDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document as `collection.json` has it."""

    title: Title
    bytes: Size
    added_at: Moment
    """Seconds since 1970, as `fetched_at`."""
    passages: Count
    content_hash: str | None = None
    """SHA-256 of the file it was read from."""
    pages: Count | None = None
    address: str | None = None
    fetched_at: Moment | None = None


class FileHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`collection.json`."""

    format: str
    version: int
    name: str
    documents: list[FileDocument]
    embedder: str | None = None
    """Whose vectors these are; None where there are none."""


class FilePassage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of `passages.jsonl`."""

    text: str
    page: Count | None = None
    heading: str | None = None
    vectors: Annotated[int, msgspec.Meta(ge=1, le=MOST_PARTS)] = 1
    """How many vectors stand for it, where the file has vectors."""
