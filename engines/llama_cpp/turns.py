"""Whose turn it is before one runtime: the more urgent first, groups in turn, and a pause where it helps.

Lives in one event loop. No reader of an answer can hold up another: turns pass on by what the runtime says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

from engines.protocol import Priority


class Turn:
    """One answer's place. `granted` is done when it may begin."""

    def __init__(
        self, priority: Priority, group: str, pause: Callable[[], None], resume: Callable[[], None]
    ) -> None:
        """`pause` asks the runtime to interrupt the answer, `resume` to go on with it."""
        self.priority = priority
        self.group = group
        self.pause = pause
        self.resume = resume
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.paused = False
        self.giving_way = False
        """Whether it has been asked to pause."""
        self.number = 0


class Turns:
    """A queue of turns, of which one is held."""

    def __init__(self) -> None:
        self.holder: Turn | None = None
        self._waiting: list[Turn] = []
        self._served: dict[str, int] = {}
        self._numbers = count(1)

    def enter(self, turn: Turn) -> None:
        """Queue up; a less urgent answer that runs is asked to pause."""
        turn.number = next(self._numbers)
        self._waiting.append(turn)
        holder = self.holder
        if holder is not None and holder.priority > turn.priority and not holder.giving_way:
            holder.giving_way = True
            holder.pause()
        self._pass_on()

    def paused(self, turn: Turn) -> None:
        """The runtime has interrupted the holder's answer."""
        if self.holder is turn:
            self.holder = None
            turn.paused = True
            self._waiting.append(turn)
            self._pass_on()

    def leave(self, turn: Turn) -> None:
        """The answer has ended, or is wanted no more. Calling it twice is harmless."""
        if turn in self._waiting:
            self._waiting.remove(turn)
        if self.holder is turn:
            self.holder = None
            self._pass_on()

    def foremost(self) -> Turn | None:
        """The answer that somebody may want to stop: the holder's, unless a more urgent one waits for it."""
        holder = self.holder
        urgent = [turn for turn in self._waiting if holder is not None and turn.priority < holder.priority]
        return min(urgent, key=self._rank) if urgent else holder

    def _pass_on(self) -> None:
        if self.holder is not None or not self._waiting:
            return
        turn = self.holder = min(self._waiting, key=self._rank)
        self._waiting.remove(turn)
        if not self._waiting:
            self._served.clear()
        self._served[turn.group] = next(self._numbers)
        turn.giving_way = False
        if turn.paused:
            turn.paused = False
            turn.resume()
        elif not turn.granted.done():
            turn.granted.set_result(None)

    def _rank(self, turn: Turn) -> tuple[int, bool, int, int]:
        """What has begun goes on first; then the group that was not served for the longest time."""
        return turn.priority, not turn.paused, self._served.get(turn.group, 0), turn.number
