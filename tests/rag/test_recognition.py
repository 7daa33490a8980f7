"""Scanned pages and photographs become text, where Tesseract is installed."""

from __future__ import annotations

import io
import os
import random
import re
import stat
import sys
import unicodedata
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from rag.documents import read_document, supported_suffixes
from rag.errors import EmptyDocument, RecognitionGaveUp, ScannedDocument
from rag.recognition import finding, tesseract
from rag.recognition.finding import find_recogniser
from rag.recognition.pictures import skew
from rag.recognition.protocol import RecognitionFailed
from tests.phone import is_phone
from tests.rag.test_indexing import base, house

FONT = Path(__file__).parents[2] / "assets" / "fonts" / "Vazirmatn-Regular.ttf"
PERSIAN = [
    "کتابخانه مرکزی شهر در سال ۱۴۰۲ بازسازی شد و اکنون ۳۵۰ عضو دارد.",
    "هر عضو می تواند تا پنج کتاب را برای سه هفته به امانت بگیرد.",
    "در زمستان ساعت کار از هشت صبح تا شش بعد از ظهر است.",
    "برای تمدید کتاب ها با شماره ۴۴۸۱ تماس بگیرید یا به میز امانت بروید.",
    "کودکان زیر هفت سال با همراهی پدر یا مادر از بخش کودک استفاده می کنند.",
]
ENGLISH = [
    "The boiler in the cellar must be vented every October.",
    "Open the red valve slowly and wait until the water runs.",
    "The pressure should stay between 1.2 and 1.8 bar.",
]

pytestmark = pytest.mark.desktop("a program, which phones cannot start")
has_tesseract = pytest.mark.skipif(
    is_phone() or find_recogniser() is None, reason="Tesseract is not installed"
)
posix_programs = pytest.mark.skipif(sys.platform == "win32", reason="programs are made with #!")
can_shape = pytest.mark.skipif(
    not __import__("PIL.features").features.check("raqm"), reason="Pillow cannot join Persian letters"
)


def page(lines: list[str], turned: float = 0.0) -> Image.Image:
    """A page as a scanner gives it, at 200 dots per inch."""
    image = Image.new("L", (1650, 900), 255)
    drawing = ImageDraw.Draw(image)
    font = ImageFont.truetype(str(FONT), 44)
    right_to_left = "\u0600" <= lines[0][0] <= "\u06ff"
    for number, line in enumerate(lines):
        place = (1550, 80 + number * 110) if right_to_left else (100, 80 + number * 110)
        options = {"direction": "rtl", "language": "fa"} if right_to_left else {}
        drawing.text(place, line, 0, font, anchor="ra" if right_to_left else "la", **options)
    return image.rotate(turned, Image.Resampling.BICUBIC, expand=True, fillcolor=255)


def file_of(image: Image.Image, kind: str = "PNG") -> bytes:
    written = io.BytesIO()
    image.save(written, kind)
    return written.getvalue()


def scanned_pdf(path: Path, *images: Image.Image) -> Path:
    canvas = Canvas(str(path))
    for image in images:
        canvas.drawImage(ImageReader(io.BytesIO(file_of(image, "JPEG"))), 0, 300, 595, 325)
        canvas.showPage()
    canvas.save()
    return path


def error_rate(read: str, written: list[str]) -> float:
    """Letters to change, of all letters; the kind of ye, kaf and half space does not count."""

    def plain(text: str) -> str:
        folded = unicodedata.normalize("NFKC", text).translate(str.maketrans("يك\u200c", "یک "))
        return re.sub(r"\s+", " ", folded).strip()

    first, second = plain(read), plain("\n".join(written))
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1] / len(second)


def text_of(path: Path) -> str:
    found = read_document(path, recogniser=find_recogniser())
    return "\n".join(section.text for section in found.sections)


@can_shape
@has_tesseract
@pytest.mark.parametrize("turned", [0.0, 2.0, -3.0])
def test_a_persian_page_is_read_even_when_it_lies_askew(tmp_path: Path, turned: float) -> None:
    path = tmp_path / "scan.png"
    path.write_bytes(file_of(page(PERSIAN, turned)))
    assert error_rate(text_of(path), PERSIAN) <= 0.02


@has_tesseract
def test_an_english_page_is_read_as_english(tmp_path: Path) -> None:
    path = tmp_path / "scan.jpg"
    path.write_bytes(file_of(page(ENGLISH).filter(ImageFilter.GaussianBlur(1)), "JPEG"))
    assert error_rate(text_of(path), ENGLISH) <= 0.02


@has_tesseract
def test_pages_of_a_scanned_pdf_are_read_and_numbered(tmp_path: Path) -> None:
    path = scanned_pdf(tmp_path / "scan.pdf", page(ENGLISH[:1]), page(ENGLISH[1:]))
    document = read_document(path, recogniser=find_recogniser())
    found = [(section.page, section.text) for section in document.sections]
    assert document.pages == 2
    assert [number for number, _ in found] == [1, 2]
    assert "vented every October" in found[0][1]
    assert "red valve" in found[1][1]


@has_tesseract
def test_pages_of_a_tiff_are_read(tmp_path: Path) -> None:
    path = tmp_path / "fax.tif"
    page(ENGLISH[:1]).save(path, save_all=True, append_images=[page(ENGLISH[1:])])
    found = read_document(path, recogniser=find_recogniser()).sections
    assert [section.page for section in found] == [1, 2]


@has_tesseract
def test_a_picture_without_text_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "white.png"
    path.write_bytes(file_of(Image.new("L", (800, 600), 255)))
    with pytest.raises(EmptyDocument):
        text_of(path)


