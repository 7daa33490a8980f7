"""Word documents (DOCX): the text as it would be printed, streamed from the archive.

Inserted text counts, deleted text does not; hidden text and tables of contents are left out. A footnote
follows the paragraph that refers to it, a text box the paragraph it is anchored in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rag.documents.office_package import OfficePackage
from rag.documents.outline import Block, sections_of
from rag.documents.parsed import ParsedDocument, Section
from rag.documents.table_rows import table_lines
from rag.documents.word_styles import Lists, Styles, read_lists, read_styles
from rag.documents.xml_events import Event, Kind
from rag.errors import UnsafeDocument

_SKIPPED = frozenset({"del", "moveFrom", "Fallback", "rt", "rPh", "pPrChange", "rPrChange", "tblPrChange"})
"""Deleted or moved away; the same drawing again for old programs; how to pronounce it; what was before."""
_OFF = frozenset({"0", "false", "off", "none"})
_LETTERS = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "\u2011"}
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_CELLS = 200_000
"""Of one table."""
_MOST_CHARACTERS = 32 * 1024 * 1024
"""Of a paragraph or a table, while it waits for its end."""
_MOST_NOTE_CHARACTERS = 32 * 1024 * 1024


def read_word(path: Path, title: str) -> ParsedDocument:
    """Read a DOCX file.

    Raises:
        DocumentDamaged: It is no whole Word document.
        EncryptedDocument: Parts of it ask for a password.
        UnsafeDocument: It is built to fill up this device.
    """
    with OfficePackage(path, title) as package:
        package.main_part()
        own_title = package.title()
    return ParsedDocument(own_title or title, None, _sections(path, title))


def _sections(path: Path, name: str) -> Iterator[Section]:
    with OfficePackage(path, name) as package:
        main = package.main_part()
        parts = {relation.kind: relation.part for relation in package.relations(main)}
        styles = read_styles(package, parts.get("styles", ""))
        lists = read_lists(package, parts.get("numbering", ""))
        notes: dict[tuple[str, str], str] = {}
        for kind in ("footnote", "endnote"):
            if (part := parts.get(f"{kind}s", "")) in package:
                notes |= _notes(package, part, kind, styles)
        yield from sections_of(_Body(package.name, styles, lists, notes).blocks(package.events(main)))


def _notes(package: OfficePackage, part: str, kind: str, styles: Styles) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    characters = 0
    body = _Body(package.name, styles, Lists(), {})
    number: str | None = None
    for event in package.events(part):
        if event.tag == kind and event.kind is Kind.START:
            number = event.attributes.get("id", "")
            if event.attributes.get("type", "normal") != "normal":
                number = None  # the line above the notes
            continue
        if event.tag != kind:
            for block in body.take(event):
                if number is not None:
                    found[kind, number] = f"{found.get((kind, number), '')} {block.text}".strip()
                    characters += len(block.text)
        if characters > _MOST_NOTE_CHARACTERS:
            raise UnsafeDocument(package.name, "notes without end")
    return found


@dataclass(slots=True)
class _Run:
    """Letters of one look."""

    text: list[str] = field(default_factory=list)
    hidden: bool = False


@dataclass(slots=True)
class _Paragraph:
    text: list[str] = field(default_factory=list)
    runs: list[_Run] = field(default_factory=list)
    """Those that are open."""
    style: str = ""
    level: int | None = None
    """Set in the paragraph itself, 0 for body text; None leaves it to the style."""
    list_id: str = ""
    list_level: int = 0
    joined: bool = False
    """Its end was deleted: the next paragraph goes on in it."""
    notes: list[str] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)
    """Texts in boxes that are anchored in it."""


@dataclass(slots=True)
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    spans: int = 1
    has_header: bool | None = None
    row_deleted: bool = False
    goes_on: bool = False
    """The cell is the lower part of one that stands above."""
    counted: int = 0


@dataclass(slots=True)
class _Flow:
    """Paragraphs below each other: the body, a cell, a text box."""

    blocks: list[Block] = field(default_factory=list)
    begun: str = ""
    """Of paragraphs whose end was deleted."""


class _Body:
    """Makes blocks of elements, which nest: a table in a text box in a paragraph in a cell."""

    def __init__(self, name: str, styles: Styles, lists: Lists, notes: dict[tuple[str, str], str]) -> None:
        self._name = name
        self._styles = styles
        self._lists = lists
        self._notes = notes
        self._noted = 0
        self._skipped = 0
        self._in_properties = 0
        self._waiting = 0
        self._flows = [_Flow()]
        self._paragraphs: list[_Paragraph] = []
        self._tables: list[_Table] = []

    def blocks(self, events: Iterator[Event]) -> Iterator[Block]:
        """The blocks of a whole part."""
        for event in events:
            yield from self.take(event)

    def take(self, event: Event) -> list[Block]:
        """Take one event; gives the blocks that are complete."""
        if event.kind is Kind.TEXT:
            if event.tag == "t" and not self._skipped:
                self._write(event.text)
            return []
        starts = event.kind is Kind.START
        if event.tag in _SKIPPED:
            if starts and not self._skipped and event.tag == "del":
                self._mark_deleted()
            self._skipped += 1 if starts else -1
        if self._skipped:
            return []
        if starts:
            self._start(event)
            return []
        self._end(event.tag)
        if len(self._flows) == 1 and not self._tables and not self._paragraphs:
            ready, self._flows[0].blocks = self._flows[0].blocks, []
            self._waiting = 0
            return ready
        return []

    def _write(self, text: str) -> None:
        if self._paragraphs:
            self._waiting += len(text)
            if self._waiting > _MOST_CHARACTERS:
                raise UnsafeDocument(self._name, "a paragraph or table without end")
            paragraph = self._paragraphs[-1]
            (paragraph.runs[-1].text if paragraph.runs else paragraph.text).append(text)

    def _mark_deleted(self) -> None:
        """A deletion inside properties is that of the end of a paragraph, or of a row."""
        if self._in_properties and self._paragraphs:
            self._paragraphs[-1].joined = True
        elif self._tables and not self._paragraphs:
            self._tables[-1].row_deleted = True

    def _start(self, event: Event) -> None:
        tag, value = event.tag, event.attributes.get("val", "")
        if tag == "p":
            self._paragraphs.append(_Paragraph())
        elif tag == "r" and self._paragraphs:
            self._paragraphs[-1].runs.append(_Run())
        elif tag == "tbl":
            self._tables.append(_Table())
        elif tag in ("tc", "txbxContent"):
            self._flows.append(_Flow())
            if tag == "tc" and self._tables:
                self._tables[-1].spans, self._tables[-1].goes_on = 1, False
        elif tag == "pPr":
            self._in_properties += 1
        elif tag in _LETTERS and not self._in_properties:
            self._write(_LETTERS[tag])
        elif tag in ("footnoteReference", "endnoteReference"):
            self._refer(tag.removesuffix("Reference"), event.attributes.get("id", ""))
        elif tag == "vanish" and self._paragraphs and self._paragraphs[-1].runs:
            self._paragraphs[-1].runs[-1].hidden = value not in _OFF
        elif self._paragraphs and self._in_properties:
            self._property(tag, value)
        elif self._tables:
            self._cell_property(tag, value)

    def _property(self, tag: str, value: str) -> None:
        paragraph = self._paragraphs[-1]
        if tag == "pStyle":
            paragraph.style = value
        elif tag == "outlineLvl":
            paragraph.level = int(value) + 1 if value in set("012345678") else 0
        elif tag == "numId":
            paragraph.list_id = value
        elif tag == "ilvl":
            paragraph.list_level = int(value) if value in set("012345678") else 0

    def _cell_property(self, tag: str, value: str) -> None:
        table = self._tables[-1]
        if tag == "tblHeader" and not table.rows:
            table.has_header = value not in _OFF
        elif tag == "gridSpan":
            table.spans = min(int(value), 64) if re.fullmatch(r"[1-9][0-9]{0,3}", value) else 1
        elif tag == "vMerge":
            table.goes_on = value != "restart"

    def _refer(self, kind: str, number: str) -> None:
        note = self._notes.get((kind, number))
        if note and self._paragraphs:
            self._noted += 1
            sign = str(self._noted).translate(_SUPERSCRIPT)
            self._write(sign)
            self._paragraphs[-1].notes.append(f"{sign} {note}")

    def _end(self, tag: str) -> None:
        if tag == "p" and self._paragraphs:
            self._end_paragraph(self._paragraphs.pop())
        elif tag == "r" and self._paragraphs and self._paragraphs[-1].runs:
            run = self._paragraphs[-1].runs.pop()
            if not run.hidden:
                self._write("".join(run.text))
        elif tag == "pPr":
            self._in_properties -= 1
        elif tag == "txbxContent" and len(self._flows) > 1:
            text = "\n\n".join(block.text for block in self._flows.pop().blocks)
            if self._paragraphs and text:
                self._paragraphs[-1].boxes.append(text)
        elif tag == "tc" and len(self._flows) > 1:
            self._end_cell("\n".join(block.text for block in self._flows.pop().blocks))
        elif tag == "tr" and self._tables:
            self._end_row(self._tables[-1])
        elif tag == "tbl" and self._tables:
            table = self._tables.pop()
            for line in table_lines(table.rows, has_header=table.has_header):
                self._flows[-1].blocks.append(Block(line))

    def _end_paragraph(self, paragraph: _Paragraph) -> None:
        flow = self._flows[-1]
        text = flow.begun + "".join(paragraph.text)
        flow.begun = ""
        if paragraph.joined:
            flow.begun = text
        elif text.strip() and not self._styles.is_contents(paragraph.style):
            level = self._styles.level(paragraph.style) if paragraph.level is None else paragraph.level
            if not level:
                style = self._styles.list_of(paragraph.style)
                mark = self._lists.mark(paragraph.list_id or style, paragraph.list_level)
                text = f"{mark}{text.strip()}"
            flow.blocks.append(Block(text.strip(), level))
        flow.blocks += [Block(text) for text in (*paragraph.notes, *paragraph.boxes)]

    def _end_cell(self, text: str) -> None:
        if not self._tables:
            return
        table = self._tables[-1]
        column = len(table.cells)
        if table.goes_on and table.rows and column < len(table.rows[-1]):
            text = table.rows[-1][column]
        table.cells += [text, *[""] * (table.spans - 1)]
        table.counted += table.spans
        if table.counted > _MOST_CELLS:
            raise UnsafeDocument(self._name, "a table without end")

    def _end_row(self, table: _Table) -> None:
        if table.cells and not table.row_deleted:
            table.rows.append(table.cells)
        table.cells, table.row_deleted = [], False
