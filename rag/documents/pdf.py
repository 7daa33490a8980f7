"""PDF, through pdfminer's interpreter alone: it is pure Python, so phones read the same text as desktops.

A hostile file is bounded by pages, by glyphs and forms per page, and by what a compressed stream may unfold
to. Not bounded is the time pdfminer takes for the objects of a single page, at worst some seconds per
megabyte that its streams unfold to.
"""

from __future__ import annotations

import logging
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pdfminer import pdftypes
from pdfminer.pdfdevice import PDFTextDevice
from pdfminer.pdfdocument import PDFDocument, PDFEncryptionError
from pdfminer.pdffont import PDFUnicodeNotDefined
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.pdfparser import PDFParser

from rag.documents.page_layout import page_text
from rag.documents.page_picture import picture_file
from rag.documents.page_rows import Glyph
from rag.documents.parsed import ParsedDocument, Section
from rag.errors import (
    DocumentDamaged,
    DocumentTooLarge,
    EncryptedDocument,
    RecognitionGaveUp,
    ScannedDocument,
)
from rag.recognition.protocol import GoingOn, RecognitionFailed, TextRecogniser

log = logging.getLogger(__name__)
logging.getLogger("pdfminer").setLevel(logging.CRITICAL)  # its warnings quote the document

LIMIT_PAGES = 20_000
_MOST_GLYPHS = 200_000
"""Of one page; a page of a newspaper has about 20,000."""
_MOST_FORMS = 20_000
"""Of one page; forms can hold forms, and ten levels of ten are a day's work."""
_MOST_PICTURES = 8
"""Of one page that are recognised."""
_MOST_UNFOLDED_BYTES = 64 * 1024 * 1024
"""Of one compressed stream; a kilobyte may unfold to a megabyte, and that again."""


class _PageTooLarge(Exception):
    """No page that was made to be read has so much on it."""


