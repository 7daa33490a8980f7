"""Whose turn it is before a runtime that answers several prompts at once."""

from __future__ import annotations

from engines.llama_cpp.turns import Turn, Turns


class SeveralTurns(Turns):
    """A queue of turns, of which several are held; the more urgent come first, none is paused for another."""

    def __init__(self, places: int) -> None:
        super().__init__()
        self._places = places
        self.holders: list[Turn] = []

    def enter(self, turn: Turn) -> None:
        """Queue up."""
        turn.number = next(self._numbers)
        self._waiting.append(turn)
        self._pass_on()

    def paused(self, turn: Turn) -> None:
        """Never happens."""

    def leave(self, turn: Turn) -> None:
        """The answer has ended, or is wanted no more. Calling it twice is harmless."""
        for turns in (self._waiting, self.holders):
            if turn in turns:
                turns.remove(turn)
        self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting and len(self.holders) < self._places:
            turn = min(self._waiting, key=self._rank)
            self._waiting.remove(turn)
            self.holders.append(turn)
            self._served[turn.group] = next(self._numbers)
            if not turn.granted.done():
                turn.granted.set_result(None)
        if not self._waiting:
            self._served.clear()
