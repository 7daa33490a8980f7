"""From headings and paragraphs, as they come, to sections of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rag.documents.parsed import Section
from rag.documents.plain_text import SECTION_CHARACTERS


class Block(NamedTuple):
    """A heading or a paragraph."""

    text: str
    level: int = 0
    """1 to 6 for a heading, 0 for a paragraph."""
    page: int | None = None


def sections_of(blocks: Iterable[Block]) -> Iterator[Section]:
    """Sections, each with the heading it stands under; one ends with its page, or when it is long."""
    held: list[str] = []
    heading: str | None = None
    level = characters = 0
    page: int | None = None
    for block in blocks:
        text = block.text.strip()
        if block.level or block.page != page or characters > SECTION_CHARACTERS:
            if held:
                yield Section("\n\n".join(held), page, heading, level)
            held, characters, level, page = [], 0, 0, block.page
        if block.level:
            heading = " ".join(text.split()) or None
            level = min(block.level, 6)
            text = heading or ""
        if text:
            held.append(text)
            characters += len(text)
    if held:
        yield Section("\n\n".join(held), page, heading, level)