def read_pdf(
    path: Path, title: str, recogniser: TextRecogniser | None = None, going_on: GoingOn = lambda: None
) -> ParsedDocument:
    """Read a PDF page by page; a page that cannot be read does not lose the others.

    Pages that are pictures are given to the recogniser, if there is one.

    Raises:
        EncryptedDocument: It asks for a password.
        DocumentDamaged: It is no PDF, or broken; from the sections: none of its pages can be read.
        DocumentTooLarge: It has more than `LIMIT_PAGES` pages.
        ScannedDocument: From the sections: no page has text, but some have pictures.
        RecognitionGaveUp: From the sections: the same, and the recogniser could read none.
    """
    with path.open("rb") as file, _damage(title):
        pages = 0
        for _ in PDFPage.create_pages(_opened(file)):
            pages += 1
            if pages > LIMIT_PAGES:
                break
    size = path.stat().st_size
    if pages > LIMIT_PAGES:
        raise DocumentTooLarge(title, size, size * LIMIT_PAGES // pages)
    if not pages:
        raise DocumentDamaged(title, "no pages")
    return ParsedDocument(title, pages, _sections(path, title, recogniser, going_on))


def _opened(file: Any) -> Any:
    return PDFDocument(PDFParser(file))


@contextmanager
def _damage(title: str) -> Iterator[None]:
    """What pdfminer raises where it cannot go on, as errors of documents."""
    try:
        yield
    except PDFEncryptionError as error:  # also where the empty password is not the right one
        raise EncryptedDocument(title, str(error)) from error
    except (OSError, MemoryError):
        raise
    except Exception as error:
        raise DocumentDamaged(title, type(error).__name__) from error


def _sections(
    path: Path, title: str, recogniser: TextRecogniser | None, going_on: GoingOn
) -> Iterator[Section]:
    device = _GlyphDevice()
    interpreter = PDFPageInterpreter(device.rsrcmgr, device)
    found_text = found_picture = recognised = False
    failure = ""
    with path.open("rb") as file:
        with _damage(title):
            pages = enumerate(PDFPage.create_pages(_opened(file)), 1)
        for number, page in pages:
            try:
                interpreter.process_page(page)
                text = device.text()
            except Exception as error:  # noqa: BLE001 - pdfminer raises anything on a broken page
                failure = type(error).__name__
                log.warning("page %d of a document was left out: %s", number, failure)
                continue
            found_picture |= device.found_picture
            if recogniser is not None and not text.strip() and device.pictures:
                read = _recognised(device.pictures, recogniser, going_on)
                recognised |= read is not None
                text = read or ""
            if text.strip():
                found_text = True
                yield Section(text, page=number)
    if found_text:
        return
    if failure:
        raise DocumentDamaged(title, failure)
    if found_picture and not recognised:
        raise ScannedDocument(title) if recogniser is None else RecognitionGaveUp(title)


def _recognised(pictures: list[Any], recogniser: TextRecogniser, going_on: GoingOn) -> str | None:
    """The text in the pictures of a page; None if none of them can be read."""
    texts: list[str] = []
    for stream in pictures:
        try:
            picture = picture_file(stream)
        except Exception as error:  # noqa: BLE001 - pdfminer raises anything on a broken picture
            log.warning("a picture of a page was left out: %s", type(error).__name__)
            continue
        if picture is None:
            continue
        try:
            texts.append(recogniser.recognise(picture, going_on))
        except RecognitionFailed as error:
            log.warning("a picture of a page was not recognised: %s", error)
    return "\n\n".join(texts) if texts else None


class _GlyphDevice(PDFTextDevice):  # type: ignore[misc]
    """Gathers the glyphs of one page after another."""

    def __init__(self) -> None:
        super().__init__(PDFResourceManager())
        self.found_picture = False
        self.pictures: list[Any] = []
        """Streams of the first pictures on the page: a scanned page has one, or a few strips."""
        self._glyphs: dict[int, list[Glyph]] = {}
        self._counted = self._forms = 0

    def text(self) -> str:
        """The text of the page: first what runs as the page does, then what was turned."""
        turned = sorted(self._glyphs.items(), key=lambda item: (item[0] != 0, -len(item[1]), item[0]))
        return "\n\n".join(text for _, glyphs in turned if (text := page_text(glyphs)))

    def begin_page(self, page: Any, ctm: Any) -> None:
        self.found_picture = False
        self.pictures = []
        self._glyphs = {}
        self._counted = self._forms = 0

    def begin_figure(self, name: str, bbox: Any, matrix: Any) -> None:
        self._forms += 1
        if self._forms > _MOST_FORMS:
            raise _PageTooLarge

    def render_image(self, name: str, stream: Any) -> None:
        self.found_picture = True
        if len(self.pictures) < _MOST_PICTURES:
            self.pictures.append(stream)

    def render_char(
        self,
        matrix: tuple[float, float, float, float, float, float],
        font: Any,
        fontsize: float,
        scaling: float,
        rise: float,
        cid: int,
        ncs: Any,
        graphicstate: Any,
    ) -> float:
        advance = float(font.char_width(cid) * fontsize * scaling)
        self._counted += 1
        if self._counted > _MOST_GLYPHS:
            raise _PageTooLarge
        try:
            text = font.to_unichr(cid)
        except PDFUnicodeNotDefined:
            self.found_picture = True  # letters one can only look at
            return advance
        a, b, c, d, x, y = matrix
        turned = math.atan2(b, a)
        width, size = abs(advance) * math.hypot(a, b), abs(fontsize) * math.hypot(c, d)
        if font.is_vertical():
            turned -= math.pi / 2
            width = size
        x, y = x + c * rise, y + d * rise
        along, across = math.cos(turned), math.sin(turned)
        start, baseline = x * along + y * across, y * along - x * across
        text = "".join(
            letter for letter in text if letter.isprintable() or letter.isspace() or letter == "\u200c"
        )
        glyph = Glyph(text, start, start + width, baseline, size or 1.0)
        self._glyphs.setdefault(round(math.degrees(turned)) % 360, []).append(glyph)
        return advance


class _BoundedZlib:
    """Stands for the module zlib in pdfminer, which unfolds streams without a limit.

    It also keeps what comes before damage, without the quadratic time of pdfminer's own way.
    """

    error = zlib.error
    decompressobj = staticmethod(zlib.decompressobj)

    @staticmethod
    def decompress(data: bytes) -> bytes:
        stream = zlib.decompressobj()
        parts: list[bytes] = []
        left = _MOST_UNFOLDED_BYTES
        for start in range(0, len(data), 65536):
            try:
                part = stream.decompress(data[start : start + 65536], left)
            except zlib.error:
                if not parts:
                    raise
                break
            parts.append(part)
            left -= len(part)
            if left <= 0 or stream.unconsumed_tail:
                raise _PageTooLarge
            if stream.eof:
                break
        return b"".join(parts)


pdftypes.zlib = _BoundedZlib
