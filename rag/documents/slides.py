"""Presentations (PPTX): every slide is a page under its title, with its tables, diagrams and notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rag.documents.office_package import OfficePackage
from rag.documents.outline import Block, sections_of
from rag.documents.parsed import ParsedDocument, Section
from rag.documents.table_rows import table_lines
from rag.documents.xml_events import Event, Kind
from rag.errors import DocumentTooLarge, UnsafeDocument

LIMIT_SLIDES = 20_000
_TITLES = frozenset({"title", "ctrTitle"})
_REPEATED = frozenset({"sldNum", "dt", "ftr", "hdr", "sldImg"})
"""Placeholders that say the same on every slide, or are pictures."""
_MOST_CELLS = 200_000
_MOST_CHARACTERS = 4_000_000


def read_slides(path: Path, title: str) -> ParsedDocument:
    """Read a PPTX file, slide by slide.

    Raises:
        DocumentDamaged: It is no whole presentation.
        DocumentTooLarge: It has more than `LIMIT_SLIDES` slides.
        EncryptedDocument: Parts of it ask for a password.
        UnsafeDocument: It is built to fill up this device.
    """
    with OfficePackage(path, title) as package:
        slides = _slide_parts(package)
        own_title = package.title()
    if len(slides) > LIMIT_SLIDES:
        size = path.stat().st_size
        raise DocumentTooLarge(title, size, size * LIMIT_SLIDES // len(slides))
    return ParsedDocument(own_title or title, len(slides), _sections(path, title, slides))


def _slide_parts(package: OfficePackage) -> list[str]:
    """The slides in the order they are shown."""
    main = package.main_part()
    parts = {relation.id: relation.part for relation in package.relations(main)}
    listed = [
        event.attributes.get("r:id", "")
        for event in package.events(main)
        if event.kind is Kind.START and event.tag == "sldId"
    ]
    return [parts[number] for number in listed if number in parts]


def _sections(path: Path, name: str, slides: list[str]) -> Iterator[Section]:
    with OfficePackage(path, name) as package:
        for page, slide in enumerate(slides, 1):
            yield from sections_of(_slide(package, slide, page))


def _slide(package: OfficePackage, part: str, page: int) -> Iterator[Block]:
    body = _shapes(package, part)
    related = package.relations(part)
    for relation in related:
        if relation.kind == "diagramData" and relation.part in package:
            body.texts += _shapes(package, relation.part).texts
    title = " ".join(body.titles)
    if title:
        yield Block(title, 1, page)
    for text in body.texts:
        yield Block(text, 0, page)
    for relation in related:
        if relation.kind == "notesSlide" and relation.part in package:
            for text in _shapes(package, relation.part).texts:
                yield Block(text, 0, page)


@dataclass(slots=True)
class _Shapes:
    """What stands on a slide, or in its notes."""

    titles: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """A text of several paragraphs for each shape, a line for each row of a table."""


def _shapes(package: OfficePackage, part: str) -> _Shapes:
    gathering = _Gathering(package.name)
    for event in package.events(part):
        gathering.take(event)
    return gathering.found


class _Gathering:
    """Follows the elements of a slide. Shapes do not nest, groups of them may."""

    def __init__(self, name: str) -> None:
        self.found = _Shapes()
        self._name = name
        self._skipped = 0
        self._placeholder = ""
        self._lines: list[str] = []
        self._line: list[str] = []
        self._rows: list[list[str]] | None = None
        self._cells = self._characters = 0

    def take(self, event: Event) -> None:
        starts = event.kind is Kind.START
        if event.tag == "Fallback" and event.kind is not Kind.TEXT:
            self._skipped += 1 if starts else -1
        if self._skipped:
            return
        if event.kind is Kind.TEXT:
            if event.tag == "t":
                self._line.append(event.text)
                self._characters += len(event.text)
                if self._characters > _MOST_CHARACTERS:
                    raise UnsafeDocument(self._name, "a slide without end")
        elif starts:
            self._start(event)
        else:
            self._end(event.tag)

    def _start(self, event: Event) -> None:
        if event.tag == "ph":
            self._placeholder = event.attributes.get("type", "body")
        elif event.tag == "sp":
            self._placeholder = ""
        elif event.tag == "br":
            self._line.append("\n")
        elif event.tag == "tbl":
            self._rows = []
        elif event.tag == "tr" and self._rows is not None:
            self._rows.append([])
        elif event.tag in ("tc", "txBody"):
            self._lines = []

    def _end(self, tag: str) -> None:
        if tag == "p":
            if text := "".join(self._line).strip():
                self._lines.append(text)
            self._line = []
        elif tag == "tc" and self._rows:
            self._rows[-1].append(" ".join(self._lines))
            self._lines = []
            self._cells += 1
            if self._cells > _MOST_CELLS:
                raise UnsafeDocument(self._name, "a table without end")
        elif tag == "tbl" and self._rows is not None:
            self.found.texts += table_lines(self._rows)
            self._rows = None
        elif tag in ("sp", "pt") and self._rows is None:
            self._end_shape("\n".join(self._lines))
            self._lines = []

    def _end_shape(self, text: str) -> None:
        if not text or self._placeholder in _REPEATED:
            return
        if self._placeholder in _TITLES:
            self.found.titles.append(text)
        else:
            self.found.texts.append(text)
