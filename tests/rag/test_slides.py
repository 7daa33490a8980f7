"""Presentations: each slide a page, with what is said beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.documents import read_document, slides
from rag.errors import DocumentDamaged, DocumentTooLarge
from tests.rag.office_files import NAMESPACES, office_file, relations

DATA = Path(__file__).with_name("data")


def shape(text: str, placeholder: str = "") -> str:
    kind = f'<p:nvSpPr><p:nvPr><p:ph type="{placeholder}"/></p:nvPr></p:nvSpPr>' if placeholder else ""
    return f"<p:sp>{kind}<p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"


def presentation(path: Path, *slide_shapes: str, order: str = "") -> Path:
    numbers = order or "".join(str(number) for number in range(1, len(slide_shapes) + 1))
    listed = "".join(f'<p:sldId id="{256 + int(n)}" r:id="r{n}"/>' for n in numbers)
    main = f"<p:presentation {NAMESPACES}><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>"
    parts = {
        "ppt/presentation.xml": main,
        "ppt/_rels/presentation.xml.rels": relations(
            **{f"r{n}": ("slide", f"slides/slide{n}.xml") for n in range(1, len(slide_shapes) + 1)}
        ),
    }
    for number, shapes in enumerate(slide_shapes, 1):
        parts[f"ppt/slides/slide{number}.xml"] = f"<p:sld {NAMESPACES}><p:spTree>{shapes}</p:spTree></p:sld>"
    return office_file(path, "ppt/presentation.xml", parts)


def test_a_presentation_written_by_a_program_is_read_slide_by_slide() -> None:
    document = read_document(DATA / "course.pptx")
    assert (document.title, document.pages) == ("Boiler course", 3)
    found = list(document.sections)
    assert [(section.page, section.heading) for section in found] == [
        (1, "Boiler course"),
        (2, "Venting"),
        (3, "Rain"),
    ]
    assert found[1].text == "Venting\n\nOpen the red valve\nWait a minute\n\nMention the winter of ۱۴۰۲."
    assert "Month: June | Rain: 12 mm | Days: 9" in found[2].text
    assert found[2].text.endswith("گروه")  # a text box inside a group


def test_slides_are_counted_in_the_order_they_are_shown(tmp_path: Path) -> None:
    path = presentation(tmp_path / "a.pptx", shape("first made"), shape("second made"), order="21")
    found = [(section.page, section.text) for section in read_document(path).sections]
    assert found == [(1, "second made"), (2, "first made")]


def test_an_empty_slide_keeps_the_numbers_right(tmp_path: Path) -> None:
    path = presentation(tmp_path / "a.pptx", shape("one"), "", shape("three"))
    document = read_document(path)
    assert document.pages == 3
    assert [section.page for section in document.sections] == [1, 3]


def test_what_stands_on_every_slide_is_left_out(tmp_path: Path) -> None:
    shapes = shape("7", "sldNum") + shape("May", "dt") + shape("Company", "ftr") + shape("Content", "body")
    [section] = read_document(presentation(tmp_path / "a.pptx", shapes)).sections
    assert section.text == "Content"


def test_a_presentation_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slides, "LIMIT_SLIDES", 1)
    with pytest.raises(DocumentTooLarge):
        read_document(presentation(tmp_path / "a.pptx", shape("a"), shape("b")))


def test_a_slide_that_is_no_xml_is_damage(tmp_path: Path) -> None:
    path = presentation(tmp_path / "a.pptx", shape("one"), "<p:sp>")
    with pytest.raises(DocumentDamaged):
        list(read_document(path).sections)
