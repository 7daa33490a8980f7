"""The table of downloads, which all processes of the app share: its state is what holds, for each of them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec

from app.core.download import ACTIVE, Download, DownloadState, Order, Problem
from app.core.set_aside import set_database_aside
from rag.database import Database, rows
from rag.errors import DatabaseDamaged

log = logging.getLogger(__name__)

MIGRATIONS = (
    """
    CREATE TABLE downloads (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        file TEXT NOT NULL,
        state TEXT NOT NULL,
        done INTEGER NOT NULL DEFAULT 0,
        problem TEXT,
        model_id TEXT
    );
    """,
)

_COLUMNS = "id, file, state, done, problem, model_id"
_ACTIVE = ", ".join(f"'{state}'" for state in ACTIVE)


class DownloadTable:
    """Downloads as they were last reported. Thread-safe; every change is committed before the call returns.

    Beside what each method names, all raise `DatabaseDamaged` where the file is damaged, and `OSError` where
    the device is full (ENOSPC) or refuses to write.
    """

    def __init__(self, path: Path) -> None:
        """Open the list. A damaged one is put aside and begun anew: the app must start without it.

        Raises:
            DatabaseTooNew: a newer version of the app has written it.
        """
        try:
            self._database = Database(path, MIGRATIONS)
        except DatabaseDamaged:
            set_database_aside(path)
            self._database = Database(path, MIGRATIONS)

    def all(self) -> list[Download]:
        """Every download, in the order in which they were added."""
        with self._database.read() as connection:
            return [
                _download(row) for row in rows(connection, f"SELECT {_COLUMNS} FROM downloads ORDER BY id")
            ]

    def get(self, id: int) -> Download | None:
        """One of them; None where it was cancelled."""
        with self._database.read() as connection:
            found = rows(connection, f"SELECT {_COLUMNS} FROM downloads WHERE id = ?", (id,))
        return _download(found[0]) if found else None

    def add(self, order: Order) -> Download:
        """Queue a file. One that is there already goes on; one that is done is downloaded anew."""
        with self._database.write() as connection:
            [row] = rows(
                connection,
                f"""INSERT INTO downloads(key, file, state) VALUES (?, ?, 'queued')
                ON CONFLICT(key) DO UPDATE SET problem = NULL, model_id = NULL, file = excluded.file,
                    state = CASE WHEN state IN ({_ACTIVE}) THEN state ELSE 'queued' END,
                    done = CASE WHEN state = 'done' THEN 0 ELSE done END
                RETURNING {_COLUMNS}""",
                (order.key, _text(order)),
            )
        return _download(row)

    def report(
        self, id: int, state: DownloadState, done: int | None = None, problem: Problem | None = None
    ) -> bool:
        """What whoever downloads it has to say; False, and nothing is kept, if it is not wanted any more."""
        with self._database.write() as connection:
            connection.execute(
                f"""UPDATE downloads SET state = ?, done = coalesce(?, done), problem = ?
                WHERE id = ? AND state IN ({_ACTIVE})""",
                (state, done, _text(problem) if problem else None, id),
            )
            return bool(connection.changes())

    def keep_progress(self, id: int, done: int) -> None:
        """How far it had come when it was paused."""
        with self._database.write() as connection:
            connection.execute("UPDATE downloads SET done = ? WHERE id = ?", (done, id))

    def finish(self, id: int, model_id: str) -> None:
        """It is installed, whatever the user did in the last moment."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE downloads SET state = 'done', problem = NULL, model_id = ? WHERE id = ?",
                (model_id, id),
            )

    def pause(self, id: int) -> bool:
        """Whether there was something to pause."""
        with self._database.write() as connection:
            connection.execute(
                f"""UPDATE downloads SET state = 'paused', problem = NULL
                WHERE id = ? AND state IN ({_ACTIVE})""",
                (id,),
            )
            return bool(connection.changes())

    def resume(self, id: int, *, anew: bool = False) -> bool:
        """Whether there was something to go on with; `anew`: with the file as the hub has it now."""
        with self._database.write() as connection:
            found = rows(
                connection,
                """UPDATE downloads SET state = 'queued', problem = NULL
                WHERE id = ? AND state IN ('paused', 'failed', 'waiting') RETURNING file""",
                (id,),
            )
            if found and anew:
                order = msgspec.structs.replace(msgspec.json.decode(found[0][0], type=Order), stale=True)
                connection.execute("UPDATE downloads SET file = ? WHERE id = ?", (_text(order), id))
        return bool(found)

    def replace(self, id: int, order: Order) -> bool:
        """The same download, of the file as the hub has it now. False where that one is queued by itself."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE OR IGNORE downloads SET key = ?, file = ?, done = 0 WHERE id = ?",
                (order.key, _text(order), id),
            )
            return bool(connection.changes())

    def remember(self, id: int, order: Order) -> None:
        """Note what is known of the file by now."""
        with self._database.write() as connection:
            connection.execute("UPDATE downloads SET file = ? WHERE id = ?", (_text(order), id))

    def remove(self, id: int) -> None:
        """Forget a download."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM downloads WHERE id = ?", (id,))

    def remove_done(self) -> None:
        """Forget those that are installed: the list of models shows them."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM downloads WHERE state = 'done'")

    def close(self) -> None:
        """May be called twice."""
        self._database.close()


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _download(row: tuple[Any, ...]) -> Download:
    number, file, state, done, problem, model_id = row
    return Download(
        id=number,
        order=msgspec.json.decode(file, type=Order),
        state=DownloadState(state),
        done_bytes=done,
        problem=msgspec.json.decode(problem, type=Problem) if problem else None,
        model_id=model_id,
    )
