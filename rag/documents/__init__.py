"""Reading files people have into sections of text. One module per format, imported when it is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import chain
from pathlib import Path

from rag.documents.formats import Format, format_of, supported_suffixes
from rag.documents.kinds import SNIFFED_BYTES, sniffed_suffix
from rag.documents.parsed import ParsedDocument, Section
from rag.errors import (
    DocumentMissing,
    DocumentTooLarge,
    DocumentUnreadable,
    EmptyDocument,
    UnsupportedFormat,
)
from rag.recognition.protocol import GoingOn, TextRecogniser

__all__ = ["ParsedDocument", "Section", "read_document", "supported_suffixes"]

LIMIT_BYTES = 512 * 1024 * 1024
"""Larger files would take a phone hours."""


def read_document(
    path: Path,
    name: str | None = None,
    *,
    recogniser: TextRecogniser | None = None,
    going_on: GoingOn = lambda: None,
) -> ParsedDocument:
    """Open a document and read it as far as its first text; the rest follows while sections are taken.

    Args:
        path: The file.
        name: What people call it, where that is not the file's own name (uploads). Its suffix counts
            before the file's.
        recogniser: Reads pages that are pictures; without one they are a `ScannedDocument`.
        going_on: Called now and then while that takes its time; what it raises ends the reading.

    Raises:
        DocumentError: Leaves of it, from here and from the iteration of the sections.
    """
    name = name or path.name
    with _system_errors(name):
        if path.exists() and not path.is_file():
            raise DocumentUnreadable(name, "a folder, or something that never ends")
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(SNIFFED_BYTES)
    if size == 0:
        raise EmptyDocument(name)
    if size > LIMIT_BYTES:
        raise DocumentTooLarge(name, size, LIMIT_BYTES)
    with _system_errors(name):
        found = _format(_suffix(path, name), sniffed_suffix(path, start, name), name)
        read = getattr(import_module(found.module), found.function)
        parsed = read(path, name, recogniser, going_on) if found.recognises else read(path, name)
    sections = _with_text(parsed.sections, name)
    first = next(sections, None)
    if first is None:
        raise EmptyDocument(name)
    title = _stem(name) if parsed.title == name else " ".join(parsed.title.split()) or _stem(name)
    return ParsedDocument(title, parsed.pages, chain((first,), sections))


def _with_text(sections: Iterable[Section], name: str) -> Iterator[Section]:
    with _system_errors(name):
        for section in sections:
            if section.text.strip():
                yield section


@contextmanager
def _system_errors(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise DocumentMissing(name, str(error)) from error
    except OSError as error:
        raise DocumentUnreadable(name, str(error)) from error


def _suffix(path: Path, name: str) -> str:
    named = Path(name).suffix.lower()
    return named if named in supported_suffixes() else path.suffix.lower()


def _stem(name: str) -> str:
    """The name without its suffix, if that is one: "Report v1.2" keeps all of it."""
    named = Path(name)
    return named.stem if named.suffix.lower() in supported_suffixes() else name


def _format(suffix: str, looks_like: str, name: str) -> Format:
    """The format of what the file is; where its content leaves that open, for what its suffix says."""
    found = format_of(looks_like)
    named = format_of(suffix)
    if found is None or not found.by_content:
        is_page = found is not None and found.name == "HTML"
        if named is not None and not (named.by_content and is_page):  # an error page, a report from the web
            found = named
    if found is None:
        raise UnsupportedFormat(name, "neither its suffix nor its content is known")
    return found
