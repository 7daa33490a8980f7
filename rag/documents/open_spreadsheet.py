"""Spreadsheets of LibreOffice (ODS): every row of a sheet as a line that tells its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from rag.documents.cell_values import plain_number
from rag.documents.open_package import OpenPackage, count
from rag.documents.outline import Block, sections_of
from rag.documents.parsed import ParsedDocument, Section
from rag.documents.table_rows import table_lines
from rag.documents.xml_events import Event, Kind
from rag.errors import UnsafeDocument

_MOST_COLUMNS = 16_384
_MOST_REPEATED = 256
"""A value is told so many times in a row at most; sheets are filled to their last column with empty cells."""
_MOST_CHARACTERS = 4_000_000
"""Of one row."""
_CELLS = frozenset({"table-cell", "covered-table-cell"})


def read_open_spreadsheet(path: Path, title: str) -> ParsedDocument:
    """Read an ODS file, sheet by sheet, streamed from the archive. Hidden sheets are left out.

    Raises:
        DocumentDamaged: It is no whole workbook.
        EncryptedDocument: It asks for a password.
        UnsafeDocument: It is built to fill up this device.
    """
    with OpenPackage(path, title) as package:
        package.require_open()
        own_title = package.title()
    return ParsedDocument(own_title or title, None, _sections(path, title))


def _sections(path: Path, name: str) -> Iterator[Section]:
    with OpenPackage(path, name) as package:
        events = package.content_events()
        for event in events:
            if event.kind is Kind.START and event.tag == "table":
                yield from sections_of(_blocks(event.attributes.get("name", ""), _rows(events, name)))


def _blocks(sheet: str, rows: Iterator[list[str]]) -> Iterator[Block]:
    started = False
    for line in table_lines(rows, sure_columns=2):
        if not started:
            yield Block(sheet, 1)
            started = True
        yield Block(line)


def _rows(events: Iterator[Event], name: str) -> Iterator[list[str]]:
    """The texts of the cells, row by row, to the end of the sheet; the same row again is told once."""
    row: list[str] = []
    gap = characters = inner = 0
    cell: Mapping[str, str] = {}
    lines: list[str] = []
    for event in events:
        if event.kind is Kind.TEXT:
            if lines:
                lines[-1] += event.text
                characters += len(event.text)
                if characters > _MOST_CHARACTERS:
                    raise UnsafeDocument(name, "a row without end")
            continue
        starts = event.kind is Kind.START
        if event.tag == "table":  # a table in a cell
            inner += 1 if starts else -1
            if inner < 0:
                return
        elif inner:
            continue
        elif event.tag == "table-row":
            if starts:
                row, gap, characters = [], 0, 0
            elif row:
                yield row
        elif event.tag in _CELLS:
            if starts:
                cell, lines = event.attributes, []
            else:
                repeated = count(cell.get("number-columns-repeated", "1"))
                if text := _text(cell, lines):
                    row += [""] * min(gap, _MOST_COLUMNS - len(row))
                    row += [text] * min(repeated, _MOST_REPEATED, _MOST_COLUMNS - len(row))
                    gap = 0
                else:
                    gap += repeated
                lines = []
        elif starts and event.tag == "p":
            lines.append("")
        elif starts and lines and event.tag in ("s", "tab", "line-break"):
            lines[-1] += " "


def _text(cell: Mapping[str, str], lines: list[str]) -> str:
    """A value as people read it: numbers in full and days as 2026-11-24, whatever the sheet shows of them."""
    shown = " ".join(" ".join(lines).split())
    if shown.startswith(("#", "Err:")) and cell.get("formula"):  # an error such as #DIV/0! says nothing
        return ""
    match cell.get("value-type", ""):
        case "float":
            return plain_number(cell.get("value", "")) or shown
        case "date":
            return cell.get("date-value", "").removesuffix("T00:00:00").replace("T", " ") or shown
        case _:
            return shown
