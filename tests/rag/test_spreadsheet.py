"""Workbooks: each row is found alone, so each says its columns; dates are dates."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import pytest

from rag.documents import read_document
from rag.documents.cell_values import CellForms, Form, form_of
from rag.errors import UnsafeDocument
from tests.rag.office_files import NAMESPACES, office_file, relations

DATA = Path(__file__).with_name("data")


def workbook(path: Path, rows: str, parts: Mapping[str, str] | None = None, properties: str = "") -> Path:
    main = (
        f"<workbook {NAMESPACES}>{properties}<sheets>"
        '<sheet name="Sheet" sheetId="1" r:id="r1"/></sheets></workbook>'
    )
    return office_file(
        path,
        "xl/workbook.xml",
        {
            "xl/workbook.xml": main,
            "xl/_rels/workbook.xml.rels": relations(
                r1=("worksheet", "worksheets/sheet1.xml"),
                r2=("sharedStrings", "sharedStrings.xml"),
                r3=("styles", "styles.xml"),
            ),
            "xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{rows}</sheetData></worksheet>",
            **(parts or {}),
        },
    )


def lines_of(path: Path) -> list[str]:
    return "\n\n".join(section.text for section in read_document(path).sections).split("\n\n")


def inline(text: str, reference: str = "") -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


def test_sheets_written_by_a_program_come_row_by_row_under_their_names() -> None:
    found = list(read_document(DATA / "rain.xlsx").sections)
    assert [section.heading for section in found] == ["Rain", "کتاب‌ها"]  # and not the hidden one
    assert found[0].text.split("\n\n") == [
        "Rain",
        "Rain in Rasht",
        "Month | Rain | Share",
        "Month: 2026-05-01 | Rain: 3 | Share: 25%",
        "Month: 2026-06-01 14:30 | Rain: 12.5 | Share: 100%",
    ]
    assert found[1].text.endswith("نام: بوستان | قفسه: 7")


def test_formulas_give_the_values_that_were_kept() -> None:
    assert lines_of(DATA / "formulas.xlsx")[1:] == [
        "Item | Price | Due | Paid",
        "Item: Rent | Price: 900 | Due: 2026-11-24 | Paid: TRUE",
        "Item: Total | Price: 900.1",
        "Item: so bold said",
    ]


def test_cells_that_are_not_written_leave_a_gap(tmp_path: Path) -> None:
    header = inline("a", "A1") + inline("b", "B1") + inline("c", "C1")
    row = inline("1", "A2") + inline("3", "C2")
    path = workbook(tmp_path / "a.xlsx", f"<row>{header}</row><row/><row>{row}</row>")
    assert lines_of(path)[-1] == "a: 1 | c: 3"


def test_errors_and_references_to_nothing_are_left_out(tmp_path: Path) -> None:
    cells = (
        '<c t="e"><v>#DIV/0!</v></c><c t="s"><v>99</v></c><c t="s"><v>x</v></c>'
        '<c r="ZZZZ1"><v>7</v></c><c s="9999"><v>8</v></c><c><v>nan</v></c>'
    )
    assert lines_of(workbook(tmp_path / "a.xlsx", f"<row>{cells}</row>"))[1:] == ["7 | 8 | nan"]


def test_days_counted_from_1904_are_right(tmp_path: Path) -> None:
    styles = '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    row = '<row><c s="1"><v>44523</v></c></row>'
    parts = {"xl/styles.xml": styles}
    assert lines_of(workbook(tmp_path / "a.xlsx", row, parts))[1] == "2021-11-23"
    mac = workbook(tmp_path / "b.xlsx", row, parts, '<workbookPr date1904="1"/>')
    assert lines_of(mac)[1] == "2025-11-24"


@pytest.mark.parametrize(
    ("code", "form"),
    [
        ("General", Form.NUMBER),
        ("#,##0.00", Form.NUMBER),
        ('0.0"days"', Form.NUMBER),
        ("[Red]0.00", Form.NUMBER),
        ('_("$"* #,##0_)', Form.NUMBER),
        ("0.00%", Form.PERCENT),
        ("yyyy/mm/dd", Form.DATE),
        ("[$-3000401]d mmmm yyyy", Form.DATE),
        ("mmm-yy", Form.DATE),
        ("h:mm AM/PM", Form.TIME),
        ("mm:ss", Form.TIME),
        ("yyyy-mm-dd hh:mm", Form.DATE_AND_TIME),
        ("[h]:mm:ss", Form.DURATION),
    ],
)
def test_formats_tell_what_a_number_is(code: str, form: Form) -> None:
    assert form_of(code) is form


@pytest.mark.parametrize(
    ("form", "value", "shown"),
    [
        (Form.NUMBER, "0.30000000000000004", "0.3"),
        (Form.NUMBER, "1E+20", "1e+20"),
        (Form.NUMBER, "-12", "-12"),
        (Form.PERCENT, "0.125", "12.5%"),
        (Form.DATE, "46350", "2026-11-24"),
        (Form.DATE, "-1", "-1"),
        (Form.DATE, "99999999", "99999999"),
        (Form.TIME, "0.75", "18:00"),
        (Form.DATE_AND_TIME, "46350.5208333333", "2026-11-24 12:30"),
        (Form.DURATION, "1.5", "36:00:00"),
    ],
)
def test_numbers_are_shown_as_people_read_them(form: Form, value: str, shown: str) -> None:
    assert CellForms([form]).shown(value, "0") == shown


def test_a_large_sheet_does_not_fill_the_memory(tmp_path: Path) -> None:
    names = ("<t>Month</t>", "<r><t>No</t></r><r><t>te</t></r>", "<t>Days</t>")
    shared = f"<sst>{''.join(f'<si>{name}</si>' for name in names)}</sst>"
    header = "".join(f'<c t="s"><v>{number}</v></c>' for number in range(3))
    rows = (f"<row><c><v>{n}</v></c>{inline('word' * 1200)}<c/></row>" for n in range(1_500))
    path = workbook(
        tmp_path / "large.xlsx",
        f"<row>{header}</row>{''.join(rows)}",
        {"xl/sharedStrings.xml": shared},
    )
    tracemalloc.start()
    try:
        texts = (section.text for section in read_document(path).sections)
        sizes = [(text.count("Note: "), len(text)) for text in texts]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(count for count, _ in sizes) == 1_500
    assert peak < 1_500_000 < sum(size for _, size in sizes) // 4


def test_a_row_without_end_is_refused(tmp_path: Path) -> None:
    cells = "".join(inline(f"{n}" * 2000) for n in range(1000))
    with pytest.raises(UnsafeDocument):
        lines_of(workbook(tmp_path / "a.xlsx", f"<row>{cells}</row>"))
