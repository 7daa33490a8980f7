"""A fetched page as a file that can be indexed: its title and its main text, nothing else."""

from __future__ import annotations

import codecs
import html
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

from rag.documents.encodings import encoding_in, mark_of
from rag.documents.html import LIMIT_BYTES, declared_encoding, parsed
from rag.errors import DocumentTooLarge, EmptyDocument
from rag.web.fetching import FetchedPage
from rag.web.main_text import main_part

_TITLE_CHARACTERS = 200
_TITLES = (("property", "og:title"), ("name", "twitter:title"), ("name", "citation_title"))


@dataclass(frozen=True, slots=True)
class SavedPage:
    """A page in a file."""

    path: Path
    title: str


def save_page(page: FetchedPage, path: Path) -> SavedPage:
    """Write the page to `path`, which gets the suffix of its format. The same content gives the same file.

    Raises:
        EmptyDocument: The page has no text without its scripts.
        DocumentTooLarge: It is more than fits into memory as a page.
    """
    path = path.with_suffix(page.suffix)
    if page.suffix != ".html":
        path.write_bytes(page.content)
        return SavedPage(path, _name_in(page.address))
    if len(page.content) > LIMIT_BYTES:
        raise DocumentTooLarge(page.address, len(page.content), LIMIT_BYTES)
    soup = parsed(page.content, _encoding(page))
    title = _title(soup) or _name_in(page.address)
    main = main_part(soup)
    if not main.get_text().strip():
        raise EmptyDocument(title)
    text = f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{html.escape(title)}</title></head>'
    path.write_text(f"{text}<body>{main.decode_contents()}</body></html>", "utf-8", errors="replace")
    return SavedPage(path, title)


def _encoding(page: FetchedPage) -> str:
    """As browsers find it: by the mark at its start, the host's word, the page's own, the letters."""
    if marked := mark_of(page.content):
        return marked
    with suppress(LookupError):
        return codecs.lookup(page.charset or "").name
    return declared_encoding(page.content) or encoding_in(page.content, page.address)


def _title(soup: BeautifulSoup) -> str:
    for attribute, value in _TITLES:
        found = soup.find("meta", attrs={attribute: value})
        if found is not None and (text := _tidy(str(found.get("content", "")))):
            return text
    if soup.title is not None and (text := _tidy(soup.title.get_text(" "))):
        return text
    heading = soup.find("h1")
    return _tidy(heading.get_text(" ")) if heading is not None else ""


def _tidy(text: str) -> str:
    return " ".join(text.split())[:_TITLE_CHARACTERS]


def _name_in(address: str) -> str:
    """The name of a file in an address, else its host."""
    parts = urlsplit(address)
    return PurePosixPath(unquote(parts.path)).name[:_TITLE_CHARACTERS] or parts.netloc
