"""Files that are not what they say, are broken, or were built to do harm: each is refused by its reason."""

from __future__ import annotations

import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from rag.documents import archive as archives
from rag.documents import read_document
from rag.errors import (
    DocumentDamaged,
    DocumentError,
    EncryptedDocument,
    OldOfficeFormat,
    UnsafeDocument,
    UnsupportedFormat,
)
from tests.rag.office_files import NAMESPACES, archive, compound_file, office_file, paragraph, word_file


def read(path: Path) -> str:
    return "\n".join(section.text for section in read_document(path).sections)


@pytest.mark.parametrize("name", ["a.pdf", "a.txt", "a.md", "a.xlsx", "a", "گزارش.زیپ"])
def test_the_content_decides_what_a_document_is(tmp_path: Path, name: str) -> None:
    assert read(word_file(tmp_path / name, paragraph("Text"))) == "Text"


def test_a_web_page_called_a_word_document_is_read_as_a_page(tmp_path: Path) -> None:
    for name in ("report.doc", "report.docx"):
        path = tmp_path / name
        path.write_bytes(b"<html><body><p>A report</p></body></html>")
        assert read(path) == "A report"


@pytest.mark.parametrize("stream", ["WordDocument", "Workbook", "Book", "PowerPoint Document"])
@pytest.mark.parametrize("name", ["old.doc", "renamed.docx", "renamed.pdf"])
def test_old_office_files_say_what_they_are(tmp_path: Path, stream: str, name: str) -> None:
    with pytest.raises(OldOfficeFormat):
        read_document(compound_file(tmp_path / name, "SummaryInformation", stream))


def test_an_office_file_behind_a_password_says_so(tmp_path: Path) -> None:
    with pytest.raises(EncryptedDocument):
        read_document(compound_file(tmp_path / "a.docx", "EncryptionInfo", "EncryptedPackage"))


def test_a_compound_file_of_another_kind_is_not_supported(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormat):
        read_document(compound_file(tmp_path / "mail.msg", "__properties_version1.0"))


def test_an_encrypted_part_asks_for_a_password(tmp_path: Path) -> None:
    content = bytearray(word_file(tmp_path / "a.docx", paragraph("x")).read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = content.find(signature)
        while position >= 0:
            content[position + flags] |= 1
            position = content.find(signature, position + 1)
    (tmp_path / "locked.docx").write_bytes(content)
    with pytest.raises(EncryptedDocument):
        read(tmp_path / "locked.docx")


def test_other_archives_are_not_supported(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormat):
        read_document(archive(tmp_path / "photos.zip", {"a.txt": "x"}))


def test_a_truncated_document_is_damaged_wherever_it_ends(tmp_path: Path) -> None:
    whole = word_file(tmp_path / "a.docx", paragraph("Text " * 500)).read_bytes()
    for end in range(4, len(whole), 37):
        (tmp_path / "cut.docx").write_bytes(whole[:end])
        with pytest.raises(DocumentDamaged):
            read(tmp_path / "cut.docx")


def test_any_broken_byte_gives_text_or_a_reason(tmp_path: Path) -> None:
    whole = word_file(tmp_path / "a.docx", paragraph("Text " * 20)).read_bytes()
    path = tmp_path / "broken.docx"
    for position in range(0, len(whole), 7):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        with suppress(DocumentError):
            read(path)


def test_a_bomb_is_not_unfolded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_UNSUSPICIOUS", 1 << 20)
    path = word_file(tmp_path / "bomb.docx", f"<w:p><w:r><w:t>{' ' * (8 << 20)}</w:t></w:r></w:p>")
    assert path.stat().st_size < 50_000
    with pytest.raises(UnsafeDocument):
        read(path)


def test_no_archive_unfolds_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_MOST_UNFOLDED", 100_000)
    with pytest.raises(UnsafeDocument):
        read(word_file(tmp_path / "a.docx", "".join(paragraph(f"{n:x}" * 9) for n in range(3000))))


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE w [<!ENTITY secret SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE w [<!ENTITY % more SYSTEM "http://127.0.0.1/x"> %more;]>',
    ],
)
def test_entities_are_neither_unfolded_nor_fetched(tmp_path: Path, declaration: str) -> None:
    document = (
        f"{declaration}<w:document {NAMESPACES}><w:body>{paragraph('&b;&secret;')}</w:body></w:document>"
    )
    with pytest.raises(UnsafeDocument):
        read(office_file(tmp_path / "a.docx", "word/document.xml", {"word/document.xml": document}))


def test_endless_nesting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeDocument):
        read(word_file(tmp_path / "a.docx", "<w:sdt>" * 100_000))


def test_a_list_of_parts_that_claims_gigabytes_is_not_read(tmp_path: Path) -> None:
    whole = word_file(tmp_path / "a.docx", paragraph("x")).read_bytes()
    end = whole.rfind(b"PK\x05\x06")
    path = tmp_path / "list.docx"
    with path.open("wb") as file:
        file.write(whole[:end])
        file.seek(200 << 20)  # a hole: takes no space
        file.write(whole[end : end + 12] + struct.pack("<LL", 190 << 20, 0) + whole[end + 20 :])
    with pytest.raises(UnsafeDocument):
        read(path)


def test_parts_outside_the_archive_are_not_found(tmp_path: Path) -> None:
    (tmp_path / "secret.xml").write_text(f"<w:document {NAMESPACES}>{paragraph('secret')}</w:document>")
    relations = (
        '<Relationships><Relationship Id="r" Type="x/officeDocument" '
        'Target="../../../../../..{}/secret.xml"/></Relationships>'
    )
    path = office_file(tmp_path / "a.docx", "word/document.xml", {"word/document.xml": "<x/>"})
    with zipfile.ZipFile(path) as written:
        parts = {name: written.read(name) for name in written.namelist()}
    parts["_rels/.rels"] = relations.format(tmp_path).encode()
    with pytest.raises(DocumentDamaged):
        read(archive(tmp_path / "b.docx", parts))
