"""Who else is there: locks between the processes that share one data folder.

SQLite's file locks are the ones that behave the same on every platform that we run on, phones
included, and that a kill -9 cannot leave behind: the system frees them with the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import apsw

from app.core.errors import ModelsMoving
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
        with self.exclusive() as alone:
            if alone:
                action()
        return alone

    @contextmanager
    def exclusive(self) -> Iterator[bool]:
        """Try to keep all others out while this lasts; tells whether that is so.

        Raises:
            OSError: the file cannot be opened.
        """
        with self._connected() as connection:
            try:
                connection.execute("BEGIN EXCLUSIVE")
                alone = True
            except apsw.BusyError:
                alone = False
            yield alone

    @contextmanager
    def _connected(self) -> Iterator[apsw.Connection]:
        with translated_errors(self._path):
            connection = apsw.Connection(str(self._path))
        try:
            yield connection
        finally:
            connection.close()  # ends the transaction, and with it the lock


class ProcessesLock:
    """Shared by all processes of the app for as long as they run; held alone to move what all of them use."""

    def __init__(self, path: Path) -> None:
        """Waits for ten seconds where another process holds it alone.

        Raises:
            ModelsMoving: it does so for longer.
        """
        self._lock = WritersLock(path)
        self._held = ExitStack()
        self._enter()

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Try to be the only process while this lasts; tells whether that is so."""
        self._held.close()
        try:
            with self._lock.exclusive() as alone:
                yield alone
        finally:
            self._enter()

    def release(self) -> None:
        """This process ends."""
        self._held.close()

    def _enter(self) -> None:
        try:
            self._held.enter_context(self._lock.shared())
        except apsw.BusyError:
            raise ModelsMoving from None
