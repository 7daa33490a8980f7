"""Books: chapters in reading order, under their names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from rag.documents import read_document
from rag.errors import DocumentDamaged, EncryptedDocument, UnsafeDocument
from tests.rag.office_files import archive

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>"
)
XHTML = 'media-type="application/xhtml+xml"'


def chapter(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">'
        f"<head><title>ignored</title></head><body>{body}</body></html>"
    )


def book(path: Path, manifest: str, spine: str, parts: Mapping[str, str]) -> Path:
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<metadata><dc:title>بوستان</dc:title></metadata><manifest>{manifest}</manifest>"
        f"<spine>{spine}</spine></package>"
    )
    contents = {"META-INF/container.xml": CONTAINER, "OEBPS/book.opf": package, **parts}
    return archive(path, contents, first={"mimetype": "application/epub+zip"})


TWO_CHAPTERS = (
    f'<item id="b" href="text/b%20b.xhtml" {XHTML}/><item id="a" href="text/a.xhtml" {XHTML}/>'
    f'<item id="n" href="nav.xhtml" properties="nav" {XHTML}/>'
)
TWO_PARTS = {
    "OEBPS/text/a.xhtml": chapter("<h1>On justice</h1><p>First words.</p>"),
    "OEBPS/text/b b.xhtml": chapter("<p>در ذکر <i>محبت</i>.</p>"),
    "OEBPS/nav.xhtml": chapter(
        '<nav><ol><li><a href="text/b%20b.xhtml#x">On <b>love</b></a></li></ol></nav>'
    ),
}


def test_chapters_come_in_reading_order_under_their_names(tmp_path: Path) -> None:
    spine = '<itemref idref="n"/><itemref idref="a"/><itemref idref="b"/>'
    document = read_document(book(tmp_path / "a.epub", TWO_CHAPTERS, spine, TWO_PARTS))
    assert document.title == "بوستان"
    assert [(section.heading, section.level, section.text) for section in document.sections] == [
        ("On justice", 1, "On justice\n\nFirst words."),
        ("On love", 1, "در ذکر محبت."),
    ]


def test_the_contents_of_old_books_name_chapters_too(tmp_path: Path) -> None:
    ncx = (
        '<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://www.daisy.org/z3986/2005/ncx-2005-1.dtd">'
        "<ncx><navMap><navPoint><navLabel><text>Love</text></navLabel>"
        '<content src="text/b%20b.xhtml"/></navPoint></navMap></ncx>'
    )
    manifest = TWO_CHAPTERS.replace(' properties="nav"', "") + (
        '<item id="x" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    )
    parts = {**TWO_PARTS, "OEBPS/toc.ncx": ncx}
    [section] = read_document(book(tmp_path / "a.epub", manifest, '<itemref idref="b"/>', parts)).sections
    assert section.heading == "Love"


def test_a_page_that_is_missing_does_not_lose_the_book(tmp_path: Path) -> None:
    manifest = f'{TWO_CHAPTERS}<item id="gone" href="gone.xhtml" {XHTML}/>'
    path = book(tmp_path / "a.epub", manifest, '<itemref idref="gone"/><itemref idref="a"/>', TWO_PARTS)
    assert [section.heading for section in read_document(path).sections] == ["On justice"]


def test_a_book_locked_by_its_shop_says_so_and_one_with_locked_fonts_is_read(tmp_path: Path) -> None:
    for locked, name in (("OEBPS/text/a.xhtml", "locked.epub"), ("OEBPS/font.otf", "fonts.epub")):
        encryption = f'<encryption><CipherData><CipherReference URI="{locked}"/></CipherData></encryption>'
        parts = {**TWO_PARTS, "META-INF/encryption.xml": encryption}
        path = book(tmp_path / name, TWO_CHAPTERS, '<itemref idref="a"/>', parts)
        if name == "locked.epub":
            with pytest.raises(EncryptedDocument):
                read_document(path)
        else:
            assert list(read_document(path).sections)


@pytest.mark.parametrize("full_path", ["missing.opf", "../../../etc/hostname", ""])
def test_a_book_without_its_package_document_is_damaged(tmp_path: Path, full_path: str) -> None:
    container = CONTAINER.replace("OEBPS/book.opf", full_path)
    path = book(tmp_path / "a.epub", "", "", {"META-INF/container.xml": container})
    with pytest.raises(DocumentDamaged):
        read_document(path)


def test_a_chapter_larger_than_memory_allows_is_refused(tmp_path: Path) -> None:
    parts = {"OEBPS/text/a.xhtml": " " * (17 << 20)}
    path = book(tmp_path / "a.epub", TWO_CHAPTERS, '<itemref idref="a"/>', parts)
    with pytest.raises(UnsafeDocument):
        list(read_document(path).sections)
