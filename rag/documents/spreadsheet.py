"""Workbooks (XLSX): every row of a sheet as a line that tells its columns, streamed from the archive.

Of formulas, the values are read that the program kept beside them. Hidden sheets are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rag.documents.cell_values import CellForms, read_forms
from rag.documents.office_package import OfficePackage
from rag.documents.outline import Block, sections_of
from rag.documents.parsed import ParsedDocument, Section
from rag.documents.shared_texts import SharedTexts
from rag.documents.table_rows import table_lines
from rag.documents.xml_events import Kind
from rag.errors import UnsafeDocument

_COLUMN = re.compile(r"[A-Z]{1,3}")
_MOST_COLUMNS = 16_384
_MOST_CHARACTERS = 4_000_000
"""Of one row."""
_MOST_SHEETS = 10_000
_ON = frozenset({"1", "true", "on"})
_PRONUNCIATION = frozenset({"rPh", "phoneticPr"})


def read_spreadsheet(path: Path, title: str) -> ParsedDocument:
    """Read an XLSX file, sheet by sheet.

    Raises:
        DocumentDamaged: It is no whole workbook.
        EncryptedDocument: Parts of it ask for a password.
        UnsafeDocument: It is built to fill up this device.
    """
    with OfficePackage(path, title) as package:
        package.main_part()
        own_title = package.title()
    return ParsedDocument(own_title or title, None, _sections(path, title))


class _Workbook(NamedTuple):
    sheets: list[tuple[str, str]]
    """Name and part of each that can be seen."""
    from_1904: bool
    """Its days are counted from 1904, as Excel for Mac did."""


def _sections(path: Path, name: str) -> Iterator[Section]:
    with OfficePackage(path, name) as package, SharedTexts(name) as texts:
        main = package.main_part()
        parts = {relation.kind: relation.part for relation in package.relations(main)}
        workbook = _workbook(package, main)
        if (shared := parts.get("sharedStrings", "")) in package:
            texts.read(package.events(shared))
        forms = read_forms(package, parts.get("styles", ""), from_1904=workbook.from_1904)
        for sheet, part in workbook.sheets:
            yield from sections_of(_blocks(sheet, _rows(package, part, texts, forms)))


def _workbook(package: OfficePackage, main: str) -> _Workbook:
    parts = {
        relation.id: relation.part
        for relation in package.relations(main)
        if relation.kind == "worksheet" and relation.part in package  # a chart has no cells
    }
    sheets: list[tuple[str, str]] = []
    from_1904 = False
    for event in package.events(main):
        if event.kind is not Kind.START:
            continue
        if event.tag == "workbookPr":
            from_1904 = event.attributes.get("date1904", "") in _ON
        elif event.tag == "sheet" and event.attributes.get("state", "visible") == "visible":
            part = parts.get(event.attributes.get("r:id", ""))
            if part and len(sheets) < _MOST_SHEETS:
                sheets.append((event.attributes.get("name", ""), part))
    return _Workbook(sheets, from_1904)


def _blocks(sheet: str, rows: Iterator[list[str]]) -> Iterator[Block]:
    started = False
    for line in table_lines(rows, sure_columns=2):
        if not started:
            yield Block(sheet, 1)
            started = True
        yield Block(line)


def _rows(package: OfficePackage, part: str, texts: SharedTexts, forms: CellForms) -> Iterator[list[str]]:
    """The texts of the cells, row by row; a row ends at its last cell with a value."""
    row: list[str] = []
    column = skipped = characters = 0
    kind = style = ""
    value: list[str] = []
    for event in package.events(part):
        if event.tag in _PRONUNCIATION and event.kind is not Kind.TEXT:
            skipped += 1 if event.kind is Kind.START else -1
        elif event.kind is Kind.TEXT:
            if event.tag in ("v", "t") and not skipped:
                value.append(event.text)
                characters += len(event.text)
                if characters > _MOST_CHARACTERS:
                    raise UnsafeDocument(package.name, "a row without end")
        elif event.kind is Kind.START:
            if event.tag == "row":
                row, column, characters = [], 0, 0
            elif event.tag == "c":
                column = _column(event.attributes.get("r", ""), column)
                kind, style = event.attributes.get("t", "n"), event.attributes.get("s", "0")
                value = []
        elif event.tag == "c":
            text = _text("".join(value), kind, style, texts, forms)
            if text:
                row += [""] * (column - len(row))
                row[column:] = [text]
            column += 1
        elif event.tag == "row":
            yield row


def _column(reference: str, following: int) -> int:
    """Column of a cell such as AB7, counted from 0; the next one where the file does not say."""
    match = _COLUMN.match(reference)
    if match is None:
        return following
    number = 0
    for letter in match[0]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1 if number <= _MOST_COLUMNS else following


def _text(value: str, kind: str, style: str, texts: SharedTexts, forms: CellForms) -> str:
    if not value or kind == "e":  # an error such as #DIV/0! says nothing
        return ""
    if kind == "s":
        return texts[int(value)] if value.isdigit() and len(value) < 12 else ""
    if kind == "b":
        return "TRUE" if value == "1" else "FALSE"
    return forms.shown(value, style) if kind == "n" else value
