"""From glyphs painted somewhere on a page to its text: lines, columns, paragraphs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from rag.documents.reading_order import direction, has_right_to_left, logical_text, nesting_faults
from rag.text import ZWNJ, plain_letters

# Shares of the font size.
_SAME_BASELINE = 0.45
_WORD_GAP = 0.18
_NO_ROOM = 0.06
_CELL_GAP = 1.2
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
"""With so large a share of letters of one direction, a line is in a language of that direction."""
_WRAPPED_LINES = 3
_WRAPPED_CHARACTERS = 60
"""So many lines, or so long a line, tell whether the width has broken them."""
_LIST_ITEM = re.compile(r"[•◦▪‣·●■□*–-]|[0-9۰-۹٠-٩]+[.)\-–]|\w[.)]\s")
_HYPHENATED = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]$")

_Interval = tuple[float, float]


@dataclass(slots=True)
class Glyph:
    """A painted character, turned so that its line runs along x."""

    text: str
    """Letters in reading order: a ligature has several."""
    x0: float
    x1: float
    baseline: float
    size: float


class _Cell:
    """Glyphs of one line without a wide gap, from left to right."""

    def __init__(self, glyphs: list[Glyph]) -> None:
        self.x0 = glyphs[0].x0
        self.x1 = max(glyph.x1 for glyph in glyphs)
        self.painted = _painted(glyphs)


class _Row:
    """Cells on one height. Most rows have one: a line of text."""

    def __init__(self, cells: list[_Cell], baseline: float, size: float) -> None:
        self.cells = cells
        self.baseline = baseline
        self.size = size
        self.x0 = cells[0].x0
        self.x1 = max(cell.x1 for cell in cells)

    def part(self, cells: list[_Cell]) -> _Row:
        return _Row(cells, self.baseline, self.size)


def page_text(glyphs: Iterable[Glyph]) -> str:
    """The text of one page in reading order; paragraphs are separated by a blank line.

    Lines that were only broken by the width of the paper are put together again. Columns of text are read one
    after the other, tables across.
    """
    rows = _rows(list(glyphs))
    all_text = "".join(piece for row in rows for cell in row.cells for piece in cell.painted)
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


def _rows(glyphs: list[Glyph]) -> list[_Row]:
    marks = [glyph for glyph in glyphs if _is_mark(glyph)]
    lines: list[tuple[float, float, list[Glyph]]] = []
    for glyph in sorted(glyphs, key=lambda glyph: (-glyph.baseline, glyph.x0)):
        if not glyph.text or _is_mark(glyph):
            continue
        if lines:
            baseline, size, line = lines[-1]
            if abs(baseline - glyph.baseline) <= _SAME_BASELINE * max(size, glyph.size):
                line.append(glyph)
                if glyph.size > size:  # the line began with a raised figure
                    lines[-1] = (glyph.baseline, glyph.size, line)
                continue
        lines.append((glyph.baseline, glyph.size, [glyph]))
    for mark in marks:
        _attach(mark, lines)
    rows = []
    for baseline, size, line in lines:
        line.sort(key=_from_left)
        if cells := [_Cell(cell) for cell in _cells(line, size) if any(not g.text.isspace() for g in cell)]:
            rows.append(_Row(cells, baseline, size))
    return rows


def _from_left(glyph: Glyph) -> tuple[float, float]:
    """A space that takes no room stands at the left of the letter it was painted over."""
    return glyph.x0 - (_NO_ROOM * glyph.size if glyph.text.isspace() else 0.0), glyph.x1


def _is_mark(glyph: Glyph) -> bool:
    return bool(glyph.text) and all(unicodedata.category(letter) == "Mn" for letter in glyph.text)


def _attach(mark: Glyph, lines: list[tuple[float, float, list[Glyph]]]) -> None:
    """Vowel signs are painted over letters; in reading order they follow their letter."""
    middle = (mark.x0 + mark.x1) / 2
    near = [line for baseline, size, line in lines if abs(baseline - mark.baseline) <= size]
    letters = [glyph for line in near for glyph in line if not glyph.text.isspace()]
    if letters:
        base = min(
            letters,
            key=lambda glyph: (max(glyph.x0 - middle, middle - glyph.x1, 0.0), abs(glyph.x0 - middle)),
        )
        base.text += mark.text


def _cells(line: list[Glyph], size: float) -> list[list[Glyph]]:
    cells: list[list[Glyph]] = []
    end = 0.0
    for glyph in line:
        if glyph.text.isspace() and cells:
            cells[-1].append(glyph)
            continue
        if not cells or glyph.x0 - end > _CELL_GAP * size:
            cells.append([])
        cells[-1].append(glyph)
        end = glyph.x1 if len(cells[-1]) == 1 else max(end, glyph.x1)
    return cells


def _painted(glyphs: list[Glyph]) -> list[str]:
    """Texts from left to right, with a space wherever words are apart."""
    pieces: list[str] = []
    before: Glyph | None = None
    space = False
    for glyph in glyphs:
        if glyph.text.isspace():
            space = True
            continue
        if before is not None:
            room = glyph.x0 - before.x1
            if _is_painted_twice(before, glyph):
                continue
            if space and room < _NO_ROOM * glyph.size:
                # A space that takes no room is how browsers paint the half space.
                if has_right_to_left(before.text) and has_right_to_left(glyph.text):
                    pieces.append(ZWNJ)
            elif space or room > _WORD_GAP * glyph.size:
                pieces.append(" ")
        pieces.append(plain_letters(glyph.text))
        before, space = glyph, False
    return pieces


def _is_painted_twice(before: Glyph, glyph: Glyph) -> bool:
    """Programs without a bold font paint each letter again, a little aside."""
    return before.text == glyph.text and glyph.x0 - before.x0 < 0.2 * (before.x1 - before.x0)


def _columns(rows: list[_Row], *, right_to_left: bool) -> list[list[_Row]]:
    """Rows in reading order: band by band from the top, in a band column by column."""
    columns: list[list[_Row]] = [[]]
    for band, gutters in _bands(rows):
        sides = next((sides for gutter in gutters if (sides := _sides(band, gutter))), None)
        if sides is None:
            columns[-1] += band
            continue
        for side in reversed(sides) if right_to_left else sides:
            columns += _columns(side, right_to_left=right_to_left)
        columns.append([])
    return [column for column in columns if column]


def _bands(rows: list[_Row]) -> Iterator[tuple[list[_Row], list[_Interval]]]:
    """Rows that follow each other and leave the same space free, and those spaces."""
    if not rows:
        return
    left, right = min(row.x0 for row in rows), max(row.x1 for row in rows)
    band: list[_Row] = []
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


def _free(row: _Row, left: float, right: float) -> list[_Interval]:
    edges = [left, *(edge for cell in row.cells for edge in (cell.x0, cell.x1)), right]
    return [(x0, x1) for x0, x1 in zip(edges[::2], edges[1::2], strict=True) if x1 > x0]


def _sides(band: list[_Row], gutter: _Interval) -> tuple[list[_Row], list[_Row]] | None:
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

    def __init__(self, row: _Row, left: float, right: float, balance: int, *, mirrored: bool) -> None:
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
        """Whether the next line is only a new one because the width was used up."""
        first_word = line.text.split(maxsplit=1)[0]
        needed = (line.row.x1 - line.row.x0) * (len(first_word) + 1) / max(len(line.text), 1)
        return (
            len(self.row.cells) == len(line.row.cells) == 1
            and self.right_to_left == line.right_to_left
            and self.room_at_end < needed
            and self.room_at_start < _INDENTATION * self.row.size
            and line.room_at_start < _FLUSH * width
            and not _LIST_ITEM.match(line.text)
        )


def _is_right_to_left(row: _Row, left: float, right: float, balance: int) -> bool:
    """Direction of the paragraph a row belongs to.

    That of the page, unless the row is in another language and stands where such a paragraph starts.
    """
    of_page = balance < 0
    painted = "".join(piece for cell in row.cells for piece in cell.painted)
    own = direction(painted)
    if not own or (own < 0) == of_page:
        return of_page
    at_left, at_right = (room < _FLUSH * (right - left) for room in (row.x0 - left, right - row.x1))
    if at_left != at_right:
        return at_right
    letters = sum(letter.isalpha() for letter in painted)
    return own < 0 if abs(own) >= (2 * _ONE_LANGUAGE - 1) * letters else of_page


def _column_text(column: list[_Row], balance: int, *, mirrored: bool) -> str:
    left, right = min(row.x0 for row in column), max(row.x1 for row in column)
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
