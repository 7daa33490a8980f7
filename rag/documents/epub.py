"""Books (EPUB): the chapters in reading order, each read as the web page that it is."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote

from rag.documents.archive import Archive
from rag.documents.html import LIMIT_BYTES, declared_encoding, read_page
from rag.documents.parsed import ParsedDocument, Section
from rag.documents.xml_events import Kind, xml_events
from rag.errors import DocumentDamaged, EncryptedDocument, UnsafeDocument

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_CHAPTER_TYPES = frozenset({"application/xhtml+xml", "text/html", "application/xml"})
_MOST_ITEMS = 50_000
_TITLE_CHARACTERS = 300


def read_epub(path: Path, title: str) -> ParsedDocument:
    """Read an EPUB file, chapter by chapter.

    Raises:
        DocumentDamaged: It is no whole book.
        EncryptedDocument: Its shop has locked it.
        UnsafeDocument: It is built to fill up this device.
    """
    with Archive(path, title) as archive:
        book = _book(archive)
        if _locked(archive) & set(book.chapters):
            raise EncryptedDocument(title, "locked by its shop")
    return ParsedDocument(book.title or title, None, _sections(path, title, book))


@dataclass(slots=True)
class _Book:
    title: str = ""
    chapters: list[str] = field(default_factory=list)
    """Parts of the archive, in reading order."""
    names: dict[str, str] = field(default_factory=dict)
    """What the table of contents calls them."""


def _sections(path: Path, name: str, book: _Book) -> Iterator[Section]:
    with Archive(path, name) as archive:
        for chapter in book.chapters:
            if chapter not in archive:
                continue  # one page that is missing does not lose the book
            content = archive.content(chapter, LIMIT_BYTES)
            _, sections = read_page(content, declared_encoding(content) or "utf-8")
            heading = book.names.get(chapter)
            for number, section in enumerate(sections):
                if section.heading is None and heading:
                    level = 1 if number == 0 else section.level
                    yield replace(section, heading=heading, level=level)
                else:
                    yield section


def _book(archive: Archive) -> _Book:
    """What the package document of the book tells."""
    package = _package_part(archive)
    folder = posixpath.dirname(package)
    book = _Book()
    items: dict[str, str] = {}
    spine: list[str] = []
    contents: list[str] = []
    navigation = ""
    title: list[str] = []
    for event in xml_events(archive.blocks(package), archive.name):
        found = event.attributes
        if event.kind is Kind.TEXT and event.tag == "title":
            title.append(event.text)
        elif event.kind is Kind.END and event.tag == "title" and not book.title:
            book.title = " ".join("".join(title).split())[:_TITLE_CHARACTERS]
        elif event.kind is Kind.START and event.tag == "item":
            part = _part(folder, found.get("href", ""))
            media_type = found.get("media-type", "")
            if "nav" in found.get("properties", "").split():
                navigation = part
                contents.insert(0, part)
            elif media_type == "application/x-dtbncx+xml":
                contents.append(part)
            if media_type in _CHAPTER_TYPES:
                items[found.get("id", "")] = part
        elif event.kind is Kind.START and event.tag == "itemref":
            spine.append(found.get("idref", ""))
        if len(items) + len(spine) > _MOST_ITEMS:
            raise UnsafeDocument(archive.name, "chapters without end")
    # A table of contents only repeats the headings.
    book.chapters = [items[each] for each in spine if each in items and items[each] != navigation]
    if not book.chapters:
        raise DocumentDamaged(archive.name, "no chapters")
    for part in contents:
        if part in archive and not book.names:
            book.names = _names(archive, part)
    return book


def _package_part(archive: Archive) -> str:
    if _CONTAINER in archive:
        for event in xml_events(archive.blocks(_CONTAINER), archive.name):
            if event.kind is Kind.START and event.tag == "rootfile":
                return _part("", event.attributes.get("full-path", ""))
    raise DocumentDamaged(archive.name, "no package document")


def _names(archive: Archive, part: str) -> dict[str, str]:
    """Names of chapters from the table of contents, in the form of EPUB 3 or of EPUB 2."""
    folder = posixpath.dirname(part)
    names: dict[str, str] = {}
    label: list[str] = []
    target = ""
    try:
        for event in xml_events(archive.blocks(part), archive.name):
            if event.kind is Kind.START and event.tag in ("a", "navPoint"):
                label, target = [], event.attributes.get("href", "")
            elif event.kind is Kind.START and event.tag == "content":
                target = event.attributes.get("src", "")
            elif event.kind is Kind.TEXT:
                label.append(event.text)
            if (event.kind is Kind.END and event.tag == "a") or event.tag == "content":
                chapter = _part(folder, target)
                if target and (name := " ".join("".join(label).split())):
                    names.setdefault(chapter, name[:_TITLE_CHARACTERS])
                target = ""
    except DocumentDamaged:
        pass  # the chapters have headings of their own
    return names


def _locked(archive: Archive) -> set[str]:
    """Parts that only a shop's program can read; fonts often are, chapters then too."""
    if _ENCRYPTION not in archive:
        return set()
    return {
        _part("", event.attributes.get("URI", ""))
        for event in xml_events(archive.blocks(_ENCRYPTION), archive.name)
        if event.kind is Kind.START and event.tag == "CipherReference"
    }


def _part(folder: str, address: str) -> str:
    inside = unquote(address.partition("#")[0])
    return posixpath.normpath(posixpath.join("/", folder, inside)).lstrip("/")
