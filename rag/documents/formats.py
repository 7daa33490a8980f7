"""The kinds of documents that can be read: one list for the screen, the terminal and the documentation.

To add one:

1. write a module with a function that takes the path and the name that errors carry, and returns a
   `ParsedDocument` whose sections come one by one (`word.py` is an example; `outline.py` makes sections of
   headings and paragraphs);
2. raise leaves of `DocumentError` for all that can be wrong with a file, however hostile;
3. add a line to `FORMATS`; where the format begins with bytes of its own, say so in `kinds.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from rag.recognition.finding import find_recogniser

_CODE = (
    ".asm .bash .bat .c .cc .clj .cmake .cmd .cpp .cs .cxx .dart .erl .ex .exs .f90 .fish .fs "
    ".go .gradle .graphql .groovy .h .hh .hpp .hs .hxx .java .jl .js .jsx .kt .kts .lua .m "
    ".mjs .ml .mm .nim .pas .php .pl .pm .proto .ps1 .py .pyi .r .rb .rs .scala .sh .sol .sql "
    ".svelte .swift .tf .ts .tsx .vb .vue .zig .zsh"
)
_TEXT = (
    ".txt .text .adoc .bib .cfg .conf .css .ini .json .jsonl .less .log .ndjson .org "
    ".properties .rst .scss .srt .tex .toml .vtt .xml .yaml .yml"
)


PICTURES = "Picture"


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of documents, and who reads it."""

    name: str
    suffixes: tuple[str, ...]
    """In lower case, with the dot."""
    module: str
    """Imported when the first such document is read."""
    function: str
    read: str
    """What is read of it, for the documentation."""
    recognises: bool = False
    """Its reader also takes a `TextRecogniser` and what tells whether to go on."""
    by_content: bool = False
    """The content alone decides, whatever the suffix says: nothing else begins as these files do."""


FORMATS = (
    Format(
        "PDF",
        (".pdf",),
        "rag.documents.pdf",
        "read_pdf",
        "pages in reading order, right-to-left lines too; scanned pages where Tesseract is installed",
        recognises=True,
        by_content=True,
    ),
    Format(
        "Word",
        (".docx", ".docm", ".dotx", ".dotm"),
        "rag.documents.word",
        "read_word",
        "headings, lists, tables, notes, text boxes; inserted text, not deleted or hidden text",
        by_content=True,
    ),
    Format(
        "PowerPoint",
        (".pptx", ".pptm", ".ppsx", ".potx"),
        "rag.documents.slides",
        "read_slides",
        "slides as pages under their titles: texts, tables, diagrams, notes",
        by_content=True,
    ),
    Format(
        "Excel",
        (".xlsx", ".xlsm", ".xltx"),
        "rag.documents.spreadsheet",
        "read_spreadsheet",
        "visible sheets, each row with the names of its columns; of formulas, their values",
        by_content=True,
    ),
    Format(
        "OpenDocument text",
        (".odt", ".ott"),
        "rag.documents.open_text",
        "read_open_text",
        "headings, lists, tables, notes, text boxes; no comments, no deleted or hidden text",
        by_content=True,
    ),
    Format(
        "OpenDocument presentation",
        (".odp", ".otp"),
        "rag.documents.open_text",
        "read_open_slides",
        "slides as pages under their titles: texts, tables, notes",
        by_content=True,
    ),
    Format(
        "OpenDocument spreadsheet",
        (".ods", ".ots"),
        "rag.documents.open_spreadsheet",
        "read_open_spreadsheet",
        "visible sheets, each row with the names of its columns; of formulas, their values",
        by_content=True,
    ),
    Format(
        "EPUB",
        (".epub",),
        "rag.documents.epub",
        "read_epub",
        "chapters in reading order, under their names",
        by_content=True,
    ),
    Format(
        PICTURES,
        (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp"),
        "rag.documents.picture",
        "read_picture",
        "the text in scans and photographs, where Tesseract is installed",
        recognises=True,
        by_content=True,
    ),
    Format(
        "HTML",
        (".html", ".htm", ".xhtml"),
        "rag.documents.html",
        "read_html",
        "what a reader of the page sees, without menus and scripts",
    ),
    Format(
        "Markdown",
        (".md", ".markdown", ".mdown", ".mkd"),
        "rag.documents.markdown",
        "read_markdown",
        "text under its headings",
    ),
    Format(
        "Table",
        (".csv", ".tsv", ".tab"),
        "rag.documents.csv_table",
        "read_table",
        "each row with the names of its columns; separator and encoding are found",
    ),
    Format(
        "Source code",
        tuple(_CODE.split()),
        "rag.documents.source_code",
        "read_source_code",
        "classes and functions under their names, with the comments above them",
    ),
    Format(
        "Text",
        tuple(_TEXT.split()),
        "rag.documents.plain_text",
        "read_plain_text",
        "paragraphs; UTF-8, UTF-16, and the old encodings of Persian, Arabic, Western Europe and Russian",
    ),
)


def supported_suffixes() -> frozenset[str]:
    """Suffixes of files that can be read on this device, in lower case, with the dot."""
    return _suffixes(pictures=find_recogniser() is not None)


@cache
def _suffixes(*, pictures: bool) -> frozenset[str]:
    formats = (each for each in FORMATS if pictures or each.name != PICTURES)
    return frozenset(suffix for each in formats for suffix in each.suffixes)


@cache
def format_of(suffix: str) -> Format | None:
    """The format of files with this suffix; None if there is none."""
    return next((each for each in FORMATS if suffix in each.suffixes), None)
