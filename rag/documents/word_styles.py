"""What the styles and lists of a Word document say about its paragraphs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rag.documents.office_package import OfficePackage
from rag.documents.xml_events import Kind
from rag.errors import UnsafeDocument

_HEADING = re.compile(r"heading ([1-9])")
_MOST = 20_000
"""Styles, or levels of lists; a document has some hundred."""
_NOT_WRITTEN = frozenset({"none", "bullet"})


@dataclass(slots=True)
class _Style:
    name: str = ""
    parent: str = ""
    level: int | None = None
    list_id: str = ""


@dataclass(slots=True)
class Styles:
    """Styles by their id; looks up in the style that one is based on."""

    known: dict[str, _Style] = field(default_factory=dict)

    def level(self, style: str) -> int:
        """The level of a heading of this style, 0 if it is none."""
        for found in self._line(style):
            if found.level is not None:
                return found.level
            if match := _HEADING.fullmatch(found.name):
                return int(match[1])
            if found.name == "title":
                return 1
        return 0

    def is_contents(self, style: str) -> bool:
        """Whether it is for lines of a table of contents, which only repeat headings."""
        return any(re.fullmatch(r"toc [1-9]|table of figures", found.name) for found in self._line(style))

    def list_of(self, style: str) -> str:
        """The list that paragraphs of this style are in, "" for none."""
        return next((found.list_id for found in self._line(style) if found.list_id), "")

    def _line(self, style: str) -> list[_Style]:
        line: list[_Style] = []
        seen: set[str] = set()
        while style in self.known and style not in seen:
            seen.add(style)
            line.append(self.known[style])
            style = self.known[style].parent
        return line


@dataclass(slots=True)
class Lists:
    """Lists of a document: what stands before their items, and how far they have counted."""

    formats: dict[tuple[str, int], str] = field(default_factory=dict)
    """By the list's id and the level, the format of the number."""
    _counted: dict[tuple[str, int], int] = field(default_factory=dict)

    def mark(self, list_id: str, level: int) -> str:
        """What to put before the next item; "" for a paragraph in no list."""
        if list_id in ("", "0"):
            return ""
        indentation = "  " * level
        kind = self.formats.get((list_id, level), "bullet")
        if kind in _NOT_WRITTEN:
            return f"{indentation}- "
        number = self._counted[list_id, level] = self._counted.get((list_id, level), 0) + 1
        for deeper in range(level + 1, 9):
            self._counted.pop((list_id, deeper), None)
        return f"{indentation}{number}. "


def read_styles(package: OfficePackage, part: str) -> Styles:
    """The styles of a document; none where that part is missing."""
    styles = Styles()
    style: _Style | None = None
    for event in package.events(part) if part in package else ():
        value = event.attributes.get("val", "")
        if event.kind is Kind.START and event.tag == "style":
            style = styles.known[event.attributes.get("styleId", "")] = _Style()
            if len(styles.known) > _MOST:
                raise UnsafeDocument(package.name, "styles without end")
        elif event.kind is Kind.START and style is not None:
            if event.tag == "name":
                style.name = value.casefold()
            elif event.tag == "basedOn":
                style.parent = value
            elif event.tag == "outlineLvl":
                style.level = int(value) + 1 if value in set("012345678") else 0
            elif event.tag == "numId":
                style.list_id = value
    return styles


def read_lists(package: OfficePackage, part: str) -> Lists:
    """The lists of a document; none where that part is missing."""
    abstract: dict[tuple[str, int], str] = {}
    lists = Lists()
    abstract_id = list_id = ""
    level = 0
    for event in package.events(part) if part in package else ():
        if event.kind is not Kind.START:
            continue
        value = event.attributes.get("val", "")
        if event.tag == "abstractNum":
            abstract_id = event.attributes.get("abstractNumId", "")
        elif event.tag == "lvl":
            shown = event.attributes.get("ilvl", "0")
            level = int(shown) if shown in set("012345678") else 0
        elif event.tag == "numFmt" and not list_id:
            abstract[abstract_id, level] = value
        elif event.tag == "num":
            list_id = event.attributes.get("numId", "")
        elif event.tag == "abstractNumId" and list_id:
            lists.formats |= {(list_id, each): abstract.get((value, each), "bullet") for each in range(9)}
        if len(abstract) > _MOST or len(lists.formats) > _MOST * 9:
            raise UnsafeDocument(package.name, "lists without end")
    return lists
