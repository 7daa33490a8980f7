"""Markdown: text under headings, read line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from rag.documents.parsed import ParsedDocument, Section
from rag.documents.plain_text import SECTION_CHARACTERS, text_lines

_HEADING = re.compile(r" {0,3}(#{1,6})(?:\s+(.*?))??(?:\s+#+)?\s*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)\s*$")
_NO_PARAGRAPH = re.compile(r"\s*$|\s*[-*+>|]|\s*\d+[.)]\s| {4}|\t")
"""Lines that `---` does not turn into a heading."""
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_LONGEST_FRONT_MATTER = 200


def read_markdown(path: Path, title: str) -> ParsedDocument:
    """Read a Markdown file; front matter is left out, `#` inside code is no heading.

    Raises:
        DocumentDamaged: It is no text.
    """
    return ParsedDocument(title, None, _sections(_without_front_matter(text_lines(path, title))))


def _without_front_matter(lines: Iterator[str]) -> Iterator[str]:
    first = next(lines, "")
    if first.rstrip() != "---":
        return chain((first,), lines)
    held = [first]
    for line in lines:
        held.append(line)
        if line.rstrip() in ("---", "..."):
            return lines
        if len(held) > _LONGEST_FRONT_MATTER:
            break
    return chain(held, lines)  # it was a rule


def _sections(lines: Iterator[str]) -> Iterator[Section]:
    heading: str | None = None
    level = characters = 0
    held: list[str] = []
    fence = ""
    for line in lines:
        fence_before, fence = fence, _fence_after(line, fence)
        found = None
        if not fence and not fence_before:
            if match := _HEADING.match(line):
                found = (len(match[1]), match[2] or "")
            elif (match := _UNDERLINE.match(line)) and held and not _NO_PARAGRAPH.match(held[-1]):
                found = (1 if match[1][0] == "=" else 2, held.pop().strip())
        if found or (characters > SECTION_CHARACTERS and not fence and not line.strip()):
            if any(part.strip() for part in held):
                yield Section("".join(held), heading=heading, level=level)
            held, characters, level = [], 0, 0
        if found:
            level, heading = found[0], _plain(found[1]) or None
        held.append(f"{heading or ''}\n\n" if found else line)
        characters += len(line)
        if characters > 4 * SECTION_CHARACTERS:  # a fence that nobody closed
            fence = ""
    if any(part.strip() for part in held):
        yield Section("".join(held), heading=heading, level=level)


def _plain(heading: str) -> str:
    """A heading as it is shown: links and emphasis without their marks."""
    return re.sub(r"[*`]+", "", re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)).strip()


def _fence_after(line: str, fence: str) -> str:
    """The fence that is open after this line: closed by one as long or longer, without words behind it."""
    match = _FENCE.match(line)
    if not match:
        return fence
    if not fence:
        return "" if match[1][0] == "`" and "`" in match[2] else match[1]
    return "" if match[1].startswith(fence) and not match[2].strip() else fence
