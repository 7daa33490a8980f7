"""Markdown: text under headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rag.documents.parsed import ParsedDocument, Section
from rag.documents.plain_text import read_whole_text

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"\s{0,3}(```|~~~)")


def read_markdown(path: Path, title: str) -> ParsedDocument:
    """Read a Markdown file; front matter is left out, `#` inside code is no heading.

    Raises:
        DocumentDamaged: it is no text.
    """
    text = read_whole_text(path, title)
    return ParsedDocument(title, None, _sections(_without_front_matter(text)))


def _without_front_matter(text: str) -> str:
    if text.startswith("---\n"):
        end = text.find("\n---", 4)
        if end != -1:
            return text[text.find("\n", end + 1) + 1 :]
    return text


def _sections(text: str) -> Iterator[Section]:
    heading: str | None = None
    level = 0
    held: list[str] = []
    fence = ""
    for line in text.splitlines():
        if match := _FENCE.match(line):
            mark = match.group(1)
            fence = "" if fence == mark else fence or mark
        found = None if fence else _HEADING.match(line)
        if found:
            if any(part.strip() for part in held):
                yield Section("\n".join(held), heading=heading, level=level)
            heading, level = found.group(2) or None, len(found.group(1))
            held = [found.group(2)]
        else:
            held.append(line)
    if any(part.strip() for part in held):
        yield Section("\n".join(held), heading=heading, level=level)
