"""Giving all passages vectors of another embedder, in the background.

Vectors of two embedders are never mixed: the new ones gather in `next_vectors`, batch by
batch, so a kill loses one batch; when all are there, one transaction swaps them in. Until
then the old vectors answer, with the embedder that made them; where that is gone, words alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rag.database import Database, rows
from rag.embedder import Embedder
from rag.vectors.stored import StoredVectors, identity_of, vector_state


class ReembeddedDocument(NamedTuple):
    """How far a document is with its new vectors."""

    id: int
    title: str
    done: int
    total: int


class Reembedding:
    """Brings stored vectors in line with the embedder that is in use."""

    def __init__(self, database: Database, vectors: StoredVectors) -> None:
        self._database = database
        self._vectors = vectors

    def step(
        self,
        embedder: Embedder,
        limit: int,
        embed: Callable[[Sequence[tuple[str, str | None]]], Sequence[bytes]],
    ) -> ReembeddedDocument | None:
        """Embed the next passages, at most `limit`; after the last ones, swap.

        Args:
            embedder: the one in use.
            limit: passages at most.
            embed: gives the vectors of each passage, told as text and heading.

        Returns:
            The document that was worked on; None where there was none.
        """
        identity = identity_of(embedder)
        with self._database.read() as connection:
            done = vector_state(connection).embedder in (None, identity)
        if done:
            self._forget_others()
            return None
        waiting = self._waiting(identity, limit)
        vectors = embed([(text, heading) for _, text, heading, _ in waiting])
        with self._database.write() as connection:
            connection.executemany(
                """INSERT OR REPLACE INTO next_vectors(passage_id, embedder, vector)
                SELECT id, ?, ? FROM passages WHERE id = ?""",
                (
                    (identity, vector, number)
                    for (number, _, _, _), vector in zip(waiting, vectors, strict=True)
                ),
            )
        progress = self._progress(waiting[-1][3], identity) if waiting else None
        if not self._waiting(identity, 1):
            with self._database.write() as connection:
                self._vectors.replace_all(connection, identity, embedder.identity.dimension)
        return progress

    def begun(self) -> bool:
        """Whether there are vectors that wait for others of their embedder: a change that a kill ended."""
        with self._database.read() as connection:
            return bool(rows(connection, "SELECT 1 FROM next_vectors LIMIT 1"))

    def progress(self, embedder: Embedder) -> tuple[int, int] | None:
        """How many passages have vectors of this embedder, and how many there are; None when all have."""
        identity = identity_of(embedder)
        with self._database.read() as connection:
            if vector_state(connection).embedder in (None, identity):
                return None
            statement = "SELECT count(*) FROM next_vectors WHERE embedder = ?"
            [(done,)] = rows(connection, statement, (identity,))
            [(total,)] = rows(connection, "SELECT count(*) FROM passages")
        return done, total

    def _forget_others(self) -> None:
        """Drop what was made for an embedder that was chosen in between."""
        if self.begun():
            with self._database.write() as connection:
                connection.execute("DELETE FROM next_vectors")

    def _waiting(self, identity: str, limit: int) -> list[tuple[Any, ...]]:
        with self._database.read() as connection:
            return rows(
                connection,
                """SELECT p.id, p.text, p.heading, p.document_id FROM passages p
                LEFT JOIN next_vectors n ON n.passage_id = p.id AND n.embedder = ?
                WHERE n.passage_id IS NULL ORDER BY p.id LIMIT ?""",
                (identity, limit),
            )

    def _progress(self, document_id: int, identity: str) -> ReembeddedDocument | None:
        with self._database.read() as connection:
            found = rows(
                connection,
                """SELECT d.id, d.title, count(n.passage_id), d.passages FROM documents d
                JOIN passages p ON p.document_id = d.id
                LEFT JOIN next_vectors n ON n.passage_id = p.id AND n.embedder = ?
                WHERE d.id = ? GROUP BY d.id""",
                (identity, document_id),
            )
        return ReembeddedDocument(*found[0]) if found else None
