"""The words that answer a question, found again in passages."""

from __future__ import annotations

from collections.abc import Iterable

from rag.text import index_text

_RUN = 3
_SHARED_RUNS = 10
"""About the 80 letters with which a passage overlaps an answer noticeably."""


class KnownAnswer:
    """An answer, compared by words as the full-text index writes them: spelling variants do not count."""

    def __init__(self, text: str) -> None:
        words = index_text(text).split()
        self._size = max(1, min(_RUN, len(words)))
        self._runs = _runs(words, self._size)

    def stands_in(self, text: str) -> bool:
        """Whether a passage has the answer, or a good piece of a long one."""
        shared = len(self._runs & _runs(index_text(text).split(), self._size))
        return shared >= min(_SHARED_RUNS, len(self._runs)) > 0

    def covered_by(self, texts: Iterable[str]) -> float:
        """Which share of the answer stands in these passages together, 0 to 1."""
        if not self._runs:
            return 0.0
        there = frozenset().union(*(_runs(index_text(text).split(), self._size) for text in texts))
        return len(self._runs & there) / len(self._runs)


def _runs(words: list[str], size: int) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(words[at : at + size]) for at in range(len(words) - size + 1))
