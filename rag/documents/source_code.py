"""Source code: every class and function under its name, with the comments above it.

Nothing is parsed: a definition is known by the words its line begins with, which is right for most lines of
most languages, and where it is wrong a passage ends a little early.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rag.documents.parsed import ParsedDocument, Section
from rag.documents.plain_text import LONGEST_SECTION, SECTION_CHARACTERS, text_lines

_MODIFIERS = (
    "abstract|async|const|data|declare|default|export|extern|final|inline|internal|local|open|override|"
    r"partial|private|protected|pub(?:\([^)]*\))?|public|sealed|static|suspend|unsafe|virtual"
)
_KINDS = (
    r"class|def|defmodule|defp?|enum|extension|fn|fun|func|function\*?|impl(?:<[^>]*>)?|interface|message|"
    r"mixin|module|namespace|object|procedure|protocol|record|service|struct|sub|trait|type|union"
)
_DEFINITIONS = tuple(
    re.compile(pattern)
    for pattern in (
        # `pub async fn name(`, `class Name:`, `func (receiver *Type) Name(`, `impl Trait for Type {`
        rf"(?:(?:{_MODIFIERS})\s+)*(?:{_KINDS})\s+(?:\([^)]*\)\s*)?"
        r"(?P<name>[\w$.:~]+(?:\s+for\s+[\w$.:]+)?)(?=.*[({:;=]|\s+do$|\s*$)",
        # `public static List<String> name(`, as methods of Java and C# begin
        rf"(?:(?:{_MODIFIERS})\s+)+[\w<>\[\],.?\s]*?(?P<name>\w+)\s*\([^;=]*$",
        # `export const name = async (`
        r"(?:export\s+)?(?:const|let|var)\s+(?P<name>[\w$]+)\s*=\s*(?:async\s*)?(?:function\b|\([^()]*\)\s*=>|\w+\s*=>)",
        # `name() {` of a shell, `name <- function(` of R
        r"(?P<name>[\w.-]+)\s*(?:\(\)\s*\{|<-\s*function\b)",
        r"(?i:create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?(?:function|procedure|table|trigger|view)\s+"
        r"(?:if\s+not\s+exists\s+)?(?P<name>[\w.\"`\[\]]+))",
    )
)
# `static int name(int a)` at the margin: a function of C, if it is no call and no declaration.
_C_FUNCTION = re.compile(r"(?!(?:return|else|if|for|while|switch|case|new|throw|goto|using)\b)"
                         r"(?:[\w:<>,*&\[\]]+\s+)+[*&]*(?P<name>[\w:~]+)\s*\([^;=]*$")  # fmt: skip
_C_SUFFIXES = frozenset(
    {".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx", ".m", ".mm", ".java", ".cs"}
)
_ABOVE = re.compile(r"\s*(?:#|//|/\*|\*|--|@|\[|template\s*<|\"\"\"|%)")
"""Comments, decorators and attributes, which belong to what follows."""
_LONGEST_LINE = 300
"""A longer line is data, or code that was made small for a browser."""
_MOST_HELD = 40


def read_source_code(path: Path, name: str) -> ParsedDocument:
    """Read a file of source code, one section for each definition.

    Raises:
        DocumentDamaged: The content is no text.
    """
    return ParsedDocument(name, None, _sections(text_lines(path, name), Path(name).suffix.lower()))


def _sections(lines: Iterator[str], suffix: str) -> Iterator[Section]:
    held: list[str] = []
    above: list[str] = []
    around: list[tuple[int, str]] = []
    level = characters = 0
    for line in lines:
        indentation = len(line) - len(line.lstrip())
        symbol = _symbol(line.strip(), indentation, suffix) if len(line) <= _LONGEST_LINE else None
        full = characters > SECTION_CHARACTERS and not line.strip()
        if symbol or full or characters + len(line) > LONGEST_SECTION:
            if not symbol:
                held, above = held + above, []
            if any(part.strip() for part in held):
                yield Section("".join(held), heading=_path(around), level=level)
            held, characters, level = [], 0, 0
        if symbol:
            around = [outer for outer in around if outer[0] < indentation]
            around.append((indentation, symbol))
            level = min(len(around), 6)
        characters += len(line)
        if not symbol and _ABOVE.match(line) and len(above) < _MOST_HELD:
            above.append(line)
            continue
        held += [*above, line]
        above = []
    held += above
    yield Section("".join(held), heading=_path(around), level=level)


def _symbol(text: str, indentation: int, suffix: str) -> str | None:
    """The name of what is defined in this line, if anything is."""
    for definition in _DEFINITIONS:
        if match := definition.match(text):
            return match["name"].rstrip(":")
    if indentation == 0 and suffix in _C_SUFFIXES and (match := _C_FUNCTION.match(text)):
        return match["name"]
    return None


def _path(around: list[tuple[int, str]]) -> str | None:
    return ".".join(symbol for _, symbol in around) or None
