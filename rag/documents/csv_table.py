"""Tables in text files (CSV, TSV): every row as a line that tells its columns."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from rag.documents.outline import Block, sections_of
from rag.documents.parsed import ParsedDocument, Section
from rag.documents.plain_text import text_lines
from rag.documents.table_rows import table_lines

_SEPARATORS = (",", ";", "\t", "|", "،", "؛")
_SAMPLE_LINES = 50
_SAMPLE_CHARACTERS = 100_000
_MOST_COLUMNS = 16_384


def read_table(path: Path, title: str) -> ParsedDocument:
    """Read a table in whatever separator and encoding it is.

    Raises:
        DocumentDamaged: The content is no text.
    """
    return ParsedDocument(title, None, _sections(text_lines(path, title)))


def _sections(lines: Iterator[str]) -> Iterator[Section]:
    first = next(lines, "")
    if first[:4].casefold() == "sep=" and len(first.strip()) == len("sep=,"):  # what Excel writes for itself
        separator = first[4]
    else:
        sample = [first]
        for line in islice(lines, _SAMPLE_LINES):
            sample.append(line)
            if sum(map(len, sample)) > _SAMPLE_CHARACTERS:
                break
        separator = separator_of(sample)
        lines = chain(sample, lines)
    rows = _rows(lines, separator)
    return sections_of(Block(line) for line in table_lines(rows, sure_columns=2))


def separator_of(sample: list[str]) -> str:
    """The separator with which most rows of a sample have the same number of columns, and several."""
    best, best_score = ",", 0.0
    for separator in _SEPARATORS:
        counts = Counter(len(row) for row in _rows(iter(sample), separator) if any(row))
        several = [(rows, columns) for columns, rows in counts.items() if columns > 1]
        rows, columns = max(several, default=(0, 0))
        if rows and (score := rows / counts.total() + min(columns, 100) / 1000) > best_score:
            best, best_score = separator, score
    return best


def _rows(lines: Iterator[str], separator: str) -> Iterator[list[str]]:
    """Rows of cells. A quotation mark that nobody closes costs its row, not the rest of the file."""
    taken: list[str] = []

    def remembered() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    reader = csv.reader(remembered(), delimiter=separator, skipinitialspace=True)
    while True:
        try:
            row = next(reader, None)
        except csv.Error:  # a cell of more than 131,072 characters
            for line in taken:
                yield line.rstrip("\r\n").split(separator)[:_MOST_COLUMNS]
            reader = csv.reader(remembered(), delimiter=separator, quoting=csv.QUOTE_NONE)
            row = []
        if row is None:
            return
        taken.clear()
        yield row[:_MOST_COLUMNS]
