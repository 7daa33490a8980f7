"""CSV and TSV as programs in several countries write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.documents import read_document


def lines_of(folder: Path, content: str, *, name: str = "a.csv", encoding: str = "utf-8") -> list[str]:
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return "\n\n".join(section.text for section in read_document(path).sections).split("\n\n")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "؛"])
def test_the_separator_is_found(tmp_path: Path, separator: str) -> None:
    rows = ["City,Rain,Note", '"Rasht, north",1300,wet', '"Yazd, centre",60,"dry; hot"', "Ahvaz,230,"]
    text = "\n".join(row.replace("Rasht, north", "Rasht").replace(",", separator) for row in rows)
    assert lines_of(tmp_path, text)[1] == "City: Rasht | Rain: 1300 | Note: wet"


def test_decimal_commas_do_not_part_a_number(tmp_path: Path) -> None:
    assert lines_of(tmp_path, "Ware;Preis\nBrot;2,5\nMilch;1,2\n")[1:] == [
        "Ware: Brot | Preis: 2,5",
        "Ware: Milch | Preis: 1,2",
    ]


def test_cells_may_hold_separators_quotes_and_lines(tmp_path: Path) -> None:
    text = 'Name,Note\nAli,"says ""hi"",\nthen goes"\n'
    assert lines_of(tmp_path, text)[1] == 'Name: Ali | Note: says "hi", then goes'


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1256"])
def test_persian_tables_are_read_in_their_encodings(tmp_path: Path, encoding: str) -> None:
    text = "نام,قفسه\nبوستان,7\nگلستان,8\n"
    assert lines_of(tmp_path, text.replace("ی", "ي"), encoding=encoding)[1] == "نام: بوستان | قفسه: 7"


def test_the_separator_that_excel_names_is_believed(tmp_path: Path) -> None:
    assert lines_of(tmp_path, "sep=|\nA|B\nx,y|z\n")[1] == "A: x,y | B: z"


def test_a_table_of_numbers_alone_has_no_header(tmp_path: Path) -> None:
    assert lines_of(tmp_path, "1,2\n3,4\n") == ["1 | 2", "3 | 4"]


def test_a_quotation_mark_that_nobody_closes_loses_nothing(tmp_path: Path) -> None:
    text = 'A,B\n"open,1\n' + "".join(f"word{number},{number}\n" for number in range(20_000))
    found = " ".join(lines_of(tmp_path, text))
    assert all(f"word{number}" in found for number in (0, 9_999, 19_999))


def test_a_long_row_says_what_it_is_about_in_every_line(tmp_path: Path) -> None:
    names = ["Name", *(f"Column {number}" for number in range(40))]
    cells = ["Ali", *(f"a value of some length {number}" for number in range(40))]
    lines = lines_of(tmp_path, f"{','.join(names)}\n{','.join(cells)}\n")[1:]
    assert len(lines) > 2
    assert all(line.startswith("Name: Ali | Column") and len(line) < 700 for line in lines)


def test_tabs_part_a_tsv_with_commas_in_its_text(tmp_path: Path) -> None:
    text = "Name\tNote\nAli\tcome, see, go\nSara\twait, then\n"
    assert lines_of(tmp_path, text, name="a.tsv")[1] == "Name: Ali | Note: come, see, go"
