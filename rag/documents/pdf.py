"""PDF: pages of glyphs become lines of text, Persian ones in the right order.

PDF stores glyphs where they are painted. Extractors put them together from left to right,
which turns Persian around. Here each line that has right-to-left letters is taken in visual
order and turned into logical order, numbers and Latin words keeping theirs.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from rag.documents.parsed import ParsedDocument, Section
from rag.errors import DocumentDamaged, EncryptedDocument, ScannedDocument

_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_MIRRORED = str.maketrans("()[]{}«»<>", ")(][}{»«><")
_DIGITS_AND_LATIN = re.compile(
    r"[0-9A-Za-z\u00c0-\u024f۰-۹٠-٩](?:[0-9A-Za-z\u00c0-\u024f۰-۹٠-٩.,:/@_+\-#&=?%٪٫٬' ]*"
    r"[0-9A-Za-z\u00c0-\u024f۰-۹٠-٩/%٪])?"
)
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_MAX_PAGES = 20_000


def read_pdf(path: Path, title: str) -> ParsedDocument:
    """Read a PDF page by page; a page that cannot be read does not lose the others.

    Raises:
        EncryptedDocument: it asks for a password.
        DocumentDamaged: it is no PDF, or broken.
    """
    from pdfminer.pdfdocument import PDFDocument, PDFPasswordIncorrect
    from pdfminer.pdfpage import PDFPage
    from pdfminer.pdfparser import PDFParser

    logging.getLogger("pdfminer").setLevel(logging.CRITICAL)
    try:
        with path.open("rb") as file:
            document = PDFDocument(PDFParser(file))
            pages = sum(1 for _ in zip(range(_MAX_PAGES), PDFPage.create_pages(document), strict=False))
    except PDFPasswordIncorrect as error:
        raise EncryptedDocument(title) from error
    except Exception as error:
        raise DocumentDamaged(title, f"{type(error).__name__}: {error}") from error
    if not pages:
        raise DocumentDamaged(title, "no pages")
    return ParsedDocument(title, pages, _sections(path, title))


def _sections(path: Path, title: str) -> Iterator[Section]:
    found_text = found_picture = False
    for number, (text, picture) in enumerate(_pages(path), 1):
        found_picture |= picture
        if text.strip():
            found_text = True
            yield Section(text, page=number)
    if found_picture and not found_text:
        raise ScannedDocument(title)


def _pages(path: Path) -> Iterator[tuple[str, bool]]:
    """Text of each page, and whether it has pictures."""
    from pdfminer.converter import PDFPageAggregator
    from pdfminer.layout import LTImage
    from pdfminer.pdfdocument import PDFDocument
    from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
    from pdfminer.pdfpage import PDFPage
    from pdfminer.pdfparser import PDFParser

    resources = PDFResourceManager()
    device = PDFPageAggregator(resources, laparams=None)
    interpreter = PDFPageInterpreter(resources, device)
    with path.open("rb") as file:
        pages = PDFPage.create_pages(PDFDocument(PDFParser(file)))
        for _, page in zip(range(_MAX_PAGES), pages, strict=False):
            try:
                interpreter.process_page(page)
                layout = device.get_result()
                items = list(_flatten(layout))
                text = page_text([_Glyph(item) for item in items if hasattr(item, "_text")])
                yield text, any(isinstance(item, LTImage) for item in items)
            except Exception as error:  # noqa: BLE001 - pdfminer raises anything on a broken page
                logging.getLogger(__name__).warning("a page was left out: %s", type(error).__name__)
                yield "", False


def _flatten(container: Iterable[object]) -> Iterator[object]:
    for item in container:
        yield item
        if not hasattr(item, "_text") and isinstance(item, Iterable):
            yield from _flatten(item)


class _Glyph:
    """A painted character: its text and box, in points from the lower left corner."""

    __slots__ = ("text", "x0", "x1", "y0", "y1")

    def __init__(self, item: object) -> None:
        x0, y0, x1, y1 = item.bbox  # type: ignore[attr-defined]
        self.x0, self.y0, self.x1, self.y1 = float(x0), float(y0), float(x1), float(y1)
        text = unicodedata.normalize("NFKC", item.get_text())  # type: ignore[attr-defined]
        # A ligature glyph stands for several letters, in logical order; here all is visual order.
        self.text = text[::-1] if len(text) > 1 and _RTL.search(text) else text


def page_text(glyphs: list[_Glyph]) -> str:
    """The text of a page, from top to bottom; a wide gap between lines starts a paragraph."""
    lines = _lines(glyphs)
    parts: list[str] = []
    for index, line in enumerate(lines):
        if index:
            height = max(1.0, *(glyph.y1 - glyph.y0 for glyph in line))
            gap = min(glyph.y0 for glyph in lines[index - 1]) - max(glyph.y1 for glyph in line)
            parts.append("\n\n" if gap > 0.8 * height else "\n")
        parts.append(to_logical(_visual_line(line)))
    return "".join(parts)


def _lines(glyphs: list[_Glyph]) -> list[list[_Glyph]]:
    """Glyphs whose middles lie on one height, each line from left to right, the top line first."""
    lines: list[list[_Glyph]] = []
    middle = height = 0.0
    for glyph in sorted(glyphs, key=lambda glyph: (-(glyph.y0 + glyph.y1), glyph.x0)):
        if glyph.text in ("", "\n", "\r"):
            continue
        own = (glyph.y0 + glyph.y1) / 2
        if lines and abs(own - middle) <= 0.4 * max(height, glyph.y1 - glyph.y0):
            lines[-1].append(glyph)
        else:
            lines.append([glyph])
            middle, height = own, glyph.y1 - glyph.y0
    for line in lines:
        line.sort(key=lambda glyph: (glyph.x0, glyph.x1))
    return lines


def _visual_line(line: list[_Glyph]) -> str:
    """The line as painted, left to right; gaps that a space would fill become one."""
    parts: list[str] = []
    end: float | None = None
    for glyph in line:
        size = max(1.0, glyph.y1 - glyph.y0)
        spaced = parts and (parts[-1].endswith(" ") or glyph.text.startswith(" "))
        if end is not None and glyph.x0 - end > 0.18 * size and not spaced:
            parts.append(" ")
        if not (glyph.text.isspace() and parts and parts[-1].endswith(" ")):
            parts.append(" " if glyph.text.isspace() else glyph.text)
        end = max(glyph.x1, end or glyph.x1)
    return "".join(parts).strip()


def to_logical(line: str) -> str:
    """A line in visual order, as it is read; lines without right-to-left letters stay as they are.

    The inverse of the display step of UAX #9 for one right-to-left line: all is reversed,
    then Latin words get their order back, and each number its digits.
    """
    if not _RTL.search(line):
        return line

    def restored(match: re.Match[str]) -> str:
        run = match.group()
        if _LATIN.search(run):
            return run[::-1].translate(_MIRRORED)
        return " ".join(number[::-1] for number in run.split(" "))

    return _DIGITS_AND_LATIN.sub(restored, line[::-1].translate(_MIRRORED))
