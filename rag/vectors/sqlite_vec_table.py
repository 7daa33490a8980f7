"""The vectors in a `vec0` table of the extension sqlite-vec."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from rag.database import rows
from rag.embedder import Vectors
from rag.errors import VectorSearchUnavailable
from rag.vectors.protocol import Neighbour, VectorRow
from rag.vectors.stored import vector_state

_LIMIT = 4096
"""vec0 refuses to look for more neighbours."""
_CHUNK = 1024
"""Vectors that vec0 stores together, and whose space it frees together."""
_WASTE_WORTH_COMPACTING = 8
"""Half-empty chunks, of 1.5 MB each with 384 dimensions."""


class SqliteVecTable:
    """Exact search on disk: a few MB of memory, 8 ms for 10,000 passages, growing in step with them.

    Vectors have length 1, so the L2 distance d orders as the cosine does (1 - d²/2), and L2 is the
    distance that sqlite-vec computes with vector instructions. The collection is a metadata
    column: partition keys would cost a whole chunk of disk for each collection.

    Raises:
        VectorSearchUnavailable: the package is not installed, or SQLite may not load it here.
    """

    name = "sqlite-vec"

    def __init__(self) -> None:
        try:
            import sqlite_vec

            path: str = sqlite_vec.loadable_path()
            with apsw.Connection(":memory:") as connection:
                connection.enable_load_extension(enable=True)
                connection.load_extension(path)
            connection.close()
        except (ImportError, AttributeError, OSError, apsw.Error) as error:
            raise VectorSearchUnavailable(str(error)) from error
        self.extensions: tuple[str, ...] = (path,)

    def prepare(self, connection: apsw.Connection) -> None:
        """Build the table anew where it is missing or a build without the extension has written."""
        [(indexed,)] = rows(connection, "SELECT indexed FROM vector_state")
        if indexed != vector_state(connection).stamp:
            self._rebuild(connection)

    def add(self, connection: apsw.Connection, vectors: Sequence[VectorRow]) -> None:
        """See `VectorIndex.add`."""
        connection.executemany(
            "INSERT INTO vector_index(passage_id, collection_id, vector) VALUES (?, ?, ?)", vectors
        )
        self._in_step(connection)

    def remove(self, connection: apsw.Connection, passage_ids: Sequence[int]) -> None:
        """See `VectorIndex.remove`."""
        if vector_state(connection).embedder is not None:
            connection.executemany(
                "DELETE FROM vector_index WHERE passage_id = ?", ((passage_id,) for passage_id in passage_ids)
            )
        self._in_step(connection)

    def nearest(
        self, connection: apsw.Connection, query: Vectors, collection_ids: Sequence[int], limit: int
    ) -> list[Neighbour]:
        """See `VectorIndex.nearest`."""
        if vector_state(connection).embedder is None or not collection_ids or limit < 1:
            return []
        places = ", ".join("?" * len(collection_ids))
        near = rows(
            connection,
            "SELECT passage_id, distance FROM vector_index"
            f" WHERE vector MATCH ? AND k = ? AND collection_id IN ({places})",
            (query.tobytes(), min(limit, _LIMIT), *collection_ids),
        )
        found = [Neighbour(passage_id, 1 - distance * distance / 2) for passage_id, distance in near]
        return sorted(found, key=lambda neighbour: (-neighbour.similarity, neighbour.passage_id))

    def compact(self, connection: apsw.Connection) -> None:
        """Copy the table where half of it is holes: vec0 frees a chunk only when all of it is gone."""
        if vector_state(connection).embedder is None:
            return
        [(chunks,)] = rows(connection, "SELECT count(*) FROM vector_index_chunks")
        [(vectors,)] = rows(connection, "SELECT count(*) FROM vectors")
        if chunks - vectors / _CHUNK > max(_WASTE_WORTH_COMPACTING, chunks / 2):
            self._rebuild(connection)

    def _rebuild(self, connection: apsw.Connection) -> None:
        state = vector_state(connection)
        connection.execute("DROP TABLE IF EXISTS vector_index")
        if state.embedder is not None:
            connection.execute(
                f"""CREATE VIRTUAL TABLE vector_index USING vec0(
                    passage_id INTEGER PRIMARY KEY, vector float[{state.dimension}], collection_id INTEGER);
                INSERT INTO vector_index(passage_id, collection_id, vector)
                    SELECT passage_id, collection_id, vector FROM vectors"""
            )
        self._in_step(connection)

    def _in_step(self, connection: apsw.Connection) -> None:
        connection.execute("UPDATE vector_state SET indexed = ?", (vector_state(connection).stamp,))
