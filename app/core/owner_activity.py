"""Whether the owner of this device needs it: what others ask waits for that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[], None]


class OwnerActivity:
    """Notes what the owner does in this process. Listeners are called when work begins and when it ends."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._works = 0
        self._last = clock()
        self._listeners: list[Listener] = []

    @property
    def busy(self) -> bool:
        """Whether an answer is being written for the owner, or something else that needs the device."""
        return self._works > 0

    @property
    def idle_seconds(self) -> float:
        """How long the owner has done nothing here; since the start, if never anything."""
        return 0.0 if self.busy else self._clock() - self._last

    def seen(self) -> None:
        """The owner is there: has tapped or typed something."""
        self._last = self._clock()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The device works for its owner in this block."""
        self._works += 1
        self._tell()
        try:
            yield
        finally:
            self._works -= 1
            self.seen()
            self._tell()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` whenever work begins or ends; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()
