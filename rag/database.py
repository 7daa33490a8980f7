"""Opening SQLite files: one way for every store of the app.

apsw brings its own SQLite with full-text search, the same version on every platform, and can
load extensions, which most Python builds cannot.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from rag.errors import DatabaseDamaged, DatabaseTooNew

_BUSY_MILLISECONDS = 10_000
"""Another process may hold the write lock for one batch or one published document."""


def open_database(
    path: Path, migrations: Sequence[str], *, extensions: Sequence[str] = ()
) -> apsw.Connection:
    """Open or create a database and bring its schema up to date.

    A committed change survives a kill of the process at any moment. (Write-ahead log with
    `synchronous = NORMAL`: only a power cut may take back the very last commits, and never
    leaves half of one.) Transactions of `with connection:` take the write lock at once, so
    that a busy database makes them wait instead of failing half-way.

    The connection may be used from several threads, but by one at a time: put a lock
    around it, or use `Database`.

    Args:
        path: the file; its folder must exist.
        migrations: SQL scripts, the n-th brings `user_version` from n-1 to n. Only ever append.
        extensions: paths of loadable extensions.

    Raises:
        DatabaseDamaged: the file is not a database, or corrupt.
        DatabaseTooNew: a newer version of the app has written it.
        OSError: the file cannot be opened.
    """
    with translated_errors(path):
        connection = apsw.Connection(os.fspath(path))
        try:
            connection.set_busy_timeout(_BUSY_MILLISECONDS)
            if (version := _version(connection)) > len(migrations):
                raise DatabaseTooNew(path, version, len(migrations))
            _load_extensions(connection, extensions)
            # Works on an empty file only: deleted documents give their space back to the device.
            connection.pragma("auto_vacuum", "incremental")
            connection.pragma("journal_mode", "wal")
            connection.pragma("synchronous", "normal")
            connection.pragma("foreign_keys", "on")
            connection.transaction_mode = "IMMEDIATE"
            _migrate(connection, migrations)
        except BaseException:
            connection.close()
            raise
    return connection


def _load_extensions(connection: apsw.Connection, extensions: Sequence[str]) -> None:
    if not extensions:
        return
    connection.enable_load_extension(enable=True)
    for extension in extensions:
        connection.load_extension(extension)
    connection.enable_load_extension(enable=False)


def _migrate(connection: apsw.Connection, migrations: Sequence[str]) -> None:
    for number, script in enumerate(migrations, 1):
        if _version(connection) >= number:
            continue
        with transaction(connection):
            if _version(connection) < number:  # else another process has migrated at this moment
                connection.execute(script)
                connection.pragma("user_version", number)


def _version(connection: apsw.Connection) -> int:
    version: Any = connection.pragma("user_version")
    return int(version)


def is_sound(path: Path) -> bool:
    """Whether SQLite finds nothing wrong in a database; reads all of it, and changes nothing.

    Raises:
        OSError: the file cannot be read.
    """
    with translated_errors(path):
        connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            connection.set_busy_timeout(_BUSY_MILLISECONDS)
            return rows(connection, "PRAGMA quick_check(1)") == [("ok",)]
        except (apsw.NotADBError, apsw.CorruptError, apsw.SQLError):
            return False
        finally:
            connection.close()


@contextmanager
def transaction(connection: apsw.Connection, mode: str = "IMMEDIATE") -> Iterator[apsw.Connection]:
    """Commit at the end, undo at an exception.

    Unlike `with connection:` it keeps the exception where SQLite has undone everything itself,
    as it does when the device is full.
    """
    connection.execute(f"BEGIN {mode}")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def rows(
    connection: apsw.Connection, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()
) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return connection.execute(statement, values).fetchall()


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's failures that a user can do something about into errors of the app."""
    try:
        yield
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise DatabaseDamaged(path, str(error)) from error
    except UnicodeDecodeError as error:  # a text in it that nobody has written
        raise DatabaseDamaged(path, error.reason) from error
    except apsw.SQLError as error:  # the extension for vectors calls damage so, too
        if path.exists() and not is_sound(path):
            raise DatabaseDamaged(path, str(error)) from error
        raise
    except apsw.FullError as error:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path)) from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as error:
        number = errno.EACCES if path.parent.is_dir() else errno.ENOENT
        raise OSError(number, os.strerror(number), os.fspath(path)) from error
    except (apsw.IOError, apsw.BusyError) as error:
        number = errno.EBUSY if isinstance(error, apsw.BusyError) else errno.EIO
        raise OSError(number, os.strerror(number), os.fspath(path)) from error


class Database:
    """A database for many threads: one connection that writes, one that reads.

    Readers never wait for a writer (write-ahead log), writers wait for one another here
    instead of colliding. Both blocks are transactions.
    """

    def __init__(self, path: Path, migrations: Sequence[str], *, extensions: Sequence[str] = ()) -> None:
        """See `open_database`."""
        self.path = path
        self._writer = open_database(path, migrations, extensions=extensions)
        self._reader = open_database(path, migrations, extensions=extensions)
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()

    @contextmanager
    def write(self) -> Iterator[apsw.Connection]:
        """A transaction that may change things: committed at the end, undone by an exception."""
        with self._write_lock, translated_errors(self.path), transaction(self._writer):
            yield self._writer

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """A transaction that sees one unchanging state. Do not write in it."""
        with self._read_lock, translated_errors(self.path), transaction(self._reader, "DEFERRED"):
            yield self._reader

    def release_space(self) -> None:
        """Give the space of deleted rows back to the device."""
        with self._write_lock, translated_errors(self.path):
            self._writer.execute("PRAGMA incremental_vacuum").fetchall()

    def close(self) -> None:
        """Wait for running transactions and close both connections; may be called twice."""
        with self._write_lock:
            self._writer.close()
        with self._read_lock:
            self._reader.close()
