"""Stops an answer before it hands out a document word for word."""

from __future__ import annotations

from collections.abc import Iterable

QUOTE_CHARACTERS = 200
"""So much of a document may stand in an answer in one piece, and in a citation."""


class QuoteGuard:
    """Watches the words of an answer: a question that talks the model into repeating its sources gets no more
    of them than a quotation may have.

    White space and case do not matter, so that line breaks are no way round it.
    """

    def __init__(self, texts: Iterable[str], longest: int = QUOTE_CHARACTERS) -> None:
        self._texts = [_folded(text) for text in texts]
        self._longest = longest
        self._tail = ""
        self.tripped = False

    def take(self, text: str) -> str:
        """So much of the next words as may be said; `tripped` is set where that is not all."""
        for place, character in enumerate(text):
            folded = _folded(character)
            if not folded:
                continue
            self._tail = (self._tail + folded)[-(self._longest + 1) :]
            if len(self._tail) > self._longest and any(self._tail in one for one in self._texts):
                self.tripped = True
                return text[:place]
        return text


def shortened(text: str, longest: int = QUOTE_CHARACTERS) -> str:
    """A quotation that is not longer than it may be; ends at a word where it is cut."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    kept = text[: longest - 1]
    return (kept.rpartition(" ")[0] or kept) + "…"


def _folded(text: str) -> str:
    return "".join(text.casefold().split())
