"""From the rows of a page to its text: columns, lines, paragraphs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from statistics import median

from rag.documents.page_rows import Glyph, Row, rows_of
from rag.documents.reading_order import direction, has_right_to_left, logical_text, nesting_faults

# Shares of the font size.
_INDENTATION = 3.0
_GUTTER = 0.8

_LINES_OF_A_COLUMN = 3
_CHARACTERS_OF_A_COLUMN = 30
"""Narrower pieces beside each other are cells of a table, or two halves of a verse: to be read across."""
_PARAGRAPH_GAP = 1.35
"""In shares of the usual distance of lines on the page."""
_OTHER_SIZE = 1.15
_FLUSH = 0.05
"""A line this near to the border of its column, in shares of the column's width, reaches it."""
_ONE_LANGUAGE = 0.8
"""With so large a share of words of one direction, a line is in a language of that direction."""
_WRAPPED_LINES = 3
_WRAPPED_CHARACTERS = 60
"""So many lines, or so long a line, tell whether the width has broken them."""
_LIST_ITEM = re.compile(r"[•◦▪‣·●■□*–-]|[0-9۰-۹٠-٩]+[.)\-–]|\w[.)]\s")
_SENTENCE_END = re.compile(r"[.!?؟؛:…][)\]»”’\"']*$")
_HYPHENATED = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]$")

_Interval = tuple[float, float]


def page_text(glyphs: Iterable[Glyph]) -> str:
    """The text of one page in reading order; paragraphs are separated by a blank line.

    Lines that were only broken by the width of the paper are put together again. Columns of text are read one
    after the other, tables across.
    """
    rows = rows_of(list(glyphs))
    all_text = "\n".join("".join(cell.painted) for row in rows for cell in row.cells)
    balance = direction(all_text)
    columns = _columns(rows, right_to_left=balance < 0)

    def text(*, mirrored: bool) -> str:
        return "\n\n".join(_column_text(column, balance, mirrored=mirrored) for column in columns)

    as_painted = text(mirrored=True)
    if has_right_to_left(all_text) and (faults := nesting_faults(as_painted)):
        # Some programs store brackets as they were typed, not as they look.
        as_typed = text(mirrored=False)
        if nesting_faults(as_typed) < faults:
            return as_typed
    return as_painted


def _columns(rows: list[Row], *, right_to_left: bool) -> list[list[Row]]:
    """Rows in reading order: band by band from the top, in a band column by column."""
    columns: list[list[Row]] = [[]]
    for band, gutters in _bands(rows):
        sides = next((sides for gutter in gutters if (sides := _sides(band, gutter))), None)
        if sides is None:
            columns[-1] += band
            continue
        for side in reversed(sides) if right_to_left else sides:
            columns += _columns(side, right_to_left=right_to_left)
        columns.append([])
    return [column for column in columns if column]


def _bands(rows: list[Row]) -> Iterator[tuple[list[Row], list[_Interval]]]:
    """Rows that follow each other and leave the same space free, and those spaces."""
    if not rows:
        return
    left, right = min(row.x0 for row in rows), max(row.x1 for row in rows)
    band: list[Row] = []
    gutters: list[_Interval] = []
    for row in rows:
        free = _free(row, left, right)
        common = [
            (x0, x1)
            for one in gutters
            for other in free
            if (x1 := min(one[1], other[1])) - (x0 := max(one[0], other[0])) >= _GUTTER * row.size
        ]
        if common or not band:
            band.append(row)
            gutters = common or free
        else:
            yield band, gutters
            band, gutters = [row], free
    yield band, gutters


def _free(row: Row, left: float, right: float) -> list[_Interval]:
    edges = [left, *(edge for cell in row.cells for edge in (cell.x0, cell.x1)), right]
    return [(x0, x1) for x0, x1 in zip(edges[::2], edges[1::2], strict=True) if x1 > x0]


