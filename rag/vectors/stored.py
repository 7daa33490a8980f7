"""The table of vectors, and the index kept in step with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

import apsw

from rag.database import rows
from rag.embedded_parts import SCHEME
from rag.embedder import Embedder
from rag.vectors.protocol import VectorIndex, VectorRow

_BATCH = 1000


class VectorState(NamedTuple):
    """What the table `vectors` holds, in a form that changes whenever the table does."""

    embedder: str | None
    dimension: int
    generation: int
    """Goes up when vectors are replaced, or moved, whose passages stay."""
    version: int
    """Goes up with every change."""

    @property
    def stamp(self) -> str:
        """Equal stamps mean equal tables."""
        return f"{self.generation}.{self.version}"


def identity_of(embedder: Embedder) -> str:
    """The embedder and what of a passage it is given, as it is stored; only vectors of equal ones compare."""
    identity = embedder.identity
    return f"{identity.model} {identity.dimension} {identity.prefixes}+{SCHEME}"


def model_of(identity: str) -> str:
    """The model that `identity_of` has named."""
    return identity.rsplit(" ", 2)[0]


def vector_state(connection: apsw.Connection) -> VectorState:
    """The present state of the table."""
    [row] = rows(connection, "SELECT embedder, dimension, generation, version FROM vector_state")
    return VectorState(*row)


class StoredVectors:
    """Writes the table `vectors` together with its index, in the caller's transaction."""

    def __init__(self, index: VectorIndex) -> None:
        self.index = index

    def begin(self, connection: apsw.Connection, embedder: str, dimension: int) -> None:
        """Declare whose vectors an empty table is going to hold."""
        connection.execute(
            "UPDATE vector_state SET embedder = ?, dimension = ?, generation = generation + 1",
            (embedder, dimension),
        )
        self.index.prepare(connection)

    def add(self, connection: apsw.Connection, vectors: Iterable[VectorRow]) -> None:
        """Add vectors of new passages."""
        connection.execute("UPDATE vector_state SET version = version + 1")
        remaining = iter(vectors)
        while batch := list(islice(remaining, _BATCH)):
            connection.executemany("INSERT INTO vectors VALUES (?, ?, ?)", batch)
            self.index.add(connection, batch)

    def remove(self, connection: apsw.Connection, passage_ids: Sequence[int]) -> None:
        """Remove the vectors of passages."""
        connection.execute("UPDATE vector_state SET version = version + 1")
        connection.executemany(
            "DELETE FROM vectors WHERE passage_id = ?", ((passage_id,) for passage_id in passage_ids)
        )
        self.index.remove(connection, passage_ids)

    def move(self, connection: apsw.Connection, passage_ids: Sequence[int], collection_id: int) -> None:
        """Let the vectors of passages belong to another collection."""
        # Whoever keeps them in memory looks only for passages that came or went: that is all anew, then.
        connection.execute("UPDATE vector_state SET generation = generation + 1")
        remaining = iter(passage_ids)
        while batch := list(islice(remaining, _BATCH)):
            statement = "SELECT passage_id, vector FROM vectors WHERE passage_id = ?"
            moved = [
                VectorRow(number, collection_id, vector)
                for passage_id in batch
                for number, vector in rows(connection, statement, (passage_id,))
            ]
            self.remove(connection, batch)
            self.add(connection, moved)

    def replace_all(self, connection: apsw.Connection, embedder: str, dimension: int) -> None:
        """Put the embedder's vectors of `next_vectors` in the place of all vectors."""
        connection.execute("DELETE FROM vectors")
        connection.execute(
            """INSERT INTO vectors SELECT n.passage_id, d.collection_id, n.vector
                FROM next_vectors n JOIN passages p ON p.id = n.passage_id
                JOIN documents d ON d.id = p.document_id WHERE n.embedder = ?""",
            (embedder,),
        )
        connection.execute("DELETE FROM next_vectors")
        self.begin(connection, embedder, dimension)
