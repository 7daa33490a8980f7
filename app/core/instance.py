"""Which process of several owns the recovery work."""

from __future__ import annotations

from pathlib import Path

import apsw


class InstanceLock:
    """Held by one process at a time, and freed by the system when that process dies.

    An open exclusive SQLite transaction is the one lock that behaves the same on every
    platform that we run on, phones included, and that a kill -9 cannot leave behind.
    """

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
