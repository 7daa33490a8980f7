"""HTML: what a reader would see, under its headings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag

from rag.documents.parsed import ParsedDocument, Section

_HIDDEN = ["script", "style", "noscript", "template", "nav", "svg", "head", "iframe", "form", "button"]
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "br", "caption", "dd", "div", "dl", "dt", "fieldset"}
    | {"figcaption", "figure", "footer", "header", "hr", "li", "main", "ol", "p", "pre", "section"}
    | {"table", "tbody", "tfoot", "thead", "tr", "ul"}
)
_CELLS = frozenset({"td", "th"})
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


def read_html(path: Path, title: str) -> ParsedDocument:
    """Read an HTML file in the encoding it declares; scripts, styles and navigation are left out."""
    soup = BeautifulSoup(path.read_bytes(), "html.parser")
    own_title = soup.title.get_text(" ", strip=True) if soup.title else ""
    for tag in soup.find_all(_HIDDEN):
        tag.decompose()
    return ParsedDocument(own_title or title, None, _sections(soup))


def _sections(soup: BeautifulSoup) -> Iterator[Section]:
    heading: str | None = None
    level = 0
    held: list[str] = []
    for found_level, text in _pieces(soup):
        if found_level:
            if body := _tidy(held):
                yield Section(body, heading=heading, level=level)
            heading, level = " ".join(text.split()) or None, found_level
            held = [heading or "", "\n"]
        else:
            held.append(text)
    if body := _tidy(held):
        yield Section(body, heading=heading, level=level)


def _pieces(root: Tag) -> Iterator[tuple[int, str]]:
    """(heading level, heading) or (0, text), in order; without recursion, since hostile pages nest deeply."""
    waiting: list[object] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str) and not isinstance(node, NavigableString):
            yield 0, node
        elif isinstance(node, PreformattedString):
            continue  # comments and the doctype
        elif isinstance(node, NavigableString):
            inside_pre = any(parent.name == "pre" for parent in node.parents)
            yield 0, str(node) if inside_pre else _one_line(str(node))
        elif isinstance(node, Tag):
            if node.name in _HEADINGS:
                yield _HEADINGS[node.name], node.get_text(" ")
                continue
            after = "\n" if node.name in _BLOCKS else " | " if node.name in _CELLS else ""
            if after:
                waiting.append(after)
            waiting.extend(reversed(node.contents))
            if node.name == "li":
                waiting.append("- ")


def _one_line(text: str) -> str:
    words = " ".join(text.split())
    if not words:
        return " " if text else ""
    return (" " if text[0].isspace() else "") + words + (" " if text[-1].isspace() else "")


def _tidy(parts: list[str]) -> str:
    lines = [line.strip().rstrip("|").rstrip() for line in "".join(parts).split("\n")]
    return "\n".join(line for line in lines if line and line != "-")
