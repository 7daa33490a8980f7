"""Every store opens its file through one function: migrations, refusals, durability."""

import errno
import subprocess
import sys
import threading
from pathlib import Path

import apsw
import pytest

from rag.database import Database, open_database, transaction, translated_errors
from rag.errors import DatabaseDamaged, DatabaseTooNew

FIRST = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"
SECOND = "ALTER TABLE notes ADD COLUMN author TEXT; INSERT INTO notes(text, author) VALUES ('made by 2', 'm')"


def test_a_new_file_gets_the_whole_schema(tmp_path: Path):
    connection = open_database(tmp_path / "new.db", (FIRST, SECOND))
    assert connection.execute("SELECT text, author FROM notes").fetchall() == [("made by 2", "m")]
    assert connection.pragma("user_version") == 2
    connection.close()


def test_an_older_file_is_brought_up_to_date_and_keeps_its_rows(tmp_path: Path):
    old = open_database(tmp_path / "old.db", (FIRST,))
    old.execute("INSERT INTO notes(text) VALUES ('kept')")
    old.close()
    new = open_database(tmp_path / "old.db", (FIRST, SECOND))
    assert new.execute("SELECT text FROM notes ORDER BY id").fetchall() == [("kept",), ("made by 2",)]
    new.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path):
    open_database(tmp_path / "a.db", (FIRST,)).close()
    with pytest.raises(apsw.SQLError):
        open_database(tmp_path / "a.db", (FIRST, "ALTER TABLE notes ADD COLUMN author TEXT; SELECT nonsense"))
    again = open_database(tmp_path / "a.db", (FIRST,))
    assert [row[1] for row in again.execute("PRAGMA table_info(notes)")] == ["id", "text"]
    again.close()


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path):
    path = tmp_path / "new.db"
    open_database(path, (FIRST, SECOND)).close()
    before = path.read_bytes()
    with pytest.raises(DatabaseTooNew) as refused:
        open_database(path, (FIRST,))
    assert refused.value.path == path
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"this is a letter, not a database\n" * 100, b"SQLite format 3\0" + b"\xff" * 9000]
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes):
    path = tmp_path / "bad.db"
    path.write_bytes(content)
    with pytest.raises(DatabaseDamaged) as refused:
        open_database(path, (FIRST,))
    assert refused.value.path == path


def test_damage_met_later_is_named_too(tmp_path: Path):
    path = tmp_path / "later.db"
    database = Database(path, (FIRST,))
    with database.write() as connection:
        connection.executemany("INSERT INTO notes(text) VALUES (?)", (("x" * 500,) for _ in range(200)))
    database.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xa5" * (len(whole) - 8192))
    database = Database(path, (FIRST,))
    with pytest.raises(DatabaseDamaged), database.read() as connection:
        connection.execute("SELECT sum(length(text)) FROM notes").fetchall()
    database.close()


def test_a_missing_folder_is_an_ordinary_file_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError) as refused:
        open_database(tmp_path / "nowhere" / "a.db", (FIRST,))
    assert refused.value.errno == errno.ENOENT


def test_a_full_device_is_an_ordinary_file_error(tmp_path: Path):
    database = Database(tmp_path / "full.db", (FIRST,))
    with database.write() as connection:
        connection.pragma("max_page_count", connection.pragma("page_count"))
    with pytest.raises(OSError, match="space") as refused, database.write() as connection:
        connection.execute("INSERT INTO notes(text) VALUES (?)", ("x" * 100_000,))
    assert refused.value.errno == errno.ENOSPC
    database.close()


def test_a_database_that_another_process_keeps_is_an_ordinary_file_error(tmp_path: Path):
    database = Database(tmp_path / "kept.db", (FIRST,))
    database._writer.set_busy_timeout(1)
    other = open_database(tmp_path / "kept.db", (FIRST,))
    with transaction(other), pytest.raises(OSError, match="busy") as refused, database.write():
        pass
    assert refused.value.errno == errno.EBUSY
    other.close()
    database.close()


def test_a_disk_that_fails_is_an_ordinary_file_error(tmp_path: Path):
    with pytest.raises(OSError, match="error") as refused, translated_errors(tmp_path / "a.db"):
        raise apsw.IOError
    assert refused.value.errno == errno.EIO


@pytest.mark.desktop("child processes")
def test_a_kill_loses_nothing_that_was_committed(tmp_path: Path):
    path = tmp_path / "killed.db"
    open_database(path, (FIRST,)).close()
    script = (
        "import os, signal, sys; from pathlib import Path; from rag.database import open_database\n"
        f"connection = open_database(Path(sys.argv[1]), ({FIRST!r},))\n"
        "connection.execute(\"INSERT INTO notes(text) VALUES ('acknowledged')\")\n"
        "connection.execute('BEGIN')\n"
        "connection.execute(\"INSERT INTO notes(text) VALUES ('half')\")\n"
        "os.kill(os.getpid(), getattr(signal, 'SIGKILL', signal.SIGTERM))\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert killed.returncode != 0
    connection = open_database(path, (FIRST,))
    assert connection.execute("SELECT text FROM notes").fetchall() == [("acknowledged",)]
    connection.close()


def test_an_exception_undoes_the_whole_block(tmp_path: Path):
    database = Database(tmp_path / "a.db", (FIRST,))
    with pytest.raises(apsw.SQLError), database.write() as connection:
        connection.execute("INSERT INTO notes(text) VALUES ('undone'); SELECT nonsense")
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchall() == [(0,)]
    database.close()


def test_a_reader_does_not_wait_for_a_writer_and_sees_whole_transactions(tmp_path: Path):
    database = Database(tmp_path / "a.db", (FIRST,))
    counts: list[int] = []

    def count() -> None:
        with database.read() as connection:
            counts.append(connection.execute("SELECT count(*) FROM notes").fetchall()[0][0])

    with database.write() as connection:
        connection.execute("INSERT INTO notes(text) VALUES ('one')")
        reader = threading.Thread(target=count)
        reader.start()
        reader.join(timeout=30)
        connection.execute("INSERT INTO notes(text) VALUES ('two')")
    count()
    assert counts == [0, 2]
    database.close()


def test_many_threads_may_write(tmp_path: Path):
    database = Database(tmp_path / "a.db", (FIRST,))

    def write() -> None:
        for _ in range(20):
            with database.write() as connection:
                connection.execute("INSERT INTO notes(text) VALUES ('x')")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchall() == [(80,)]
    database.close()


def test_deleted_rows_give_their_space_back(tmp_path: Path):
    path = tmp_path / "a.db"
    database = Database(path, (FIRST,))
    with database.write() as connection:
        connection.executemany("INSERT INTO notes(text) VALUES (?)", (("x" * 1000,) for _ in range(1000)))
        full = connection.pragma("page_count")
    with database.write() as connection:
        connection.execute("DELETE FROM notes")
    database.release_space()
    with database.read() as connection:
        assert connection.pragma("page_count") < full / 10
    database.close()
