"""Text files of any size and encoding: notes, tables, settings, source code."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from rag.documents.parsed import ParsedDocument, Section
from rag.errors import DocumentDamaged

PLAIN_TEXT_SUFFIXES = frozenset(
    [
        ".txt",
        ".text",
        ".log",
        ".json",
        ".jsonl",
        ".yaml",
        ".yml",
        ".toml",
        ".ini",
        ".cfg",
        ".conf",
        ".xml",
        ".rst",
        ".tex",
        ".srt",
        ".vtt",
        ".py",
        ".js",
        ".ts",
        ".jsx",
        ".tsx",
        ".java",
        ".kt",
        ".swift",
        ".c",
        ".h",
        ".cpp",
        ".hpp",
        ".cs",
        ".go",
        ".rs",
        ".rb",
        ".php",
        ".sh",
        ".bat",
        ".ps1",
        ".sql",
        ".css",
        ".lua",
        ".r",
        ".dart",
        ".scala",
    ]
)

SECTION_CHARACTERS = 16_000
"""After about so much, a section ends at the next blank line."""
_LONGEST_SECTION = 64_000
"""Where it ends without one, so that a file of a single line does not fill the memory either."""
_BLOCK = 1 << 20

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: it starts with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MOST_CONTROL = 100
"""One control byte in a hundred is an accident; more of them are no text."""
_MOST_FAULTS = 20
"""One fault in twenty letters beyond ASCII: still UTF-8, with damage; more of them are another encoding."""


def is_text(start: bytes) -> bool:
    """Whether a file of unknown kind that starts so is text: UTF-8, or another encoding with its mark."""
    if start.startswith(tuple(mark for mark, _ in _BYTE_ORDER_MARKS)):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)  # may end within a letter
    except UnicodeDecodeError:
        return False
    return b"\0" not in start and len(_CONTROL_BYTES.findall(start)) * _MOST_CONTROL <= len(start)


def encoding_of(path: Path, name: str) -> str:
    """The encoding of a text file, from all of its bytes: a mark, else UTF-8, else Windows-1256.

    Windows-1256 is what old Persian and Arabic files are written in; French letters are in the same places
    there as in Windows-1252.

    Raises:
        DocumentDamaged: The content is no text.
    """
    with path.open("rb") as file:
        start = file.read(_BLOCK)
        for mark, encoding in _BYTE_ORDER_MARKS:
            if start.startswith(mark):
                return encoding
        if unmarked := _unmarked_utf16(start):
            return unmarked
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        size = control = faults = beyond_ascii = 0
        block = start
        while block:
            if b"\0" in block:
                raise DocumentDamaged(name, "binary content")
            text = decoder.decode(block)
            size += len(block)
            control += len(_CONTROL_BYTES.findall(block))
            faults += text.count("\ufffd")
            beyond_ascii += len(text) - len(text.encode("ascii", "ignore"))
            block = file.read(_BLOCK)
        faults += len(decoder.decode(b"", final=True))
    if control * _MOST_CONTROL > size:
        raise DocumentDamaged(name, "binary content")
    return "utf-8" if faults * _MOST_FAULTS <= beyond_ascii else "cp1256"


def text_lines(path: Path, name: str) -> Iterator[str]:
    """Lines with their line ends; longer ones than a section may be come in pieces.

    Raises:
        DocumentDamaged: The content is no text.
    """
    with path.open(encoding=encoding_of(path, name), errors="replace") as file:
        while line := file.readline(_LONGEST_SECTION):
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
        if (blank and characters >= SECTION_CHARACTERS) or characters + len(line) > _LONGEST_SECTION:
            yield Section("".join(held))
            held, characters = [], 0
        held.append(line)
        characters += len(line)
    yield Section("".join(held))


def _unmarked_utf16(start: bytes) -> str | None:
    """UTF-16 without a mark, known by the zero halves of its spaces, digits and line ends."""
    sample = start[:4096]
    low, high = sample[0::2], sample[1::2]
    if high.count(0) * 10 > len(high) and 0 not in low:
        encoding = "utf-16-le"
    elif low.count(0) * 10 > len(low) and 0 not in high:
        encoding = "utf-16-be"
    else:
        return None
    try:
        text = sample[: len(sample) & ~1].decode(encoding)
    except UnicodeDecodeError:
        return None
    return encoding if sum(map(str.isprintable, text)) * 10 > len(text) * 8 else None
