"""The SQLite file of the embedded broker: schema, opening, transactions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from network.errors import QueueDamaged

SCHEMA_VERSION = 1
BUSY_MILLISECONDS = 5_000

_SCHEMA = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY, job TEXT NOT NULL UNIQUE, asker TEXT NOT NULL, digest BLOB NOT NULL,
    body BLOB NOT NULL, ticket BLOB, workers INTEGER NOT NULL, expires INTEGER NOT NULL,
    state INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_by_expiry ON jobs(state, expires);
CREATE TABLE tasks (
    number INTEGER NOT NULL REFERENCES jobs(number) ON DELETE CASCADE, rank INTEGER NOT NULL,
    node TEXT NOT NULL, permit BLOB NOT NULL, state INTEGER NOT NULL, attempt INTEGER NOT NULL,
    moment REAL NOT NULL, waits_since REAL NOT NULL,
    PRIMARY KEY (number, rank)
) STRICT, WITHOUT ROWID;
CREATE INDEX tasks_waiting ON tasks(node, number) WHERE state = 0;
CREATE INDEX tasks_waiting_long ON tasks(waits_since) WHERE state = 0;
CREATE INDEX tasks_leased ON tasks(moment) WHERE state = 1;
CREATE TABLE starts (number INTEGER PRIMARY KEY) STRICT;
"""
"""`moment` of a task: of a waiting one, when it may be handed out; of a leased one, when the lease ends."""

_WHOLE = ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
_PART = ("SAVEPOINT part", "RELEASE part", "ROLLBACK TO part; RELEASE part")


class JobFile:
    """A connection to the file, or to an own memory for None. Not thread-safe."""

    def __init__(self, path: Path | None) -> None:
        """Open or create it.

        Raises:
            QueueDamaged: it is none of ours, or a later version has written it.
            OSError: it cannot be opened.
        """
        name = path or Path(":memory:")
        try:
            self._sql = apsw.Connection(os.fspath(name))
            try:
                self._prepare(name)
            except BaseException:
                self._sql.close()
                raise
        except (apsw.NotADBError, apsw.CorruptError) as error:
            raise QueueDamaged(name, str(error)) from error
        except (apsw.CantOpenError, apsw.BusyError) as error:
            raise OSError(f"cannot open {name.name}") from error

    def close(self) -> None:
        """Close the file."""
        self._sql.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; a part of a larger one where there is one already."""
        begin, commit, rollback = _PART if self._sql.in_transaction else _WHOLE
        self._sql.execute(begin)
        try:
            yield
            self._sql.execute(commit)
        except BaseException:
            if self._sql.in_transaction:
                self._sql.execute(rollback)
            raise

    @property
    def in_transaction(self) -> bool:
        """Whether one is open: SQLite gives up a whole one by itself where the disk fails."""
        return self._sql.in_transaction

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """The rows of a query."""
        return self._sql.execute(statement, values).fetchall()

    def run(self, statement: str, *values: Any) -> int:
        """Change something; returns the number of the row that was inserted last."""
        self._sql.execute(statement, values)
        return self._sql.last_insert_rowid()

    def _prepare(self, name: Path) -> None:
        self._sql.set_busy_timeout(BUSY_MILLISECONDS)
        self._sql.pragma("journal_mode", "wal")
        # A kill loses nothing of what was committed; a power cut may lose the last moments.
        self._sql.pragma("synchronous", "normal")
        self._sql.pragma("foreign_keys", "on")
        version: Any = self._sql.pragma("user_version")
        if version not in (0, SCHEMA_VERSION):
            raise QueueDamaged(name, f"schema {version}")
        if version == 0:
            with self.transaction():
                self._sql.execute(_SCHEMA)
                self._sql.pragma("user_version", SCHEMA_VERSION)