@has_tesseract
@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n broken", b"\xff\xd8\xff\xe0 broken", b"II*\0 broken"]
)
def test_a_broken_picture_is_given_up(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(RecognitionGaveUp):
        text_of(path)


@has_tesseract
def test_pictures_are_offered_where_they_can_be_read() -> None:
    assert {".png", ".jpg", ".tif"} <= supported_suffixes()


def test_without_a_recogniser_pictures_are_neither_offered_nor_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_recogniser() is None
    assert ".png" not in supported_suffixes()
    path = tmp_path / "scan.png"
    path.write_bytes(file_of(page(ENGLISH)))
    for scanned in (path, scanned_pdf(tmp_path / "scan.pdf", page(ENGLISH))):
        with pytest.raises(ScannedDocument):
            list(read_document(scanned).sections)


def test_pictures_in_pdfs_of_other_kinds_are_given_to_the_recogniser(tmp_path: Path) -> None:
    """Grey, black and white, and inverted pictures come as the files they are shown as."""
    image = page(ENGLISH).resize((825, 450))
    given: list[Image.Image] = []

    class Looking:
        name = "looks"

        def recognise(self, picture: bytes, going_on: object) -> str:
            given.append(Image.open(io.BytesIO(picture)).convert("L"))
            return "seen"

    path = tmp_path / "kinds.pdf"
    canvas = Canvas(str(path))
    for kind in ("L", "RGB", "1"):
        canvas.drawImage(ImageReader(image.convert(kind)), 0, 300, 595, 325)
        canvas.showPage()
    canvas.save()
    assert [section.text for section in read_document(path, recogniser=Looking()).sections] == ["seen"] * 3
    for picture in given:
        assert picture.size == image.size
        assert picture.getpixel((2, 2)) == 255  # the paper is white


@posix_programs
def test_a_document_that_is_cancelled_ends_the_program_that_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    body = (
        "if '--list-langs' in sys.argv:\n    print('eng')\n    sys.exit()\n"
        f"with open({str(begun)!r}, 'w') as told:\n    told.write(str(os.getpid()))\ntime.sleep(60)"
    )
    program(tmp_path, body)
    monkeypatch.setenv("PATH", str(tmp_path))
    knowledge = base(tmp_path)
    knowledge.start()
    picture = tmp_path / "scan.png"
    picture.write_bytes(file_of(page(ENGLISH)))
    document = knowledge.add(house(knowledge), picture)
    number = int(begun.read_text())  # waits for the program to write
    knowledge.cancel(document.id)
    knowledge.close()
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    assert knowledge_is_empty(tmp_path)


def knowledge_is_empty(folder: Path) -> bool:
    knowledge = base(folder)
    try:
        return knowledge.documents(house(knowledge)) == []
    finally:
        knowledge.close()


def program(folder: Path, body: str) -> str:
    """A program that behaves as each test wants, in the place of Tesseract."""
    path = folder / "tesseract"
    path.write_text(f"#!{sys.executable}\nimport os, sys, time\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@posix_programs
def test_a_program_that_hangs_is_ended_as_soon_as_nobody_wants_the_text(tmp_path: Path) -> None:
    number = tmp_path / "number"
    hanging = program(tmp_path, f"open({str(number)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)")

    class Cancelled(Exception):
        pass

    def going_on() -> None:
        if number.exists() and number.read_text():
            raise Cancelled

    with pytest.raises(Cancelled):
        tesseract.Tesseract(hanging, ["eng"]).recognise(file_of(page(ENGLISH)), going_on)
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


@posix_programs
def test_a_program_that_takes_too_long_or_fails_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tesseract, "_SECONDS", 0.1)
    picture = file_of(page(ENGLISH))
    for body in ("time.sleep(60)", "sys.exit(3)"):
        with pytest.raises(RecognitionFailed):
            tesseract.Tesseract(program(tmp_path, body), ["eng"]).recognise(picture, lambda: None)


@posix_programs
def test_a_program_that_is_slow_to_start_gets_all_of_a_large_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tesseract, "_LOOK_SECONDS", 0.01)
    body = (
        "time.sleep(0.2)\nwhole = len(sys.stdin.buffer.read())\nprint('head')\n"
        "print('\\t'.join(['5', '1', '1', '1', '1', '1', '0', '0', '9', '9', '95', str(whole)]))"
    )
    noise = Image.frombytes(
        "L", (700, 500), random.Random(1).randbytes(350_000)
    )  # far more than a pipe holds
    recogniser = tesseract.Tesseract(program(tmp_path, body), ["eng"])
    assert int(recogniser.recognise(file_of(noise), lambda: None)) > 300_000


@posix_programs
def test_the_surer_language_is_believed_and_asked_first_the_next_time(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    body = (
        "language = sys.argv[4]\n"
        f"open({str(asked)!r}, 'a').write(language + ' ')\n"
        "sure = {'fas': 40, 'eng': 90}[language]\n"
        "print('head')\n"
        "print('\\t'.join(['5', '1', '1', '1', '1', '1', '0', '0', '9', '9', str(sure), 'word-' + language]))"
    )
    recogniser = tesseract.Tesseract(program(tmp_path, body), ["fas", "eng"])
    picture = file_of(page(ENGLISH))
    assert recogniser.recognise(picture, lambda: None) == "word-eng"
    assert recogniser.recognise(picture, lambda: None) == "word-eng"
    assert asked.read_text().split() == ["fas", "eng", "eng"]


@posix_programs
def test_a_program_without_our_languages_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "print('List of available languages (1):\\nklingon')")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert finding.find_recogniser() is None


@pytest.mark.parametrize("turned", [-5.0, -2.0, -0.5, 0.0, 1.0, 4.0])
def test_the_angle_of_a_page_is_found(turned: float) -> None:
    assert skew(page(ENGLISH, turned)) == pytest.approx(-turned, abs=0.2)
