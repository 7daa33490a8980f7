"""Office files and books, written part by part: what programs write, and what nobody should."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_MAIN_TYPES = {
    "word": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "ppt": "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
    "xl": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
}


def archive(path: Path, parts: Mapping[str, str | bytes], first: Mapping[str, str] | None = None) -> Path:
    """A ZIP archive of these parts; those of `first` come before, not compressed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in (first or {}).items():
            written.writestr(name, content, zipfile.ZIP_STORED)
        for name, content in parts.items():
            written.writestr(name, content)
    return path


def relations(**targets: tuple[str, str]) -> str:
    """A listing of relations: id=(kind, target)."""
    listed = "".join(
        f'<Relationship Id="{number}" Type="{_OFFICE}{kind}" Target="{target}"/>'
        for number, (kind, target) in targets.items()
    )
    return (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f"{listed}</Relationships>"
    )


def office_file(path: Path, main: str, parts: Mapping[str, str | bytes]) -> Path:
    """An Office file whose document itself is the part `main`."""
    content_type = _MAIN_TYPES[main.split("/", maxsplit=1)[0]]
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{main}" ContentType="{content_type}"/></Types>'
    )
    return archive(
        path,
        {
            "[Content_Types].xml": types,
            "_rels/.rels": relations(rId1=("officeDocument", main)),
            **parts,
        },
    )


def word_file(path: Path, body: str, parts: Mapping[str, str | bytes] | None = None) -> Path:
    """A Word document with this body, in the prefixes of `NAMESPACES`."""
    document = f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>"
    return office_file(path, "word/document.xml", {"word/document.xml": document, **(parts or {})})


def paragraph(text: str, properties: str = "") -> str:
    """A paragraph of a Word document, of a single run."""
    shown = f"<w:pPr>{properties}</w:pPr>" if properties else ""
    return f'<w:p>{shown}<w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def compound_file(path: Path, *streams: str) -> Path:
    """The beginning of a compound file, as Office wrote until 2003: its header, and a directory."""
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0")
    entries = b""
    for stream in ("Root Entry", *streams):
        written = stream.encode("utf-16-le")
        kind = b"\x05" if stream == "Root Entry" else b"\x02"
        entries += (written.ljust(64, b"\0") + (len(written) + 2).to_bytes(2, "little") + kind).ljust(
            128, b"\0"
        )
    path.write_bytes(header + entries)
    return path
