"""Conversations that were pushed out of a model's memory, kept so that they need not be read again.

Reading a prompt again takes seconds, copying its state back milliseconds. Nobody has to name conversations:
a state is found by the tokens it was made from.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import count
from typing import Any

from engines.llama_cpp.vocabulary import common_prefix

LEAST_TOKENS = 32
"""Fewer tokens are read again faster than a whole state is copied."""


@dataclass(frozen=True, slots=True)
class SavedState:
    """What a context held after it had read some tokens."""

    tokens: list[int]
    variant: Hashable
    """The adapters it was read with: the same tokens leave another state under others."""
    content: Any
    """An object with the buffer protocol, as llama.cpp filled it."""
    size: int
    """Bytes of `content`."""


class PrefixCache:
    """States within a bound of bytes; the one that was not needed for the longest time goes first."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self._states: OrderedDict[int, SavedState] = OrderedDict()
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._states)

    def take(
        self, prompt: list[int], variant: Hashable, *, longer_than: int, whole: bool
    ) -> tuple[SavedState, int] | None:
        """The state that spares most of a prompt, and how many of its tokens that are.

        A state that goes on in the prompt leaves the cache: the context that takes it over will be saved
        again, with more in it. A state of which only the beginning fits stays.

        Args:
            prompt: the tokens to be read.
            variant: the adapters in use.
            longer_than: what the context has already; less or equal would not help.
            whole: take only states that the prompt goes on from, for models that cannot forget a part.
        """
        best, best_length = None, longer_than
        for number, state in self._states.items():
            if state.variant != variant:
                continue
            length = common_prefix(state.tokens, prompt)
            if length > best_length and (length == len(state.tokens) or not whole):
                best, best_length = number, length
        if best is None:
            return None
        state = self._states[best]
        if best_length + LEAST_TOKENS > len(state.tokens):
            self._drop(best)
        else:
            self._states.move_to_end(best)
        return state, best_length

    def holds(self, tokens: list[int], variant: Hashable) -> bool:
        """Whether a state has all these tokens already; it then counts as needed just now."""
        for number, state in self._states.items():
            if state.variant == variant and common_prefix(state.tokens, tokens) == len(tokens):
                self._states.move_to_end(number)
                return True
        return False

    def add(self, state: SavedState) -> None:
        """Keep a state; those that are a beginning of it, and the oldest beyond the bound, are dropped."""
        for number, other in list(self._states.items()):
            shorter = common_prefix(other.tokens, state.tokens) == len(other.tokens)
            if shorter and other.variant == state.variant:
                self._drop(number)
        if state.size > self.most_bytes:
            return
        while self.bytes + state.size > self.most_bytes:
            self._drop(next(iter(self._states)))
        self._states[next(self._numbers)] = state
        self.bytes += state.size

    def clear(self) -> None:
        """Give all memory back."""
        self._states.clear()
        self.bytes = 0

    def _drop(self, number: int) -> None:
        self.bytes -= self._states.pop(number).size
