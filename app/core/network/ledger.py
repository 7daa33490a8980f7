"""The ledger: with whom this app has spoken, why, when, and how many bytes went which way. Never what.

Every HTTP client of the app writes here (app/core/network/outgoing.py). An entry is there before anything is
sent, so that a kill cannot hide a connection.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import apsw

from app.core.set_aside import set_database_aside
from rag.database import Database, rows
from rag.errors import DatabaseDamaged

log = logging.getLogger(__name__)

DAY = 86_400
KEPT_DAYS = 90
MOST_ENTRIES = 20_000
_KEEP_SECONDS = 5.0
"""A kill loses the last few seconds of a count, never an entry."""
_PRUNE_EVERY = 500

_MIGRATIONS = (
    """
    CREATE TABLE connections (
        id INTEGER PRIMARY KEY,
        began REAL NOT NULL,
        ended REAL,
        purpose TEXT NOT NULL,
        host TEXT NOT NULL,
        sent INTEGER NOT NULL DEFAULT 0,
        received INTEGER NOT NULL DEFAULT 0,
        refused INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX connections_began ON connections (began);
    """,
)


class Purpose(StrEnum):
    """Why somebody is spoken to."""

    HUB = "hub"
    """Models are searched or downloaded."""
    SERVER = "server"
    """A model on a server answers, or its server is asked which ones it has."""
    WEB_PAGE = "web_page"
    """A page goes into the knowledge base."""
    ROUTER = "router"
    """A router is asked who it is, and who is there."""
    ASKING = "asking"
    """A question goes to other devices, sealed."""
    WORKING = "working"
    """This device answers questions of others."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One connection, or one that was refused."""

    id: int
    began: float
    """Seconds since 1970."""
    ended: float | None
    """None while it is open, and where a kill or a failure has cut it off."""
    purpose: Purpose
    host: str
    sent_bytes: int
    """As far as the app can see them: without what encryption adds."""
    received_bytes: int
    refused: bool
    """The offline switch was on: nothing was sent."""


@dataclass(frozen=True, slots=True)
class Total:
    """All connections with one host for one purpose."""

    purpose: Purpose
    host: str
    connections: int
    refused: int
    sent_bytes: int
    received_bytes: int
    last: float
    """When the latest began, in seconds since 1970."""


class Exchange:
    """A connection that is being counted. Not thread-safe: it belongs to one event loop."""

    def __init__(self, ledger: Ledger, id: int | None, clock: Callable[[], float]) -> None:
        self._ledger = ledger
        self._id = id
        self._clock = clock
        self._kept_at = clock()
        self._ended = False
        self.sent = 0
        self.received = 0

    def count(self, *, sent: int = 0, received: int = 0) -> None:
        """So many bytes more."""
        self.sent += sent
        self.received += received
        if self._clock() - self._kept_at >= _KEEP_SECONDS:
            self._keep(None)

    def end(self) -> None:
        """It is over; may be called twice."""
        if not self._ended:
            self._ended = True
            self._keep(self._clock())

    def _keep(self, ended: float | None) -> None:
        self._kept_at = self._clock()
        if self._id is not None:
            self._ledger.keep(self._id, self.sent, self.received, ended)


class Ledger:
    """Kept for ninety days. Thread-safe; opens its file at first use.

    A full or broken disk does not stop the app from speaking with anybody: the log tells that the ledger has
    a gap. A damaged file is set aside, see `damaged`.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._database: Database | None = None
        self._opening = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._begun = 0

    def begin(self, purpose: Purpose, host: str, *, refused: bool = False) -> Exchange:
        """Note a connection that is about to be made, or was refused."""
        now = self._clock()
        return Exchange(self, self._insert(purpose, host, now, refused=refused), self._clock)

    def entries(
        self, limit: int = 200, *, purpose: Purpose | None = None, before: int | None = None
    ) -> list[Entry]:
        """The latest first; `before` is the id of the last entry that is known already.

        Raises:
            OSError, DatabaseDamaged: the file cannot be read.
        """
        statement = """
            SELECT id, began, ended, purpose, host, sent, received, refused FROM connections
            WHERE (:purpose IS NULL OR purpose = :purpose) AND (:before IS NULL OR id < :before)
            ORDER BY id DESC LIMIT :limit
        """
        values = {"purpose": purpose, "before": before, "limit": limit}
        with self._open().read() as connection:
            return [_entry(row) for row in rows(connection, statement, values)]

    def totals(self, *, since: float = 0.0) -> list[Total]:
        """By host and purpose, the latest first. Raises what `entries` raises."""
        statement = """
            SELECT purpose, host, count(*), sum(refused), sum(sent), sum(received), max(began)
            FROM connections WHERE began >= ? GROUP BY purpose, host ORDER BY max(began) DESC
        """
        with self._open().read() as connection:
            return [Total(Purpose(row[0]), *row[1:]) for row in rows(connection, statement, (since,))]

    def clear(self) -> None:
        """Forget everything. Raises what `entries` raises."""
        database = self._open()
        with database.write() as connection:
            connection.execute("DELETE FROM connections")
        database.release_space()
        self._tell()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every change, in the thread that makes it; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def keep(self, id: int, sent: int, received: int, ended: float | None) -> None:
        """Note how much has gone by; for `Exchange`."""
        statement = "UPDATE connections SET sent = ?, received = ?, ended = ? WHERE id = ?"
        self._write(statement, (sent, received, ended, id))

    def close(self) -> None:
        """Close the file; may be called twice."""
        with self._opening:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _insert(self, purpose: Purpose, host: str, now: float, *, refused: bool) -> int | None:
        self._begun += 1
        if self._begun % _PRUNE_EVERY == 0:
            self._write(*_pruning(now))
        statement = "INSERT INTO connections (began, ended, purpose, host, refused) VALUES (?, ?, ?, ?, ?)"
        return self._write(statement, (now, now if refused else None, purpose, host, int(refused)))

    def _write(self, statement: str, values: tuple[object, ...]) -> int | None:
        try:
            with self._open().write() as connection:
                connection.execute(statement, values)
                written = connection.last_insert_rowid()
        except (OSError, DatabaseDamaged, apsw.Error) as error:
            log.warning("the ledger has a gap: %s", type(error).__name__)
            return None
        self._tell()
        return written

    def _open(self) -> Database:
        with self._opening:
            if self._database is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                try:
                    database = Database(self._path, _MIGRATIONS)
                except DatabaseDamaged:
                    set_database_aside(self._path)
                    database = Database(self._path, _MIGRATIONS)
                with database.write() as connection:
                    connection.execute(*_pruning(self._clock()))
                self._database = database
            return self._database

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()


def _pruning(now: float) -> tuple[str, tuple[float, int]]:
    statement = """
        DELETE FROM connections WHERE began < ? OR id <= (SELECT max(id) FROM connections) - ?
    """
    return statement, (now - KEPT_DAYS * DAY, MOST_ENTRIES)


def _entry(row: tuple[Any, ...]) -> Entry:
    number, began, ended, purpose, host, sent, received, refused = row
    return Entry(number, began, ended, Purpose(purpose), host, sent, received, bool(refused))
