"""Texts and presentations of LibreOffice (ODT, ODP): paragraphs under their headings or slides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rag.documents.open_package import OpenPackage, count
from rag.documents.outline import Block, sections_of
from rag.documents.parsed import ParsedDocument, Section
from rag.documents.table_rows import table_lines
from rag.documents.xml_events import Event, Kind
from rag.errors import DocumentTooLarge, UnsafeDocument

LIMIT_SLIDES = 20_000
_REPEATED = frozenset({"footer", "header", "date-time", "page-number"})
"""Frames that say the same on every slide."""
_MOST_SPACES = 100
_MOST_CELLS = 200_000
_MOST_CHARACTERS = 4_000_000
"""Of one paragraph or table."""


def read_open_text(path: Path, title: str) -> ParsedDocument:
    """Read an ODT file.

    Raises:
        DocumentDamaged: It is no whole document.
        EncryptedDocument: It asks for a password.
        UnsafeDocument: It is built to fill up this device.
    """
    with OpenPackage(path, title) as package:
        package.require_open()
        own_title = package.title()
    return ParsedDocument(own_title or title, None, _sections(path, title))


def read_open_slides(path: Path, title: str) -> ParsedDocument:
    """Read an ODP file, slide by slide; raises as `read_open_text` does.

    Raises:
        DocumentTooLarge: It has more than `LIMIT_SLIDES` slides.
    """
    with OpenPackage(path, title) as package:
        package.require_open()
        own_title = package.title()
        slides = sum(event[:2] == (Kind.START, "page") for event in package.content_events())
    if slides > LIMIT_SLIDES:
        size = path.stat().st_size
        raise DocumentTooLarge(title, size, size * LIMIT_SLIDES // slides)
    return ParsedDocument(own_title or title, slides, _sections(path, title))


def _sections(path: Path, name: str) -> Iterator[Section]:
    with OpenPackage(path, name) as package:
        body = _Body(name)
        yield from sections_of(block for event in package.content_events() for block in body.take(event))


@dataclass(slots=True)
class _Paragraph:
    level: int = 0
    text: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    row: list[str] = field(default_factory=list)
    cell: list[str] = field(default_factory=list)
    has_header: bool | None = None
    cells: int = 0


class _Body:
    """Makes blocks of elements, which nest: a text box in a paragraph, a table in a cell."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._paragraphs: list[_Paragraph] = []
        self._tables: list[_Table] = []
        self._notes: list[list[str]] = []
        self._page: int | None = None
        self._frame = ""
        self._characters = 0

    def take(self, event: Event) -> Iterator[Block]:
        """What is complete with this event."""
        if event.kind is Kind.TEXT:
            if self._paragraphs:
                # White space is one space (OpenDocument 1.3, 6.1.2); more is written as <text:s>.
                self._write(" ".join(event.text.split("\n")))
        elif event.kind is Kind.START:
            self._start(event)
        else:
            yield from self._end(event.tag)

    def _start(self, event: Event) -> None:
        match event.tag:
            case "p" | "h":
                level = count(event.attributes.get("outline-level", "1")) if event.tag == "h" else 0
                self._paragraphs.append(_Paragraph(min(level, 6)))
            case "s":
                self._write(" " * min(count(event.attributes.get("c", "1")), _MOST_SPACES))
            case "tab":
                self._write(" ")
            case "line-break":
                self._write("\n")
            case "note-body":
                self._notes.append([])
            case "page":
                self._page = (self._page or 0) + 1
            case "frame":
                self._frame = event.attributes.get("class", "")
            case "table":
                self._tables.append(_Table())
            case "table-header-rows" if self._tables and not self._tables[-1].rows:
                self._tables[-1].has_header = True
            case "table-row" if self._tables:
                self._tables[-1].row = []
            case "table-cell" | "covered-table-cell" if self._tables:
                self._tables[-1].cell = []

    def _end(self, tag: str) -> Iterator[Block]:
        if tag in ("p", "h") and self._paragraphs:
            yield from self._end_paragraph(self._paragraphs.pop())
        elif tag == "note-body" and self._notes:
            note = " ".join(self._notes.pop())
            if note and self._paragraphs:
                self._paragraphs[-1].notes.append(note)
        elif tag == "frame":
            self._frame = ""
        elif tag in ("table-cell", "covered-table-cell") and self._tables:
            table = self._tables[-1]
            table.row.append("\n".join(table.cell))
            table.cells += 1
            if table.cells > _MOST_CELLS:
                raise UnsafeDocument(self._name, "a table without end")
        elif tag == "table-row" and self._tables:
            self._tables[-1].rows.append(self._tables[-1].row)
        elif tag == "table" and self._tables:
            ended = self._tables.pop()
            text = "\n".join(table_lines(ended.rows, has_header=ended.has_header))
            yield from self._place(text, 0)

    def _end_paragraph(self, paragraph: _Paragraph) -> Iterator[Block]:
        text = "\n".join(" ".join(line.split()) for line in "".join(paragraph.text).split("\n"))
        for note in paragraph.notes:
            text = f"{text} ({note})"
        if not self._paragraphs and not self._tables:
            self._characters = 0
        yield from self._place(text, paragraph.level)

    def _place(self, text: str, level: int) -> Iterator[Block]:
        """A text goes into the note or the cell around it, or else is a block of its own."""
        if not text.strip():
            return
        if self._notes:
            self._notes[-1].append(text)
        elif self._tables:
            self._tables[-1].cell.append(text)
        elif self._page is None:
            yield Block(text, level)
        elif self._frame not in _REPEATED:
            yield Block(text, 1 if self._frame == "title" else 0, self._page)

    def _write(self, text: str) -> None:
        if self._paragraphs:
            self._paragraphs[-1].text.append(text)
            self._characters += len(text)
            if self._characters > _MOST_CHARACTERS:
                raise UnsafeDocument(self._name, "a paragraph without end")
