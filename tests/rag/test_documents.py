"""Documents become text in reading order, and broken ones a clear error."""

from __future__ import annotations

from pathlib import Path

import arabic_reshaper
import pytest
from bidi.algorithm import get_display
from reportlab.lib import pdfencrypt
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from rag.documents import read_document, supported_suffixes
from rag.errors import (
    DocumentDamaged,
    DocumentMissing,
    DocumentUnreadable,
    EmptyDocument,
    EncryptedDocument,
    ScannedDocument,
    UnsupportedFormat,
)

FONT = Path(__file__).parents[2] / "assets" / "fonts" / "Vazirmatn-Regular.ttf"
PERSIAN = [
    "کتابخانه در سال ۱۴۰۲ بازسازی شد و ۳۵۰ عضو دارد.",
    "نسخه Python 3.11 روی گوشی (اندروید) اجرا می شود.",
]


def text_of(path: Path) -> str:
    return "\n".join(section.text for section in read_document(path).sections)


def written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def pdf(path: Path, *pages: list[str], encryption: object = None) -> Path:
    pdfmetrics.registerFont(TTFont("Vazirmatn", str(FONT)))
    canvas = Canvas(str(path), encrypt=encryption)
    for lines in pages:
        canvas.setFont("Vazirmatn", 14)
        for number, line in enumerate(lines):
            canvas.drawString(60, 780 - 24 * number, get_display(arabic_reshaper.reshape(line)))
        canvas.showPage()
    canvas.save()
    return path


def test_persian_pdf_lines_come_in_reading_order_with_their_numbers(tmp_path: Path) -> None:
    assert text_of(pdf(tmp_path / "fa.pdf", PERSIAN)).splitlines() == PERSIAN


def test_pages_are_counted_and_named(tmp_path: Path) -> None:
    document = read_document(pdf(tmp_path / "two.pdf", ["First page."], ["Second page."]))
    assert document.pages == 2
    assert [(section.page, section.text) for section in document.sections] == [
        (1, "First page."),
        (2, "Second page."),
    ]


def test_an_encrypted_pdf_says_so(tmp_path: Path) -> None:
    locked = pdf(tmp_path / "locked.pdf", ["Secret"], encryption=pdfencrypt.StandardEncryption("password"))
    with pytest.raises(EncryptedDocument):
        text_of(locked)


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("empty.pdf", b"", EmptyDocument),
        ("broken.pdf", b"%PDF-1.7\n1 0 obj <<", DocumentDamaged),
        ("text.pdf", b"no pdf at all", DocumentDamaged),
        ("blank.txt", b" \n\t\n ", EmptyDocument),
        ("binary.txt", bytes(range(256)) * 20, DocumentDamaged),
        ("picture.png", b"\x89PNG\r\n", ScannedDocument),
        ("sound.mp3", b"ID3\x04\x00\x00", UnsupportedFormat),
    ],
)
def test_what_cannot_be_read_says_why(
    tmp_path: Path, name: str, content: bytes, error: type[Exception]
) -> None:
    path = written(tmp_path / name, content)
    with pytest.raises(error):
        text_of(path)


def test_missing_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DocumentMissing):
        read_document(tmp_path / "gone.txt")
    with pytest.raises(DocumentUnreadable):
        read_document(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1256"])
def test_text_is_read_in_the_encodings_people_have(tmp_path: Path, encoding: str) -> None:
    text = "كتاب قديمي و price 42"
    assert text_of(written(tmp_path / "📚 کتاب.txt", text.encode(encoding))) == text


def test_a_long_text_comes_in_bounded_pieces_without_loss(tmp_path: Path) -> None:
    text = "\n\n".join(f"Paragraph {number} " + "word " * 50 for number in range(2000))
    sections = list(read_document(written(tmp_path / "long.txt", text)).sections)
    assert "".join(section.text for section in sections) == text
    assert max(len(section.text) for section in sections) < 40_000


def test_markdown_keeps_headings_and_ignores_hashes_in_code(tmp_path: Path) -> None:
    text = "---\ntags: x\n---\n# Boiler\nVent it.\n```\n# no heading\n```\n## Valve\nRed."
    sections = list(read_document(written(tmp_path / "a.md", text)).sections)
    assert [(s.heading, s.level) for s in sections] == [("Boiler", 1), ("Valve", 2)]
    assert "# no heading" in sections[0].text
    assert "tags" not in sections[0].text


def test_html_shows_what_a_reader_sees(tmp_path: Path) -> None:
    page = """<html><head><title>House</title><style>x{}</style></head><body><nav>menu</nav>
    <h1>Boiler</h1><p>Vent it <b>slowly</b>.</p><script>alert(1)</script>
    <ul><li>red valve</li></ul><table><tr><td>May</td><td>3</td></tr></table></body></html>"""
    document = read_document(written(tmp_path / "a.html", page))
    [section] = document.sections
    assert document.title == "House"
    assert section.heading == "Boiler"
    assert section.text == "Boiler\n\nVent it slowly.\n\n- red valve\n\nMay | 3"


def test_deeply_nested_html_is_harmless(tmp_path: Path) -> None:
    page = "<html><body>" + "<i>" * 400 + "deep" + "</i>" * 400 + "</body></html>"
    assert "deep" in text_of(written(tmp_path / "deep.html", page))


def test_the_common_formats_are_offered() -> None:
    assert {".txt", ".md", ".pdf", ".html", ".py"} <= supported_suffixes()
