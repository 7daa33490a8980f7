"""Which reader a file gets, what it is called, and which files are refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from rag import documents
from rag.documents import read_document
from rag.errors import DocumentTooLarge, DocumentUnreadable, ScannedDocument, UnsupportedFormat


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "TIFF"])
@pytest.mark.parametrize("name", ["picture", "picture.txt", "picture.jpg"])
def test_pictures_are_known_by_their_content_and_need_a_recogniser(
    tmp_path: Path, format: str, name: str
) -> None:
    path = tmp_path / name
    Image.new("RGB", (40, 40), "red").save(path, format)
    with pytest.raises(ScannedDocument) as caught:
        read_document(path)
    assert caught.value.name == path.name


def test_moving_pictures_are_no_documents(tmp_path: Path) -> None:
    path = tmp_path / "picture.gif"
    Image.new("RGB", (40, 40), "red").save(path, "GIF")
    with pytest.raises(UnsupportedFormat):
        read_document(path)


def test_the_start_of_a_png_alone_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "start"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0")
    with pytest.raises(ScannedDocument):
        read_document(path)


@pytest.mark.parametrize(
    ("content", "text"),
    [("<!DOCTYPE html><p>Vent <b>it</b>", "Vent it"), ("سلام دنیا", "سلام دنیا")],
)
def test_a_file_without_suffix_is_known_by_its_content(tmp_path: Path, content: str, text: str) -> None:
    path = tmp_path / "README"
    path.write_text(content, "utf-8")
    assert [section.text for section in read_document(path).sections] == [text]


def test_an_upload_is_read_and_titled_by_the_name_people_gave_it(tmp_path: Path) -> None:
    path = tmp_path / "9f2c.part"
    path.write_text("# Boiler\nVent it.", "utf-8")
    document = read_document(path, "Manual v1.2.md")
    assert document.title == "Manual v1.2"
    assert [section.heading for section in document.sections] == ["Boiler"]


def test_pages_of_pictures_alone_are_called_scanned(tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    Image.new("RGB", (40, 40)).save(picture)
    canvas = Canvas(str(tmp_path / "scan.pdf"))
    canvas.drawImage(str(picture), 10, 10)
    canvas.save()
    with pytest.raises(ScannedDocument):
        read_document(tmp_path / "scan.pdf")


def test_a_file_over_the_limit_is_refused_with_both_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "LIMIT_BYTES", 10)
    path = tmp_path / "large.txt"
    path.write_text("eleven char", "utf-8")
    with pytest.raises(DocumentTooLarge) as caught:
        read_document(path)
    assert (caught.value.bytes, caught.value.limit_bytes) == (11, 10)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(DocumentUnreadable):
        read_document(tmp_path / "pipe.txt")


def test_content_counts_before_the_suffix(tmp_path: Path) -> None:
    page = tmp_path / "download.pdf"
    page.write_text("<!-- saved -->\n<!DOCTYPE html><p>Not found", "utf-8")
    assert [section.text for section in read_document(page).sections] == ["Not found"]
    canvas = Canvas(str(tmp_path / "really.txt"))
    canvas.drawString(60, 700, "A PDF")
    canvas.save()
    assert [section.text for section in read_document(tmp_path / "really.txt").sections] == ["A PDF"]


def test_source_code_about_html_stays_source_code(tmp_path: Path) -> None:
    path = tmp_path / "page.py"
    path.write_text('TEXT = """\n<html><body>"""\n', "utf-8")
    assert next(iter(read_document(path).sections)).text.startswith("TEXT")
