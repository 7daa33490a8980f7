"""HTML: what a reader would see, under its headings."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup
from bs4.dammit import EncodingDetector
from bs4.element import NavigableString, PreformattedString, Tag
from bs4.exceptions import ParserRejectedMarkup

from rag.documents.encodings import encoding_of
from rag.documents.parsed import ParsedDocument, Section
from rag.errors import DocumentTooLarge

LIMIT_BYTES = 16 * 1024 * 1024
"""The tree of a page takes some thirty times its size in memory."""

# Not `head` or `form`: their end tags are often missing, or hold the whole page.
_HIDDEN = [
    "script",
    "style",
    "noscript",
    "template",
    "nav",
    "svg",
    "iframe",
    "title",
    "button",
    "select",
    "textarea",
]
_PARAGRAPHS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "div", "dl", "fieldset", "figure", "footer", "form"}
    | {"header", "hr", "main", "ol", "p", "pre", "section", "table", "ul"}
)
_LINES = frozenset({"br", "caption", "dd", "dt", "figcaption", "li", "option", "summary", "tr"})
_CELLS = frozenset({"td", "th"})
_HEADINGS = {f"h{level}": level for level in range(1, 7)}

_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*>")
_CELL_BORDER = "\x1f"
_KEPT_SPACE = "\x1e"


def read_html(path: Path, title: str) -> ParsedDocument:
    """Read an HTML file in the encoding it declares; scripts, styles and navigation are left out.

    Raises:
        DocumentDamaged: It is no text.
        DocumentTooLarge: It is larger than `LIMIT_BYTES`.
    """
    if (size := path.stat().st_size) > LIMIT_BYTES:
        raise DocumentTooLarge(title, size, LIMIT_BYTES)
    content = path.read_bytes()
    own_title, sections = read_page(content, declared_encoding(content) or encoding_of(path, title))
    return ParsedDocument(own_title or title, None, sections)


def read_page(content: bytes, encoding: str) -> tuple[str, Iterator[Section]]:
    """The title of a page, "" where it has none, and what a reader sees of it."""
    soup = parsed(content, encoding)
    own_title = soup.title.get_text(" ", strip=True) if soup.title else ""
    for tag in soup.find_all(_HIDDEN):
        tag.decompose()
    return own_title, _sections(soup)


def parsed(content: bytes, encoding: str) -> BeautifulSoup:
    """The tree of a page, however broken it is."""
    text = _XML_DECLARATION.sub("", content.decode(encoding, errors="replace")) + "\n"  # no file name
    try:
        return BeautifulSoup(text, "html.parser")
    except ParserRejectedMarkup:  # only broken `<![…` make it give up
        return BeautifulSoup(text.replace("<![", "&lt;!["), "html.parser")


def declared_encoding(content: bytes) -> str | None:
    """What the page says of itself, unless a byte order mark at its start knows better."""
    if content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None
    declared = EncodingDetector.find_declared_encoding(content, is_html=True)
    try:
        encoding = codecs.lookup(declared).name if declared else ""
    except LookupError:
        return None
    # A page that can be read as far as its declaration is neither of these, whatever it says.
    return None if not encoding or encoding.startswith(("utf-16", "utf-32", "utf-7")) else encoding


def _sections(soup: BeautifulSoup) -> Iterator[Section]:
    heading: str | None = None
    level = 0
    held: list[str] = []
    for found_level, text in _pieces(soup):
        if found_level:
            if body := _tidy(held):
                yield Section(body, heading=heading, level=level)
            heading, level = " ".join(text.split()) or None, found_level
            held = [heading or "", "\n\n"]
        else:
            held.append(text)
    if body := _tidy(held):
        yield Section(body, heading=heading, level=level)


def _pieces(root: Tag) -> Iterator[tuple[int, str]]:
    """(heading level, heading) or (0, text), in order; without recursion, since hostile pages nest deeply."""
    waiting: list[tuple[object, bool]] = [(root, False)]
    while waiting:
        node, inside_pre = waiting.pop()
        if isinstance(node, PreformattedString):
            continue  # comments and the doctype
        if isinstance(node, Tag):
            if node.name in _HEADINGS:
                yield _HEADINGS[node.name], node.get_text(" ")
                continue
            border = "\n\n" if node.name in _PARAGRAPHS else "\n" if node.name in _LINES else ""
            if border:
                yield 0, border
                waiting.append((border, False))
            if node.name == "li":
                yield 0, "- "
            elif node.name in _CELLS:
                yield 0, _CELL_BORDER
            inside_pre = inside_pre or node.name == "pre"
            waiting.extend((child, inside_pre) for child in reversed(node.contents))
        elif isinstance(node, NavigableString):
            text = str(node)
            yield 0, text.expandtabs(4).replace(" ", _KEPT_SPACE) if inside_pre else re.sub(r"\s+", " ", text)
        else:
            yield 0, str(node)


def _tidy(parts: list[str]) -> str:
    """Lines without the white space of the page's source, and paragraphs a blank line apart."""
    lines = []
    for line in "".join(parts).split("\n"):
        cells = [
            " ".join(cell.split(" ")).strip(" ")
            for cell in line.strip(f" {_CELL_BORDER}").split(_CELL_BORDER)
        ]
        lines.append("" if cells == ["-"] else " | ".join(cells).rstrip(f" {_KEPT_SPACE}"))
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
    return re.sub(" +", " ", text).replace(_KEPT_SPACE, " ")
