"""Text files of any size and encoding: notes, lists, settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rag.documents.encodings import encoding_of
from rag.documents.parsed import ParsedDocument, Section

SECTION_CHARACTERS = 16_000
"""After about so much, a section ends at the next blank line."""
LONGEST_SECTION = 64_000
"""Where it ends without one, so that a file of a single line does not fill the memory either."""


def text_lines(path: Path, name: str) -> Iterator[str]:
    """Lines with their line ends; longer ones than a section may be come in pieces.

    Raises:
        DocumentDamaged: The content is no text.
    """
    with path.open(encoding=encoding_of(path, name), errors="replace") as file:
        while line := file.readline(LONGEST_SECTION):
            yield line


def read_plain_text(path: Path, name: str) -> ParsedDocument:
    """Read a text file as sections of whole paragraphs.

    Raises:
        DocumentDamaged: The content is no text.
    """
    return ParsedDocument(name, None, _sections(text_lines(path, name)))


def _sections(lines: Iterator[str]) -> Iterator[Section]:
    held: list[str] = []
    characters = 0
    for line in lines:
        blank = not line.strip()
        if (blank and characters >= SECTION_CHARACTERS) or characters + len(line) > LONGEST_SECTION:
            yield Section("".join(held))
            held, characters = [], 0
        held.append(line)
        characters += len(line)
    yield Section("".join(held))
