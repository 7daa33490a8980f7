"""The texts that the cells of a workbook share: kept in a file, since they may be more than the memory."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable
from functools import lru_cache
from typing import Self

from rag.documents.xml_events import Event, Kind
from rag.errors import UnsafeDocument

_KEPT_IN_MEMORY = 8 * 1024 * 1024
_REMEMBERED = 4_096
"""Texts; the names in a column repeat."""
_MOST = 20_000_000
_LONGEST = 32_767
"""Characters of a cell, in Excel's own words."""


class SharedTexts:
    """Texts by their number, in a temporary file once they are many."""

    def __init__(self, name: str) -> None:
        """`name` is what errors call the workbook."""
        self._name = name
        self._file = tempfile.SpooledTemporaryFile(_KEPT_IN_MEMORY)  # noqa: SIM115 - closed by `__exit__`
        self._ends = array("Q", [0])
        self._look_up = lru_cache(_REMEMBERED)(self._text)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getitem__(self, number: int) -> str:
        """The text of this number; "" where there is none."""
        return self._look_up(number)

    def read(self, events: Iterable[Event]) -> None:
        """Read the part of a workbook that lists them.

        Raises:
            UnsafeDocument: They are more than a workbook has cells to share.
        """
        parts: list[str] = []
        skipped = 0
        for event in events:
            if event.tag == "rPh" and event.kind is not Kind.TEXT:  # how to pronounce it
                skipped += 1 if event.kind is Kind.START else -1
            elif event.kind is Kind.TEXT:
                if event.tag == "t" and not skipped:
                    parts.append(event.text)
            elif event.kind is Kind.END and event.tag == "si":
                content = "".join(parts)[:_LONGEST].encode()
                self._file.write(content)
                self._ends.append(self._ends[-1] + len(content))
                parts = []
                if len(self._ends) > _MOST:
                    raise UnsafeDocument(self._name, "texts without end")

    def _text(self, number: int) -> str:
        if number + 1 >= len(self._ends):
            return ""
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return self._file.read(end - start).decode()
