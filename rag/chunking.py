"""Cutting documents into passages that are found well and read well.

Recursive: at paragraphs, else lines, else sentences, else words, else anywhere. About 800
characters with 160 of overlap gave the best retrieval in our measurements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rag.documents.parsed import Section

MAX_CHARACTERS = 800
OVERLAP = 160

_BORDERS = (
    re.compile(r"\n[ \t]*\n"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?؟؛…])[\"'»”)\]]*\s+"),
    re.compile(r"\s+"),
)
"""Where a text may be cut, the best places first. «۳.۵» has no space after its point: it stays whole."""
_SENTENCE = _BORDERS[2]
_TINY_SHARE = 4
"""A piece below a quarter of the maximum is too small to stand alone."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage to be."""

    position: int
    """0 for the first chunk of the document, counted up."""
    text: str
    page: int | None
    """Page on which it starts."""
    heading: str | None
    """Heading under which it starts."""


@dataclass(slots=True)
class _Piece:
    text: str
    page: int | None
    heading: str | None


def split(
    sections: Iterable[Section], max_characters: int = MAX_CHARACTERS, overlap: int = OVERLAP
) -> Iterator[Chunk]:
    """Cut sections into chunks of at most `max_characters`, in order, none empty.

    Sections are read one by one, so a document need not fit into memory. A chunk goes on over
    the border of a section only while it is tiny. The same sections give the same chunks.
    """
    position = 0
    for piece in _merged(sections, max_characters):
        for text in _overlapping(piece.text, max_characters, overlap):
            yield Chunk(position, text, piece.page, piece.heading)
            position += 1


def _merged(sections: Iterable[Section], max_characters: int) -> Iterator[_Piece]:
    """Sections, with tiny ones joined to the next."""
    held: _Piece | None = None
    for section in sections:
        text = section.text.strip()
        if not text:
            continue
        if held is None:
            held = _Piece(text, section.page, section.heading)
        elif (
            section.page == held.page  # a citation must name the right page
            and len(held.text) < max_characters // _TINY_SHARE
            and len(held.text) + len(text) + 2 <= max_characters
        ):
            held.text += "\n\n" + text
        else:
            yield held
            held = _Piece(text, section.page, section.heading)
    if held is not None:
        yield held


def _overlapping(text: str, max_characters: int, overlap: int) -> Iterator[str]:
    """Chunks of a text; each repeats the last sentences of the one before."""
    if len(text) <= max_characters:
        yield text
        return
    chunk = ""
    for atom in _atoms(text, max(max_characters - overlap, max_characters // 2, 1)):
        if chunk and len(chunk) + len(atom) > max_characters:
            if chunk.strip():
                yield chunk.strip()
            chunk = _tail(chunk, min(overlap, max_characters - len(atom)))
        chunk += atom
    if chunk.strip():
        yield chunk.strip()


def _atoms(text: str, longest: int, level: int = 0) -> Iterator[str]:
    """The text in pieces of at most `longest`, cut at the best borders; together they are the text."""
    if len(text) <= longest:
        yield text
        return
    if level == len(_BORDERS):
        for start in range(0, len(text), longest):
            yield text[start : start + longest]
        return
    start = 0
    for border in _BORDERS[level].finditer(text):
        if border.end() > start:
            yield from _atoms(text[start : border.end()], longest, level + 1)
            start = border.end()
    if start < len(text):
        yield from _atoms(text[start:], longest, level + 1)


def _tail(chunk: str, characters: int) -> str:
    """The end of a chunk, beginning at a sentence, else at a word; at most `characters` long."""
    if characters <= 0:
        return ""
    tail = chunk[-characters:]
    if len(tail) == len(chunk):
        return tail
    for border in (_SENTENCE, _BORDERS[3]):
        if match := border.search(tail):
            return tail[match.end() :]
    return ""
