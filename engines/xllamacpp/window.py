"""Room for tokens: one context window that all answers share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SHARE_WITHOUT_LIMIT = 8


def claim(prompt: int, answer: int | None, window: int) -> int:
    """How many tokens of the window a prompt is given with the longest answer that it allows.

    An answer without a limit has an eighth of the window to begin with, and then what nobody else has.
    """
    return min(window, prompt + (window // _SHARE_WITHOUT_LIMIT if answer is None else max(0, answer)))


class Window:
    """Hands out room. Safe to use from several threads.

    Where answers filled the window together, the server would end them all, in the middle of a batch. One
    that was cancelled has its room until the server has looked up from its batch.
    """

    def __init__(self, tokens: int) -> None:
        self._free = tokens
        self._changed = threading.Condition()

    @contextmanager
    def room(self, tokens: int) -> Iterator[Room]:
        """Wait for so much room, and hold it in this block. More than the window has never comes."""
        with self._changed:
            self._changed.wait_for(lambda: self._free >= tokens)
            self._free -= tokens
        room = Room(self, tokens)
        try:
            yield room
        finally:
            with self._changed:
                self._free += room.tokens
                self._changed.notify_all()

    def take(self, tokens: int) -> bool:
        """Take more without waiting; False where that much is not free."""
        with self._changed:
            if self._free < tokens:
                return False
            self._free -= tokens
            return True


class Room:
    """What one answer has of a window."""

    def __init__(self, window: Window, tokens: int) -> None:
        self._window = window
        self.tokens = tokens

    def holds(self, tokens: int) -> bool:
        """Whether so many have room, after taking more where it is free."""
        more = tokens - self.tokens
        if more <= 0:
            return True
        if not self._window.take(more):
            return False
        self.tokens += more
        return True
