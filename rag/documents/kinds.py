"""What a file is, by its content: names lie, or say nothing."""

from __future__ import annotations

import re
from pathlib import Path

from rag.documents.archive import Archive
from rag.documents.encodings import is_text
from rag.documents.xml_events import Kind, xml_events
from rag.errors import EncryptedDocument, OldOfficeFormat, UnsupportedFormat

SNIFFED_BYTES = 1024

_START_OF_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_PICTURE = re.compile(rb"\x89PNG\r\n|\xff\xd8\xff|II\*\0|MM\0\*|RIFF....WEBP|BM.{4}\0\0\0\0", re.DOTALL)
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CONTENT_TYPES = "[Content_Types].xml"
_OFFICE = (
    (re.compile(r"wordprocessingml\.(?:document|template)|ms-word\.(?:document|template)"), ".docx"),
    (re.compile(r"presentationml\.(?:presentation|slideshow|template)|ms-powerpoint\."), ".pptx"),
    (re.compile(r"spreadsheetml\.(?:sheet|template)|ms-excel\.(?:sheet|template)\.macroEnabled"), ".xlsx"),
)
_OPEN_DOCUMENTS = {
    b"application/vnd.oasis.opendocument.text": ".odt",
    b"application/vnd.oasis.opendocument.presentation": ".odp",
    b"application/vnd.oasis.opendocument.spreadsheet": ".ods",
}
_MIMETYPE_BYTES = 1000
_BLOCK = 1 << 20
_ENTRY = 128
"""Bytes of an entry in the directory of a compound file; they lie at multiples of this."""


def sniffed_suffix(path: Path, start: bytes, name: str) -> str:
    """The suffix that a file should have, judged by its content; "" for what is unknown.

    Raises:
        EncryptedDocument: An Office file behind a password.
        OldOfficeFormat: As Office wrote until 2003.
        UnsupportedFormat: An archive that is no document.
        DocumentDamaged: An archive that is cut off.
        UnsafeDocument: An archive that was built to do harm.
    """
    if start.lstrip(b"\xef\xbb\xbf \t\r\n\0").startswith(b"%PDF-"):
        return ".pdf"
    if start.startswith(_ZIP):
        return _archive_suffix(path, name)
    if start.startswith(_COMPOUND_FILE):
        _refuse_compound_file(path, name)
    if _PICTURE.match(start):
        return ".png"
    if _START_OF_HTML.match(start):
        return ".html"
    return ".txt" if is_text(start) else ""


def _archive_suffix(path: Path, name: str) -> str:
    with Archive(path, name) as archive:
        if _CONTENT_TYPES in archive:
            for event in xml_events(archive.blocks(_CONTENT_TYPES), name):
                content_type = event.attributes.get("ContentType", "") if event.kind is Kind.START else ""
                for pattern, suffix in _OFFICE:
                    if content_type.endswith("main+xml") and pattern.search(content_type):
                        return suffix
            raise UnsupportedFormat(name, "an Office file of another kind")
        if "mimetype" in archive:
            mimetype = archive.content("mimetype", _MIMETYPE_BYTES).strip()
            kind = mimetype.removesuffix(b"-template")
            if kind in _OPEN_DOCUMENTS:
                return _OPEN_DOCUMENTS[kind]
            if mimetype != b"application/epub+zip":
                raise UnsupportedFormat(name, "an archive of another kind")
        if "META-INF/container.xml" in archive:
            return ".epub"
    raise UnsupportedFormat(name, "an archive of files")


def _refuse_compound_file(path: Path, name: str) -> None:
    """Tell apart what Office wrote until 2003, and what it writes today behind a password."""
    encrypted, old = (
        _entry("EncryptedPackage"),
        [_entry(stream) for stream in ("WordDocument", "Workbook", "Book", "PowerPoint Document")],
    )
    found_old = False
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if _holds(block, encrypted):
                raise EncryptedDocument(name, "an encrypted package")
            found_old = found_old or any(_holds(block, entry) for entry in old)
    if found_old:
        raise OldOfficeFormat(name)
    raise UnsupportedFormat(name, "a compound file of another kind")


def _entry(stream: str) -> bytes:
    """How the directory of a compound file writes a name: 64 bytes, the length, and "a stream"."""
    written = stream.encode("utf-16-le")
    return written.ljust(64, b"\0") + (len(written) + 2).to_bytes(2, "little") + b"\x02"


def _holds(block: bytes, entry: bytes) -> bool:
    position = block.find(entry)
    while position >= 0 and position % _ENTRY:
        position = block.find(entry, position + 1)
    return position >= 0
