"""From glyphs painted somewhere on a page to rows of words, still in the order they are painted in."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from rag.documents.reading_order import has_right_to_left
from rag.text import ZWNJ, plain_letters

# Shares of the font size.
_SAME_BASELINE = 0.45
_WORD_GAP = 0.18
_NO_ROOM = 0.06
_CELL_GAP = 1.2


@dataclass(slots=True)
class Glyph:
    """A painted character, turned so that its line runs along x."""

    text: str
    """Letters in reading order: a ligature has several."""
    x0: float
    x1: float
    baseline: float
    size: float


class Cell:
    """Glyphs of one line without a wide gap."""

    def __init__(self, glyphs: list[Glyph]) -> None:
        self.x0 = glyphs[0].x0
        self.x1 = max(glyph.x1 for glyph in glyphs)
        self.painted = _painted(glyphs)
        """Texts of glyphs, half spaces and spaces, from left to right."""


class Row:
    """Cells on one height. Most rows have one: a line of text."""

    def __init__(self, cells: list[Cell], baseline: float, size: float) -> None:
        self.cells = cells
        self.baseline = baseline
        self.size = size
        self.x0 = cells[0].x0
        self.x1 = max(cell.x1 for cell in cells)

    def part(self, cells: list[Cell]) -> Row:
        """The row with only these of its cells."""
        return Row(cells, self.baseline, self.size)


def rows_of(glyphs: list[Glyph]) -> list[Row]:
    """Rows from top to bottom. Vowel signs are given to their letters."""
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
        if cells := [Cell(cell) for cell in _cells(line, size) if any(not g.text.isspace() for g in cell)]:
            rows.append(Row(cells, baseline, size))
    return rows


def _from_left(glyph: Glyph) -> tuple[float, float]:
    """A space that takes no room stands at the left of the letter it was painted over."""
    return glyph.x0 - (_NO_ROOM * glyph.size if glyph.text.isspace() else 0.0), glyph.x1


def _is_mark(glyph: Glyph) -> bool:
    letters = plain_letters(glyph.text).strip()  # the shapes of two signs in one have a space as their letter
    return bool(letters) and all(unicodedata.category(letter) == "Mn" for letter in letters)


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
        base.text += plain_letters(mark.text).strip()


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
                if _is_right_to_left_letter(before.text) and _is_right_to_left_letter(glyph.text):
                    pieces.append(ZWNJ)
            elif space or room > _WORD_GAP * glyph.size:
                pieces.append(" ")
            elif _ends_unjoined(glyph.text) and _is_right_to_left_letter(before.text):
                pieces.append(ZWNJ)
        pieces.append(plain_letters(glyph.text))
        before, space = glyph, False
    return pieces


def _is_right_to_left_letter(text: str) -> bool:
    return text[0].isalpha() and has_right_to_left(text)  # «؟» is right-to-left, too


def _ends_unjoined(text: str) -> bool:
    """Whether a letter that could join its successor was given the shape of one that does not."""
    name = unicodedata.name(text[0], "")
    for shape in (" FINAL FORM", " ISOLATED FORM"):
        if name.endswith(shape):
            try:
                unicodedata.lookup(name.removesuffix(shape) + " INITIAL FORM")
            except KeyError:
                return False
            return True
    return False


def _is_painted_twice(before: Glyph, glyph: Glyph) -> bool:
    """Programs without a bold font paint each letter again, a little aside."""
    return before.text == glyph.text and glyph.x0 - before.x0 < 0.2 * (before.x1 - before.x0)
