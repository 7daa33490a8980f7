"""The one door to the tables of watched folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rag.database import Database, rows
from rag.errors import CollectionMissing
from rag.model import WatchedFolder

_FOLDER = (
    "id, collection_id, path, error, (SELECT count(*) FROM watched_files f WHERE f.folder_id = folders.id)"
)


class WatchedFile(NamedTuple):
    """A file as it was at the last look."""

    path: str
    signature: str
    document_id: int


class Folders:
    """Which folders are watched, and what was in them. Safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, collection_id: int, path: Path) -> WatchedFolder:
        """Watch a folder for a collection; one that is watched already stays as it is."""
        with self._database.write() as connection:
            if not rows(connection, "SELECT 1 FROM collections WHERE id = ?", (collection_id,)):
                raise CollectionMissing(str(collection_id))
            connection.execute(
                "INSERT OR IGNORE INTO folders(collection_id, path) VALUES (?, ?)",
                (collection_id, str(path)),
            )
        return next(it for it in self.all() if (it.collection_id, it.path) == (collection_id, path))

    def remove(self, folder_id: int) -> None:
        """Watch a folder no longer; its documents stay."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM folders WHERE id = ?", (folder_id,))

    def all(self) -> list[WatchedFolder]:
        """All watched folders, in the order they were added."""
        with self._database.read() as connection:
            found = rows(connection, f"SELECT {_FOLDER} FROM folders ORDER BY id")
        return [
            WatchedFolder(number, collection, Path(path), error, files)
            for number, collection, path, error, files in found
        ]

    def files(self, folder_id: int) -> list[WatchedFile]:
        """The files of a folder."""
        with self._database.read() as connection:
            statement = "SELECT path, signature, document_id FROM watched_files WHERE folder_id = ?"
            return [WatchedFile(*row) for row in rows(connection, statement, (folder_id,))]

    def set_error(self, folder_id: int, error: str | None) -> None:
        """Say what is wrong with a folder: the name of a class, or None."""
        with self._database.write() as connection:
            connection.execute("UPDATE folders SET error = ? WHERE id = ?", (error, folder_id))

    def keep(self, folder_id: int, files: Iterable[WatchedFile]) -> None:
        """Remember files as they are now; nothing where the folder is not watched any more."""
        with self._database.write() as connection:
            if rows(connection, "SELECT 1 FROM folders WHERE id = ?", (folder_id,)):
                connection.executemany(
                    "INSERT OR REPLACE INTO watched_files VALUES (?, ?, ?, ?)",
                    ((folder_id, *file) for file in files),
                )

    def forget(self, folder_id: int, paths: Iterable[str]) -> None:
        """Forget files that are gone."""
        with self._database.write() as connection:
            connection.executemany(
                "DELETE FROM watched_files WHERE folder_id = ? AND path = ?",
                ((folder_id, path) for path in paths),
            )

    def others_with(self, document_id: int) -> int:
        """How many watched files have this document: several where they have the same content."""
        with self._database.read() as connection:
            statement = "SELECT count(*) FROM watched_files WHERE document_id = ?"
            [(count,)] = rows(connection, statement, (document_id,))
        return int(count)
