"""Rows of a table as sentences that stand alone: each value says which column it is from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

_LONGEST_NAME = 80
"""A longer text in the first row is content, not the name of a column."""
_LONGEST_LINE = 600
"""Longer rows are told in several lines; a passage has 800 characters."""
_LONGEST_KEY = 80
_NUMBER = re.compile(r"[\s\d۰-۹٠-٩.,٫٬/:%+\-−()$€£]+")


def table_lines(
    rows: Iterable[Sequence[str]], *, has_header: bool | None = None, sure_columns: int = 3
) -> Iterator[str]:
    """One line for each row, and more for a long one: "Month: May | Rain: 3 mm".

    Args:
        rows: Texts of the cells. Read one by one, so a table need not fit into memory.
        has_header: Whether the first row with several cells names the columns; None decides by what it says.
        sure_columns: So many names are no accident: two words of a table in a text may be just a pair.
    """
    names: Sequence[str] | None = None
    first = True
    for row in rows:
        cells = [" ".join(cell.split()) for cell in row]
        filled = sum(map(bool, cells))
        if not filled:
            continue
        if first and filled > 1:
            first = False
            if has_header or (has_header is None and _names_columns(cells, sure_columns)):
                names = cells
                yield " | ".join(filter(None, cells))
                continue
        yield from _lines(_labelled(cells, names))


def _names_columns(cells: Sequence[str], at_least: int) -> bool:
    """Names are short, differ from each other, and are no numbers."""
    found = [cell for cell in cells if cell]
    if len(found) < max(at_least, len(cells) // 2) or len(set(found)) < len(found):
        return False
    return not any(len(cell) > _LONGEST_NAME or _NUMBER.fullmatch(cell) for cell in found)


def _labelled(cells: Sequence[str], names: Sequence[str] | None) -> list[str]:
    if names is None:
        return [cell for cell in cells if cell]
    labels = [*names, *[""] * (len(cells) - len(names))]
    return [
        f"{label}: {cell}" if label and label != cell else cell
        for label, cell in zip(labels, cells, strict=False)
        if cell
    ]


def _lines(cells: list[str]) -> Iterator[str]:
    line = ""
    key = cells[0] if len(cells[0]) <= _LONGEST_KEY else ""
    for cell in cells:
        if line and len(line) + len(cell) > _LONGEST_LINE:
            yield line
            line = key
        line = f"{line} | {cell}" if line else cell
    yield line
