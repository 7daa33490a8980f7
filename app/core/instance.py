"""Who else is there: locks between the processes that share one data folder.

SQLite's file locks are the ones that behave the same on every platform that we run on, phones
included, and that a kill -9 cannot leave behind: the system frees them with the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from rag.database import translated_errors

_WAIT_MILLISECONDS = 10_000


class InstanceLock:
    """Held by one process at a time: the one that indexes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: apsw.Connection | None = None
        self.acquire()

    def acquire(self) -> bool:
        """Try to get the lock, which its holder may have freed meanwhile; returns whether it is held."""
        if self._connection is None:
            connection = apsw.Connection(str(self._path))
            try:
                connection.execute("BEGIN EXCLUSIVE")
                self._connection = connection
            except apsw.BusyError:
                connection.close()
        return self.held

    @property
    def held(self) -> bool:
        """Whether this process got the lock."""
        return self._connection is not None

    def release(self) -> None:
        """Let another process have it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class WritersLock:
    """Shared by all processes that write an answer at this moment."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def shared(self) -> Iterator[None]:
        """An answer is being written in this block.

        Raises:
            OSError: the file cannot be opened.
        """
        with self._connected() as connection:
            connection.set_busy_timeout(_WAIT_MILLISECONDS)
            connection.execute("BEGIN")
            connection.execute("SELECT 1 FROM sqlite_schema").fetchall()  # takes the shared lock
            yield

    def if_nobody_writes(self, action: Callable[[], None]) -> bool:
        """Call `action` unless an answer is being written anywhere; none begins meanwhile.

        So what `action` finds half-written was left by a kill. Returns whether it was called.

        Raises:
            OSError: the file cannot be opened.
        """
        with self._connected() as connection:
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except apsw.BusyError:
                return False
            action()
        return True

    @contextmanager
    def _connected(self) -> Iterator[apsw.Connection]:
        with translated_errors(self._path):
            connection = apsw.Connection(str(self._path))
        try:
            yield connection
        finally:
            connection.close()  # ends the transaction, and with it the lock
