"""A thread that works in rounds: what the indexer and the watcher of folders run in."""

from __future__ import annotations

import threading
from collections.abc import Callable


class BackgroundThread:
    """Calls for one round of work after the other, from `start` to `close`."""

    def __init__(self, name: str, work: Callable[[], float]) -> None:
        """`work` does one round, and returns how many seconds may pass until the next.

        It must not raise: that would end the thread.
        """
        self._name = name
        self._work = work
        self._wake = threading.Event()
        self.closing = threading.Event()
        """Set where a round that runs should end early."""
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; harmless where it has begun."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Begin the next round now, or right after the one that runs."""
        self._wake.set()

    def close(self) -> None:
        """End after the round that runs, and wait for it."""
        self.closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self.closing.is_set():
            self._wake.wait(self._work())
            self._wake.clear()  # before `closing` is looked at: what wakes the thread to end it is not lost
