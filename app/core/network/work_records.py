"""What this device has done for others: a log without contents, today's sum, and what is answered already.

The log tells when, for whom (the step of the ladder, never a name), with which model, how long, and how it
ended. Questions and answers are kept only where the owner has chosen so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from app.core.provenance import PrivacyLevel
from app.core.set_aside import set_database_aside
from network.answered import AnsweredQuestions
from network.envelope import CLOCK_TOLERANCE_SECONDS
from network.protocol.jobs import Grant
from rag.database import Database, rows
from rag.errors import DatabaseDamaged

log = logging.getLogger(__name__)

MOST_ENTRIES = 5_000
_PRUNE_EVERY = 100

_MIGRATIONS = (
    """
    CREATE TABLE work (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        began REAL NOT NULL,
        seconds REAL NOT NULL,
        level TEXT NOT NULL,
        model TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        sources INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        question TEXT,
        answer TEXT
    ) STRICT;
    CREATE INDEX work_began ON work (began);
    CREATE TABLE answered (
        asker TEXT NOT NULL,
        job TEXT NOT NULL,
        expires INTEGER NOT NULL,
        PRIMARY KEY (asker, job)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX answered_expires ON answered (expires);
    """,
)


class Outcome(StrEnum):
    """How the work on a question ended."""

    ANSWERED = "answered"
    CUT_OFF = "cut_off"
    """At its longest, or before it would have repeated more of a document than is shared."""
    REFUSED = "refused"
    """Not for this device: too long, another model, somebody who is not answered."""
    GIVEN_BACK = "given_back"
    """The owner needed the device, or it was paused."""
    CANCELLED = "cancelled"
    """Nobody waited for it any more, or the connection broke."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class WorkEntry:
    """One question of somebody else."""

    began: float
    """Seconds since 1970."""
    seconds: float
    level: PrivacyLevel
    """Of the asker."""
    model: str
    tokens: int
    """Of the answer."""
    sources: int
    """Of the owner's shared documents that went into it."""
    outcome: Outcome
    question: str | None = field(default=None, repr=False)
    answer: str | None = field(default=None, repr=False)
    id: int = 0


@dataclass(frozen=True, slots=True)
class Served:
    """What was done since a moment."""

    questions: int = 0
    """That were answered, to their end or cut off."""
    tokens: int = 0


class WorkRecords:
    """The database of it, opened when it is needed first; a damaged one is set aside. Thread-safe.

    Its methods raise:
        DatabaseTooNew: a newer version of the app has written it.
        OSError: the system does not let us read or write.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._database: Database | None = None
        self._clock = clock
        self._added = 0

    def add(self, entry: WorkEntry) -> None:
        """Note a question that has ended."""
        with self._opened().write() as connection:
            connection.execute(
                "INSERT INTO work (began, seconds, level, model, tokens, sources, outcome, question, answer)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    entry.began,
                    entry.seconds,
                    entry.level,
                    entry.model,
                    entry.tokens,
                    entry.sources,
                    entry.outcome,
                    entry.question,
                    entry.answer,
                ),
            )
            self._added += 1
            if self._added % _PRUNE_EVERY == 0:
                connection.execute(
                    "DELETE FROM work WHERE id <= (SELECT max(id) FROM work) - ?", (MOST_ENTRIES,)
                )

    def latest(self, count: int = 50) -> list[WorkEntry]:
        """The last entries, the newest first."""
        with self._opened().read() as connection:
            found = rows(
                connection,
                "SELECT began, seconds, level, model, tokens, sources, outcome, question, answer, id"
                " FROM work ORDER BY id DESC LIMIT ?",
                (count,),
            )
        return [_entry(row) for row in found]

    def today(self) -> Served:
        """Since midnight, by the clock of this device. Answers that broke off count with their tokens."""
        midnight = datetime.fromtimestamp(self._clock()).replace(hour=0, minute=0, second=0, microsecond=0)
        with self._opened().read() as connection:
            [(questions, tokens)] = rows(
                connection,
                "SELECT count(*) FILTER (WHERE outcome IN ('answered', 'cut_off')), coalesce(sum(tokens), 0)"
                " FROM work WHERE began >= ?",
                (midnight.timestamp(),),
            )
        return Served(questions, tokens)

    def tokens_per_second(self, model: str) -> int:
        """As the last answers with this model were; 0 where there are none."""
        with self._opened().read() as connection:
            [(tokens, seconds)] = rows(
                connection,
                "SELECT coalesce(sum(tokens), 0), coalesce(sum(seconds), 0) FROM"
                " (SELECT tokens, seconds FROM work WHERE model = ? AND outcome IN ('answered', 'cut_off')"
                " ORDER BY id DESC LIMIT 20)",
                (model,),
            )
        return round(tokens / seconds) if seconds > 0 else 0

    def forget(self, *, contents_only: bool = False) -> None:
        """Empty the log; or take questions and answers out of it. Today's sum goes with the log."""
        with self._opened().write() as connection:
            if contents_only:
                connection.execute("UPDATE work SET question = NULL, answer = NULL")
            else:
                connection.execute("DELETE FROM work")

    def answered(self) -> KeptAnswers:
        """Which questions were answered, from before the last restart on."""
        return KeptAnswers(self._opened(), int(self._clock()))

    def close(self) -> None:
        """Close the database; the next call opens it anew."""
        with self._lock:
            database, self._database = self._database, None
        if database is not None:
            database.close()

    def _opened(self) -> Database:
        with self._lock:
            if self._database is None:
                self._database = _open(self._path)
            return self._database


class KeptAnswers(AnsweredQuestions):
    """Kept on the disk as soon as the whole answer was sent: a restart does not answer twice."""

    def __init__(self, database: Database, now: int) -> None:
        super().__init__()
        self._database = database
        with database.write() as connection:
            connection.execute("DELETE FROM answered WHERE expires < ?", (now - CLOCK_TOLERANCE_SECONDS,))
            for asker, job, expires in rows(connection, "SELECT asker, job, expires FROM answered"):
                self._expires[asker, job] = expires

    def add(self, grant: Grant, now: int) -> None:
        """As `AnsweredQuestions.add`. Raises OSError."""
        super().add(grant, now)
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO answered VALUES (?, ?, ?)", (grant.asker, grant.job, grant.expires)
            )
            connection.execute("DELETE FROM answered WHERE expires < ?", (now - CLOCK_TOLERANCE_SECONDS,))


def _open(path: Path) -> Database:
    try:
        return Database(path, _MIGRATIONS)
    except DatabaseDamaged:
        set_database_aside(path)
        return Database(path, _MIGRATIONS)


def _entry(row: tuple[Any, ...]) -> WorkEntry:
    began, seconds, level, model, tokens, sources, outcome, question, answer, number = row
    return WorkEntry(
        began,
        seconds,
        PrivacyLevel(level),
        model,
        tokens,
        sources,
        Outcome(outcome),
        question,
        answer,
        number,
    )
