"""Whose turn it is before a runtime that answers several prompts at once."""

from __future__ import annotations

from engines.llama_cpp.turns import Turn, Turns


class SeveralTurns(Turns):
    """A queue of turns, of which several are held; the more urgent come first, none is paused for another.

    All holders share one context window. A turn is granted once `fits` has said how much of the window it
    may fill and that much is free. Nothing passes one that waits for room, or it might wait for ever.
    """

    def __init__(self, places: int) -> None:
        super().__init__()
        self._places = places
        self._window = 0
        self._sizes: dict[Turn, int] = {}
        """Tokens that those may fill whose size is known."""
        self.holders: list[Turn] = []

    def enter(self, turn: Turn) -> None:
        """Queue up; see also `fits`."""
        turn.number = next(self._numbers)
        self._waiting.append(turn)

    def fits(self, turn: Turn, tokens: int, window: int) -> None:
        """Say how many tokens a turn may fill, at most the window, and how many that has."""
        self._window = window
        if turn in self._waiting:
            self._sizes[turn] = tokens
            self._pass_on()

    def paused(self, turn: Turn) -> None:
        """Never happens."""

    def leave(self, turn: Turn) -> None:
        """The answer has ended, or is wanted no more. Calling it twice is harmless."""
        self._sizes.pop(turn, None)
        for turns in (self._waiting, self.holders):
            if turn in turns:
                turns.remove(turn)
        self._pass_on()

    def to_end(self) -> list[Turn]:
        """The answers that somebody may want to stop: the most urgent that run, or one that waits."""
        turns = [*self.holders, *self._waiting]
        urgent = min((turn.priority for turn in turns), default=None)
        running = [turn for turn in self.holders if turn.priority is urgent]
        return running or sorted(turns, key=self._rank)[:1]

    def _pass_on(self) -> None:
        while ready := [turn for turn in self._waiting if turn in self._sizes]:
            turn = min(ready, key=self._rank)
            free = self._window - sum(self._sizes[holder] for holder in self.holders)
            if len(self.holders) >= self._places or self._sizes[turn] > free:
                return
            self._waiting.remove(turn)
            self.holders.append(turn)
            if not self._waiting:
                self._served.clear()
            self._served[turn.group] = next(self._numbers)
            if not turn.granted.done():
                turn.granted.set_result(None)
