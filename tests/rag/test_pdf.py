"""PDF pages become text in the order people read it, and no file takes the app with it.

`data/*.pdf` were printed by Chromium from the pages beside them: its way of painting Persian differs from
ReportLab's, which the other files are made with here.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import arabic_reshaper
import pytest
from bidi.algorithm import get_display
from hypothesis import given
from hypothesis import strategies as st
from reportlab.lib import pdfencrypt
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from rag.documents import pdf as pdf_reader
from rag.documents import read_document
from rag.documents.page_layout import page_text
from rag.documents.page_rows import Glyph
from rag.documents.reading_order import logical_text
from rag.errors import DocumentDamaged, DocumentTooLarge, EmptyDocument

DATA = Path(__file__).parent / "data"
FONT = Path(__file__).parents[2] / "assets" / "fonts" / "Vazirmatn-Regular.ttf"
SHAPED = arabic_reshaper.ArabicReshaper({"delete_harakat": False, "support_zwj": True})


def pages_of(path: Path) -> list[str]:
    return [section.text for section in read_document(path).sections]


def drawn(path: Path, draw: Callable[[Canvas], object], **options: object) -> Path:
    """A PDF of one page, drawn by a function."""
    pdfmetrics.registerFont(TTFont("Vazirmatn", str(FONT)))
    canvas = Canvas(str(path), **options)
    canvas.setFont("Vazirmatn", 12)
    draw(canvas)
    canvas.save()
    return path


def painted(line: str) -> str:
    return str(get_display(SHAPED.reshape(line), base_dir="R"))


def persian_page(path: Path, lines: list[str]) -> Path:
    def draw(canvas: Canvas) -> None:
        for number, line in enumerate(lines):
            canvas.drawRightString(540, 780 - 24 * number, painted(line))

    return drawn(path, draw)


def test_persian_printed_by_a_browser_reads_as_it_was_written() -> None:
    [text] = pages_of(DATA / "persian.pdf")
    assert text.split("\n\n") == [
        "دفترچۀ راهنمای کتابخانه",
        "کتابخانۀ شهر در سال ۱۴۰۲ بازسازی شد و اکنون ۳۵۰ عضو دارد. ساعت کار از ۸:۳۰ تا ۱۹:۴۵ است و روز جمعه "
        "تعطیل است.",
        "نسخۀ Python 3.11 روی گوشی (اندروید) اجرا می‌شود و برنامۀ «Flet» نیز لازم است. برای تماس به "
        "info@example.org نامه بنویسید.",
        "کتاب‌ها را می‌توان ۱۴ روز امانت گرفت؛ جریمۀ دیرکرد ۲٬۵۰۰ تومان در روز یا ۳٫۵٪ بهای کتاب است. "
        "تاریخ ۱۴۰۲/۰۵/۱۲ آخرین مهلت است.",
        "آیا کودکان (زیر ۷ سال) می‌توانند عضو شوند؟ بله، همراه پدر یا مادر.",
        "The word سلام means hello, and کتاب means book (singular).",
    ]


def test_columns_are_read_one_after_the_other_and_broken_lines_are_mended() -> None:
    first, _ = pages_of(DATA / "english.pdf")
    paragraphs = first.split("\n\n")
    assert [text.split(":")[0] for text in paragraphs[1:7]] == [
        *("Alpha one", "Alpha two", "Alpha three"),
        *("Beta one", "Beta two", "Beta three"),
    ]
    assert paragraphs[1].endswith("while the spindle turns, because it will fly across the room.")
    assert paragraphs[-1].startswith("End of page")


def test_pages_have_numbers_and_tables_are_read_across() -> None:
    document = read_document(DATA / "english.pdf")
    _, second = document.sections
    assert (document.pages, second.page) == (2, 2)
    assert "Gloves 12\nGoggles 7" in second.text


@pytest.mark.parametrize(
    "line",
    [
        "جریمه ۲٬۵۰۰ تومان یا ۳٫۵٪ بها در ۱۴۰۲/۰۵/۱۲ ساعت ۸:۳۰ است.",
        "تلفن ۰۲۱-۸۸۷۷ و نشانی info@example.org یا https://example.org/a?b=1 است.",
        "فهرست [۱] و [۲، ۳] و {الف} و «ب» (ج)",
        "حافظه 8 GB و ۵۰٪ آن با RAM (DDR4) پر است",
        "زبان C++ و C# در سال 2024 با Python 3.11",
        "لاله در آلاله‌زار کتاب‌ها را می‌خواند؛ چرا؟",
        "مُحَمَّد بِن زَکَرِیّا",
    ],
)
def test_what_stands_within_persian_keeps_its_own_direction(tmp_path: Path, line: str) -> None:
    assert pages_of(persian_page(tmp_path / "فارسی 📚.pdf", [line])) == [line]


WORDS = st.sampled_from(
    ["کتاب", "خانه", "(سبز)", "«نو»", "۱۴۰۲", "۳٫۵", "۱۲/۵", "[الف]", "است؟", "سلام،", "بود.", "آبی"]
)
ISLANDS = st.sampled_from(["Python", "see example.org", "C++", "a (b) c", "x-y", "RAM 16 DDR", "foo_bar"])


@given(st.lists(WORDS, min_size=1, max_size=6), ISLANDS, st.lists(WORDS, min_size=1, max_size=6))
def test_the_way_back_inverts_the_display_algorithm(before: list[str], island: str, after: list[str]) -> None:
    # A letter on each side: beside a number, two spellings look the same.
    line = " ".join(["از", *before, "با", island, "و", *after])
    assert logical_text(list(get_display(line, base_dir="R")), right_to_left=True) == line


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_persian_words_within_english_are_turned_in_place(words: list[str]) -> None:
    line = f"The words {' '.join(['از', *words, 'تا'])} are Persian."
    assert logical_text(list(get_display(line, base_dir="L")), right_to_left=False) == line


@given(st.lists(st.text(max_size=2), max_size=30), st.booleans(), st.booleans())
def test_reordering_loses_no_glyph(pieces: list[str], right_to_left: bool, mirrored: bool) -> None:
    found = logical_text(pieces, right_to_left=right_to_left, mirrored=mirrored)
    assert len(found) == sum(map(len, pieces))


@given(
    st.lists(
        st.builds(
            Glyph,
            st.text(max_size=2),
            st.floats(-1e4, 1e4),
            st.floats(-1e4, 1e4),
            st.floats(-1e4, 1e4),
            st.floats(0.01, 1e3),
        ),
        max_size=30,
    )
)
def test_glyphs_anywhere_give_some_text(glyphs: list[Glyph]) -> None:
    assert isinstance(page_text(glyphs), str)


def test_turned_text_does_not_mix_with_the_lines_it_crosses(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for number in range(6):
            canvas.drawString(60, 780 - 16 * number, f"Line {number} runs from left to right.")
        canvas.translate(100, 690)
        canvas.rotate(90)
        canvas.drawString(0, 0, "CONFIDENTIAL COPY")

    [text] = pages_of(drawn(tmp_path / "turned.pdf", draw))
    assert text.endswith("CONFIDENTIAL COPY")
    assert "Line 3 runs from left to right." in text.splitlines()


def test_words_divided_at_the_end_of_a_line_are_whole_again(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        lines = [
            "The compressor is switched off by the last per-",
            "son, who also signs the long list that hangs",
        ]
        for number, line in enumerate([*lines, "beside the door."]):
            canvas.drawString(60, 780 - 16 * number, line)

    [text] = pages_of(drawn(tmp_path / "divided.pdf", draw))
    assert "by the last person, who also" in text


def test_letters_painted_twice_to_look_bold_are_read_once(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 780, "Bold letters")
        canvas.drawString(60.3, 780, "Bold letters")

    assert pages_of(drawn(tmp_path / "bold.pdf", draw)) == ["Bold letters"]


def test_an_empty_password_opens_by_itself(tmp_path: Path) -> None:
    locked = pdfencrypt.StandardEncryption("", ownerPassword="owner", canPrint=0)
    path = drawn(tmp_path / "open.pdf", lambda canvas: canvas.drawString(60, 700, "Open"), encrypt=locked)
    assert pages_of(path) == ["Open"]


def raw_pdf(path: Path, *contents: bytes, folded: bool = False) -> Path:
    """A PDF with one page per content stream, as a hostile writer would put it together."""
    kids = " ".join(f"{10 + 2 * number} 0 R" for number in range(len(contents)))
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: f"<</Type/Pages/Kids[{kids}]/Count {len(contents)}/MediaBox[0 0 600 800]>>".encode(),
        3: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    }
    for number, content in enumerate(contents):
        page = 10 + 2 * number
        objects[page] = (
            f"<</Type/Page/Parent 2 0 R/Contents {page + 1} 0 R/Resources<</Font<</F 3 0 R>>>>>>".encode()
        )
        filters = b"/Filter/FlateDecode" if folded else b""
        body = zlib.compress(content, 9) if folded else content
        objects[page + 1] = b"<<%s/Length %d>>stream\n%s\nendstream" % (filters, len(body), body)
    parts = [b"%PDF-1.4\n", *(b"%d 0 obj%s endobj\n" % item for item in objects.items())]
    path.write_bytes(b"".join(parts) + b"trailer<</Root 1 0 R>>\n%%EOF")
    return path


TEXT = b"BT /F 12 Tf 50 700 Td (Readable page) Tj ET"


def test_a_page_that_cannot_be_read_does_not_lose_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_reader, "_MOST_GLYPHS", 50)
    path = raw_pdf(tmp_path / "part.pdf", b"BT /F 12 Tf (" + b"x" * 60 + b") Tj ET", TEXT)
    [section] = read_document(path).sections
    assert (section.page, section.text) == (2, "Readable page")


def test_if_no_page_can_be_read_the_document_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_reader, "_MOST_GLYPHS", 5)
    with pytest.raises(DocumentDamaged):
        read_document(raw_pdf(tmp_path / "none.pdf", TEXT))


def test_a_stream_that_unfolds_without_end_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_reader, "_MOST_UNFOLDED_BYTES", 100_000)
    path = raw_pdf(tmp_path / "bomb.pdf", TEXT + b" " * 200_000, folded=True)
    with pytest.raises(DocumentDamaged):
        read_document(path)
    assert pages_of(raw_pdf(tmp_path / "small.pdf", TEXT + b" " * 50_000, folded=True)) == ["Readable page"]


def test_a_damaged_stream_gives_what_stands_before_the_damage(tmp_path: Path) -> None:
    path = raw_pdf(tmp_path / "cut.pdf", TEXT + bytes(range(32, 127)) * 3000, folded=True)
    content = path.read_bytes()
    end = content.index(b"endstream")
    path.write_bytes(content[: end - 9] + b"\0" * 8 + content[end - 1 :])
    assert pages_of(path)[0].startswith("Readable page")


def test_too_many_pages_are_refused_with_the_size_that_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_reader, "LIMIT_PAGES", 2)
    path = raw_pdf(tmp_path / "long.pdf", TEXT, TEXT, TEXT)
    with pytest.raises(DocumentTooLarge) as refused:
        read_document(path)
    assert refused.value.bytes == path.stat().st_size > refused.value.limit_bytes


def test_a_page_without_anything_is_an_empty_document(tmp_path: Path) -> None:
    with pytest.raises(EmptyDocument):
        read_document(raw_pdf(tmp_path / "blank.pdf", b"q Q"))


def test_the_same_file_gives_the_same_text() -> None:
    assert pages_of(DATA / "persian.pdf") == pages_of(DATA / "persian.pdf")
