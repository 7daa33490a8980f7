"""What every reader makes of a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A piece of a document in reading order; paragraphs in it are separated by a blank line."""

    text: str
    page: int | None = None
    """1 for the first page; None for formats without pages."""
    heading: str | None = None
    """The nearest heading above (or at the start of) the text."""
    level: int = 0
    """1 to 6 where the section starts with a heading of that level, 0 where it goes on from the last one."""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document that is being read."""

    title: str
    """The document's own title, or else the file's name without its suffix."""
    pages: int | None
    """Number of pages, for formats that have any."""
    sections: Iterable[Section]
    """To be iterated once. Readers read on meanwhile, so it may raise leaves of `DocumentError`."""
