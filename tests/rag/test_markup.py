"""Markdown and HTML as people really write them: sloppy, old, and now and then hostile."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.documents import Section, html, read_document
from rag.errors import DocumentDamaged, DocumentTooLarge


def sections_of(folder: Path, name: str, content: str | bytes) -> list[Section]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_document(path).sections)


def outline(sections: list[Section]) -> list[tuple[int, str | None]]:
    return [(section.level, section.heading) for section in sections]


def test_markdown_headings_of_both_kinds_are_followed(tmp_path: Path) -> None:
    found = sections_of(tmp_path, "a.md", "House\n=====\nText\n\nCellar\n---\nText\n\n### Valve ###\nRed\n")
    assert outline(found) == [(1, "House"), (2, "Cellar"), (3, "Valve")]
    assert found[2].text == "Valve\n\nRed\n"


def test_a_rule_a_table_and_a_tag_are_no_headings(tmp_path: Path) -> None:
    text = "Text\n\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |\n---\n#tag\n- item\n---\n"
    assert outline(sections_of(tmp_path, "a.md", text)) == [(0, None)]


def test_a_heading_is_shown_without_its_marks(tmp_path: Path) -> None:
    [section] = sections_of(
        tmp_path, "a.md", "## The **red** [valve](https://example.org/x) of `pump_2`\nOpen it."
    )
    assert section.heading == "The red valve of pump_2"


@pytest.mark.parametrize(
    "code",
    [
        "````\n```\n# no\n```\n````",
        "~~~ text\n# no\n```\n~~~",
        "```sh\n# no\n```",
        "> x\n```\n# no\n``` sh\n```",
    ],
)
def test_what_looks_like_a_heading_in_code_is_none(tmp_path: Path, code: str) -> None:
    found = sections_of(tmp_path, "a.md", f"# One\n{code}\n# Two\n")
    assert outline(found) == [(1, "One"), (1, "Two")]


def test_front_matter_is_left_out_but_a_rule_at_the_top_is_not_its_beginning(tmp_path: Path) -> None:
    assert sections_of(tmp_path, "a.md", "---\ntitle: x\n---\nText") == [Section("Text")]
    long = "---\n" + "A line of text.\n" * 300
    assert "".join(section.text for section in sections_of(tmp_path, "b.md", long)) == long


def test_a_long_markdown_file_comes_in_pieces_under_its_heading(tmp_path: Path) -> None:
    text = "# Log\n" + "A paragraph of the log.\n\n" * 4000
    found = sections_of(tmp_path, "a.md", text)
    assert len(found) > 3
    assert {section.heading for section in found} == {"Log"}
    assert [section.level for section in found[:3]] == [1, 0, 0]
    assert max(len(section.text) for section in found) < 40_000


def test_html_without_end_tags_keeps_its_words_apart(tmp_path: Path) -> None:
    page = (
        "<html><head><title>T</title><body>Before<p>One<p>Two<ul><li>a<li>b</ul><table><tr><td>1<td>2</table>"
    )
    [section] = sections_of(tmp_path, "a.html", page)
    assert section.text.split("\n\n") == ["Before", "One", "Two", "- a\n- b", "1 | 2"]


def test_a_page_inside_a_form_is_read(tmp_path: Path) -> None:
    [section] = sections_of(
        tmp_path, "a.html", "<body><form><p>Whole page<button>Send</button></form></body>"
    )
    assert section.text == "Whole page"


def test_program_text_keeps_its_indentation(tmp_path: Path) -> None:
    [section] = sections_of(tmp_path, "a.html", "<p>Run:</p><pre>if open:\n    close(<b>valve</b>)\n</pre>")
    assert section.text == "Run:\n\nif open:\n    close(valve)"


PERSIAN = "كتابخانه شهر"


@pytest.mark.parametrize(
    ("encoding", "declaration"),
    [
        ("utf-8", ""),
        ("utf-8", '<meta charset="utf-8">'),
        ("cp1256", '<meta http-equiv="Content-Type" content="text/html; charset=windows-1256">'),
        ("cp1256", ""),
        ("iso8859-6", '<meta charset="iso-8859-6">'),
        ("utf-16", '<meta charset="utf-16">'),
        ("utf-8", '<meta charset="utf-16">'),
        ("utf-8", '<meta charset="no-such-thing">'),
        ("utf-8-sig", '<meta charset="windows-1252">'),
    ],
)
def test_html_is_decoded_as_it_declares_if_that_can_be_true(
    tmp_path: Path, encoding: str, declaration: str
) -> None:
    text = PERSIAN.replace("ک", "ك")
    page = f"<html><head>{declaration}</head><body><p>{text}</p></body></html>"
    [section] = sections_of(tmp_path, "صفحه.html", page.encode(encoding))
    assert section.text == text


def test_xhtml_is_read_without_its_declaration(tmp_path: Path) -> None:
    page = '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><body>Hi</body></html>'
    assert [section.text for section in sections_of(tmp_path, "a.xhtml", page)] == ["Hi"]


def test_html_larger_than_memory_allows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "LIMIT_BYTES", 10)
    with pytest.raises(DocumentTooLarge) as refused:
        sections_of(tmp_path, "a.html", "<p>eleven or more")
    assert refused.value.limit_bytes == 10


@pytest.mark.parametrize("name", ["a.html", "a.md"])
def test_binary_content_is_damage_whatever_the_suffix(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentDamaged):
        sections_of(tmp_path, name, bytes(range(256)) * 8)


@given(
    st.lists(
        st.sampled_from(["<p>", "</p>", "<pre>", "<td>", "<!--", "-->", "<h2>", "</h2>", "<![", "&#0;", "x "])
    )
)
def test_any_tag_soup_is_read(tmp_path_factory: pytest.TempPathFactory, pieces: list[str]) -> None:
    soup = "<b>start</b> " + "".join(pieces)
    found = sections_of(tmp_path_factory.getbasetemp(), "soup.html", soup)
    assert found[0].text.startswith("start")