def _sides(band: list[Row], gutter: _Interval) -> tuple[list[Row], list[Row]] | None:
    """What is left and right of a gutter, if both are columns of text."""
    middle = (gutter[0] + gutter[1]) / 2
    left = [row.part(cells) for row in band if (cells := [cell for cell in row.cells if cell.x1 < middle])]
    right = [row.part(cells) for row in band if (cells := [cell for cell in row.cells if cell.x0 > middle])]
    if all(
        len(side) >= _LINES_OF_A_COLUMN
        and median(len(cell.painted) for row in side for cell in row.cells) >= _CHARACTERS_OF_A_COLUMN
        for side in (left, right)
    ):
        return left, right
    return None


class _Line:
    """A row within its column, as text."""

    def __init__(self, row: Row, left: float, right: float, balance: int, *, mirrored: bool) -> None:
        self.row = row
        self.right_to_left = _is_right_to_left(row, left, right, balance)
        cells = reversed(row.cells) if self.right_to_left else row.cells
        texts = (
            logical_text(cell.painted, right_to_left=self.right_to_left, mirrored=mirrored) for cell in cells
        )
        self.text = unicodedata.normalize("NFC", " ".join(texts))
        before, behind = row.x0 - left, right - row.x1
        self.room_at_start, self.room_at_end = (behind, before) if self.right_to_left else (before, behind)

    def goes_on_in(self, line: _Line, width: float) -> bool:
        """Whether the next line is only a new one because the width was used up, within a sentence."""
        first_word = line.text.split(maxsplit=1)[0]
        needed = (line.row.x1 - line.row.x0) * (len(first_word) + 1) / max(len(line.text), 1)
        return (
            len(self.row.cells) == len(line.row.cells) == 1
            and self.right_to_left == line.right_to_left
            and self.room_at_end < needed
            and self.room_at_start < _INDENTATION * self.row.size
            and line.room_at_start < _FLUSH * width
            and not _SENTENCE_END.search(self.text)
            and not _LIST_ITEM.match(line.text)
        )


def _is_right_to_left(row: Row, left: float, right: float, balance: int) -> bool:
    """Direction of the paragraph a row belongs to.

    That of the page, unless the row is in another language and stands where such a paragraph starts.
    """
    of_page = balance < 0
    painted = " ".join("".join(cell.painted) for cell in row.cells)
    own = direction(painted)
    if not own or (own < 0) == of_page:
        return of_page
    at_left, at_right = (room < _FLUSH * (right - left) for room in (row.x0 - left, right - row.x1))
    if at_left != at_right:
        return at_right
    words = len(painted.split())
    return own < 0 if abs(own) >= (2 * _ONE_LANGUAGE - 1) * words else of_page


def _column_text(column: list[Row], balance: int, *, mirrored: bool) -> str:
    # Single lines that stick out, such as program text, do not make the column any wider.
    outliers = len(column) // 10
    left = sorted(row.x0 for row in column)[outliers]
    right = sorted(row.x1 for row in column)[-1 - outliers]
    lines = [_Line(row, left, right, balance, mirrored=mirrored) for row in column]
    # In font sizes. Most lines are inside paragraphs, but on a page of short paragraphs not more than some.
    distances = [(one.baseline - other.baseline) / other.size for one, other in pairwise(column)]
    usual = sorted(distances)[len(distances) // 4] if distances else 0.0
    text = lines[0].text
    few = len(lines) < _WRAPPED_LINES
    for before, line, distance in zip(lines, lines[1:], distances, strict=False):
        sizes = before.row.size, line.row.size
        if distance > _PARAGRAPH_GAP * usual or max(sizes) > _OTHER_SIZE * min(sizes):
            text += "\n\n" + line.text
        elif not before.goes_on_in(line, right - left) or (few and len(before.text) < _WRAPPED_CHARACTERS):
            text += "\n" + line.text
        elif _HYPHENATED.search(text) and line.text[0].islower():
            text = text[:-1] + line.text
        else:
            text += " " + line.text
    return text
