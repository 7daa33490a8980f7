"""Notices an answer that has fallen into a circle, as small models do in languages they hardly know."""

from __future__ import annotations

_LONGEST_BLOCK = 128
_LEAST_TOKENS = 192
_LEAST_TIMES = 4
_TOKENS_BETWEEN_LOOKS = 16
_REMEMBERED = _LONGEST_BLOCK * _LEAST_TIMES


class RepetitionGuard:
    """Watches the tokens of one answer.

    A circle is one block of up to 128 tokens that has come at least four times in a row, to the letter, and
    filled at least 192 tokens: far more than a refrain, a table's rule or a row of zeros in good text.
    """

    def __init__(self) -> None:
        self._tokens: list[int] = []
        self._until_look = _LEAST_TOKENS

    def circles(self, token: int) -> bool:
        """Take one more token; returns whether the answer goes in circles. Costs some microseconds."""
        self._tokens.append(token)
        self._until_look -= 1
        if self._until_look:
            return False
        self._until_look = _TOKENS_BETWEEN_LOOKS
        del self._tokens[:-_REMEMBERED]
        return any(self._repeats(length) for length in range(1, _LONGEST_BLOCK + 1))

    def _repeats(self, length: int) -> bool:
        """Whether the last tokens are one block of this length over and over."""
        tokens, span = self._tokens, max(_LEAST_TOKENS, length * _LEAST_TIMES)
        if len(tokens) < span or tokens[-1] != tokens[-1 - length]:
            return False
        return tokens[-span:-length] == tokens[length - span :]
