"""Texts, presentations and spreadsheets in the OpenDocument format, as LibreOffice writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.documents import ParsedDocument, open_text, read_document
from rag.errors import (
    DocumentDamaged,
    DocumentTooLarge,
    EmptyDocument,
    EncryptedDocument,
    UnsafeDocument,
    UnsupportedFormat,
)
from tests.rag.office_files import archive

NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"'
    for prefix, space in {
        "office": "office",
        "text": "text",
        "table": "table",
        "draw": "drawing",
        "style": "style",
        "presentation": "presentation",
        "svg": "svg-compatible",
    }.items()
)
KINDS = {"odt": "text", "odp": "presentation", "ods": "spreadsheet"}


def written(path: Path, body: str, styles: str = "", **parts: str) -> Path:
    kind = KINDS[path.suffix[1:]]
    content = (
        f"<office:document-content {NAMESPACES}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    return archive(
        path,
        {"content.xml": content, **{name.replace("_", "."): text for name, text in parts.items()}},
        {"mimetype": f"application/vnd.oasis.opendocument.{kind}"},
    )


def text(path: Path) -> str:
    return "\n\n".join(section.text for section in read_document(path).sections)


def rows(path: Path) -> list[str]:
    return text(path).split("\n\n")


def cell(shown: str, kind: str = "string", value: str = "", more: str = "") -> str:
    name = "date-value" if kind == "date" else "value"
    exact = f' office:{name}="{value}"' if value else ""
    paragraph = f"<text:p>{shown}</text:p>" if shown else ""
    return f'<table:table-cell office:value-type="{kind}"{exact} {more}>{paragraph}</table:table-cell>'


def row(*cells: str) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def table(*inner: str, name: str = "Rain", style: str = "") -> str:
    return f'<table:table table:name="{name}" table:style-name="{style}">{"".join(inner)}</table:table>'


def test_paragraphs_stand_under_their_headings(tmp_path: Path) -> None:
    body = (
        '<text:h text:outline-level="1">Boiler</text:h>'
        "<text:p>Open the <text:span>red</text:span> valve.</text:p>"
        '<text:h text:outline-level="2">Winter</text:h><text:list><text:list-item><text:p>Drain it.</text:p>'
        "</text:list-item></text:list>"
    )
    document = read_document(written(tmp_path / "a.odt", body))
    assert [(it.heading, it.level, it.text) for it in document.sections] == [
        ("Boiler", 1, "Boiler\n\nOpen the red valve."),
        ("Winter", 2, "Winter\n\nDrain it."),
    ]


def test_the_title_is_the_authors(tmp_path: Path) -> None:
    meta = '<m xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>دفترچهٔ دیگ بخار</dc:title></m>'
    document: ParsedDocument = read_document(written(tmp_path / "a.odt", "<text:p>x</text:p>", meta_xml=meta))
    assert document.title == "دفترچهٔ دیگ بخار"


def test_spaces_breaks_and_persian_are_kept(tmp_path: Path) -> None:
    body = "<text:p>کتاب‌های   مرکزی<text:line-break/>سال<text:s text:c='3'/>۱۴۰۲<text:tab/>پایان</text:p>"
    assert text(written(tmp_path / "a.odt", body)) == "کتاب‌های مرکزی\nسال ۱۴۰۲ پایان"


def test_notes_follow_their_paragraph_and_comments_are_left_out(tmp_path: Path) -> None:
    body = (
        "<text:p>It is hot<text:note><text:note-citation>1</text:note-citation><text:note-body>"
        "<text:p>Over 90 degrees.</text:p></text:note-body></text:note> inside."
        "<office:annotation><text:p>Is it?</text:p></office:annotation></text:p>"
    )
    assert text(written(tmp_path / "a.odt", body)) == "It is hot inside. (Over 90 degrees.)"


def test_deleted_and_hidden_text_is_not_read(tmp_path: Path) -> None:
    body = (
        "<text:tracked-changes><text:p>Deleted.</text:p></text:tracked-changes>"
        '<text:p>Seen <text:span text:style-name="T1">secret</text:span>only.</text:p>'
        '<text:p text:style-name="T1">Hidden.</text:p>'
    )
    styles = '<style:style style:name="T1"><style:text-properties text:display="none"/></style:style>'
    assert text(written(tmp_path / "a.odt", body, styles)) == "Seen only."


def test_rows_of_a_table_tell_their_columns(tmp_path: Path) -> None:
    head = f"<table:table-header-rows>{row(cell('Month'), cell('Rain'))}</table:table-header-rows>"
    body = "<text:p>Before</text:p>" + table(head, row(cell("May"), cell("3 mm")))
    assert text(written(tmp_path / "a.odt", body)) == "Before\n\nMonth | Rain\nMonth: May | Rain: 3 mm"


def test_slides_are_pages_under_their_titles_with_notes(tmp_path: Path) -> None:
    def frame(kind: str, words: str) -> str:
        return (
            f'<draw:frame presentation:class="{kind}"><draw:text-box><text:p>{words}</text:p>'
            "</draw:text-box></draw:frame>"
        )

    body = (
        f"<draw:page>{frame('title', 'Venting')}{frame('outline', 'Red valve')}{frame('footer', 'Company')}"
        f"<presentation:notes>{frame('notes', 'Mention the winter.')}</presentation:notes></draw:page>"
        f"<draw:page/><draw:page>{frame('title', 'Rain')}</draw:page>"
    )
    document = read_document(written(tmp_path / "a.odp", body))
    assert document.pages == 3
    assert [(it.page, it.heading, it.text) for it in document.sections] == [
        (1, "Venting", "Venting\n\nRed valve\n\nMention the winter."),
        (3, "Rain", "Rain"),
    ]


def test_rows_of_a_sheet_tell_their_columns_and_exact_values(tmp_path: Path) -> None:
    body = table(
        row(cell("Day"), cell("Rain"), cell("Share"), cell("Cost")),
        row(
            cell("24.11.26", "date", "2026-11-24"),
            cell("3", "float", "3.14159"),
            cell("12 %", "percentage", "0.12"),
            cell("5.00 €", "currency", "5"),
        ),
    )
    assert rows(written(tmp_path / "a.ods", body)) == [
        "Rain",
        "Day | Rain | Share | Cost",
        "Day: 2026-11-24 | Rain: 3.14159 | Share: 12 % | Cost: 5.00 €",
    ]


def test_repeated_and_empty_cells_keep_the_columns_right(tmp_path: Path) -> None:
    empty = '<table:table-cell table:number-columns-repeated="2"/>'
    end = '<table:table-cell table:number-columns-repeated="16000"/>'
    more = 'table:number-columns-repeated="2"'
    body = table(
        row(cell("a"), cell("b"), cell("c"), cell("d"), cell("e"), end),
        row(cell("1", more=more), empty, cell("5"), end),
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>',
    )
    assert rows(written(tmp_path / "a.ods", body))[2:] == ["a: 1 | b: 1 | e: 5"]


def test_hidden_sheets_and_errors_are_left_out(tmp_path: Path) -> None:
    styles = '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'
    error = cell("#DIV/0!", "float", "0", 'table:formula="of:=1/0"')
    body = table(row(cell("seen"), error)) + table(row(cell("unseen")), name="Hidden", style="ta2")
    assert text(written(tmp_path / "a.ods", body, styles)) == "Rain\n\nseen"


def test_a_wrong_suffix_does_not_matter(tmp_path: Path) -> None:
    path = written(tmp_path / "a.odt", "<text:p>Words</text:p>").rename(tmp_path / "a.docx")
    assert text(path) == "Words"


def test_an_encrypted_document_is_named_as_such(tmp_path: Path) -> None:
    manifest = "<m><file-entry><encryption-data/></file-entry></m>"
    path = written(tmp_path / "a.odt", "<text:p>x</text:p>", **{"META-INF/manifest_xml": manifest})
    with pytest.raises(EncryptedDocument):
        read_document(path)


def test_a_drawing_is_no_document_here(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a.odg",
        {"content.xml": "<x/>"},
        {"mimetype": "application/vnd.oasis.opendocument.graphics"},
    )
    with pytest.raises(UnsupportedFormat):
        read_document(path)


@pytest.mark.parametrize("suffix", KINDS)
def test_a_document_without_content_is_damage(tmp_path: Path, suffix: str) -> None:
    mimetype = f"application/vnd.oasis.opendocument.{KINDS[suffix]}"
    path = archive(tmp_path / f"a.{suffix}", {"meta.xml": "<x/>"}, {"mimetype": mimetype})
    with pytest.raises(DocumentDamaged):
        read_document(path)


@pytest.mark.parametrize("suffix", KINDS)
def test_a_document_that_is_cut_off_is_damage(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(DocumentDamaged):
        text(written(tmp_path / f"a.{suffix}", "<text:p>never ends"))


@pytest.mark.parametrize("suffix", KINDS)
def test_an_empty_document_is_called_empty(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(EmptyDocument):
        read_document(written(tmp_path / f"a.{suffix}", ""))


@pytest.mark.parametrize("suffix", KINDS)
def test_entities_are_refused(tmp_path: Path, suffix: str) -> None:
    kind = KINDS[suffix]
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    path = archive(
        tmp_path / f"a.{suffix}",
        {"content.xml": bomb},
        {"mimetype": f"application/vnd.oasis.opendocument.{kind}"},
    )
    with pytest.raises(UnsafeDocument):
        text(path)


def test_a_presentation_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_text, "LIMIT_SLIDES", 1)
    with pytest.raises(DocumentTooLarge):
        read_document(written(tmp_path / "a.odp", "<draw:page/><draw:page/>"))
