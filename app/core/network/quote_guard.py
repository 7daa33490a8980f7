"""Stops an answer before it hands out a document word for word."""

from __future__ import annotations

from collections.abc import Iterable

QUOTE_CHARACTERS = 200
"""So much of a document may stand in an answer in one piece, and in a citation."""


_LONGEST_CITATION = 12
"""Digits between brackets."""


class QuoteGuard:
    """Watches the words of an answer: a question that talks the model into repeating its sources gets no more
    of them than a quotation may have.

    Only letters and digits count, and numbers in brackets do not: line breaks, marks, and a citation after
    every sentence are no way round it.
    """

    def __init__(self, texts: Iterable[str], longest: int = QUOTE_CHARACTERS) -> None:
        self._texts = [_folded(text) for text in texts]
        self._letters = _Letters()
        self._longest = longest
        self._tail = ""
        self.tripped = False

    def take(self, text: str) -> str:
        """So much of the next words as may be said; `tripped` is set where that is not all."""
        for place, character in enumerate(text):
            folded = self._letters.take(character)
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
    letters = _Letters()
    return "".join(map(letters.take, text)) + letters.rest()


class _Letters:
    """What of a text is compared, letter for letter."""

    def __init__(self) -> None:
        self._bracket: str | None = None
        """Digits after [, which are a citation if ] follows them; None: no bracket is open."""

    def take(self, character: str) -> str:
        """What can be told so far with this character."""
        if character == "[":
            before, self._bracket = self.rest(), ""
            return before
        if self._bracket is not None and character == "]":
            self._bracket = None
            return ""
        if not character.isalnum():
            return ""
        if self._bracket is not None and character.isdecimal() and len(self._bracket) < _LONGEST_CITATION:
            self._bracket += character
            return ""
        return self.rest() + character.casefold()

    def rest(self) -> str:
        """Digits in a bracket that is no citation."""
        rest, self._bracket = self._bracket or "", None
        return rest
