"""The vectors in a `vec0` table of the extension sqlite-vec."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import apsw
import numpy as np

from rag.database import rows
from rag.embedded_parts import MOST_PARTS
from rag.embedder import Vectors
from rag.errors import VectorSearchUnavailable
from rag.vectors.exact import best_of
from rag.vectors.protocol import MOST_NEIGHBOURS, Neighbour, VectorRow
from rag.vectors.stored import VectorState, vector_state

_CHUNK = 1024
"""Vectors that vec0 stores together, and whose space it frees together."""
_WASTE_WORTH_COMPACTING = 8
"""Half-empty chunks, of 0.4 MB each with 384 dimensions."""
_FORM = "int8 parts"
"""Written with the state: a table of another form is built anew."""
_DEVIATIONS = 6.0
"""The components of unit vectors spread by 1/√dimension; what lies further out than this is cut."""
_COMPARED = 50
"""Vectors more than are asked for whose passages are compared exactly."""
_BATCH = 1000


class SqliteVecTable:
    """Search on disk: a few MB of memory, 6 ms for 10,000 vectors, growing in step with them.

    The table holds a byte of each component: half the time and a quarter of the space of float32. What it
    finds is compared once more by the vectors themselves, so the bytes only decide who is compared. Vectors
    have length 1, so L2 orders as the cosine does, and is the distance that sqlite-vec computes with vector
    instructions. The collection is a metadata column: partition keys would cost a whole chunk of disk for
    each collection. A row has the number of its passage times `MOST_PARTS`, and of the part.

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
        if not self.in_step(connection):
            self._rebuild(connection)

    def in_step(self, connection: apsw.Connection) -> bool:
        """Whether the table holds what `vectors` does in this transaction."""
        [(indexed,)] = rows(connection, "SELECT indexed FROM vector_state")
        return bool(indexed == _stamp(vector_state(connection)))

    def add(self, connection: apsw.Connection, vectors: Sequence[VectorRow]) -> None:
        """See `VectorIndex.add`."""
        if self._was_in_step(connection):
            self._insert(connection, vectors)
            self._note_step(connection)
        else:
            self._rebuild(connection)

    def remove(self, connection: apsw.Connection, passage_ids: Sequence[int]) -> None:
        """See `VectorIndex.remove`."""
        if not self._was_in_step(connection):
            self._rebuild(connection)
        elif vector_state(connection).embedder is not None:
            connection.executemany(
                "DELETE FROM vector_index WHERE part_id = ?",
                ((number * MOST_PARTS + part,) for number in passage_ids for part in range(MOST_PARTS)),
            )
        self._note_step(connection)

    def retire(self, connection: apsw.Connection) -> None:
        """Give the space back; `prepare` builds the table again."""
        connection.execute("DROP TABLE IF EXISTS vector_index; UPDATE vector_state SET indexed = NULL")

    def nearest(
        self, connection: apsw.Connection, query: Vectors, collection_ids: Sequence[int], limit: int
    ) -> list[Neighbour]:
        """See `VectorIndex.nearest`."""
        if vector_state(connection).embedder is None or not collection_ids or limit < 1:
            return []
        places = ", ".join("?" * len(collection_ids))
        count = min(limit, MOST_NEIGHBOURS)
        nearest_parts = min(count * 3 + _COMPARED, MOST_NEIGHBOURS)
        near = rows(
            connection,
            "SELECT DISTINCT part_id / ? FROM vector_index"
            f" WHERE vector MATCH vec_int8(?) AND k = ? AND collection_id IN ({places})",
            (MOST_PARTS, _bytes(query), nearest_parts, *collection_ids),
        )
        return best_of(connection, query, [number for (number,) in near], count)

    def compact(self, connection: apsw.Connection) -> None:
        """Copy the table where half of it is holes: vec0 frees a chunk only when all of it is gone."""
        if vector_state(connection).embedder is None or not self.in_step(connection):
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
                "CREATE VIRTUAL TABLE vector_index USING vec0("
                f"part_id INTEGER PRIMARY KEY, vector int8[{state.dimension}], collection_id INTEGER)"
            )
            after = 0
            statement = "SELECT * FROM vectors WHERE passage_id > ? ORDER BY passage_id LIMIT ?"
            while batch := [VectorRow(*row) for row in rows(connection, statement, (after, _BATCH))]:
                self._insert(connection, batch)
                after = batch[-1].passage_id
        self._note_step(connection)

    def _insert(self, connection: apsw.Connection, vectors: Sequence[VectorRow]) -> None:
        connection.executemany(
            "INSERT INTO vector_index(part_id, collection_id, vector) VALUES (?, ?, vec_int8(?))",
            _parts(vectors, vector_state(connection).dimension),
        )

    def _was_in_step(self, connection: apsw.Connection) -> bool:
        """Whether it held what `vectors` did before the change that is being followed."""
        state = vector_state(connection)
        [(indexed,)] = rows(connection, "SELECT indexed FROM vector_state")
        return indexed in (_stamp(state), _stamp(state._replace(version=state.version - 1)))

    def _note_step(self, connection: apsw.Connection) -> None:
        connection.execute("UPDATE vector_state SET indexed = ?", (_stamp(vector_state(connection)),))


def _stamp(state: VectorState) -> str:
    return f"{_FORM} {state.stamp}"


def _parts(vectors: Sequence[VectorRow], dimension: int) -> Iterator[tuple[int, int, bytes]]:
    matrix = np.frombuffer(b"".join(row.vector for row in vectors), np.float32).reshape(-1, dimension)
    quantised, start = _bytes(matrix), 0
    for passage_id, collection_id, vector in vectors:
        for part in range(len(vector) // (4 * dimension)):
            yield passage_id * MOST_PARTS + part, collection_id, quantised[start : start + dimension]
            start += dimension


def _bytes(vectors: Vectors) -> bytes:
    scale = 127 * max(1.0, vectors.shape[-1] ** 0.5 / _DEVIATIONS)
    scaled = vectors * np.float32(scale)
    np.clip(np.rint(scaled, out=scaled), -127, 127, out=scaled)
    return scaled.astype(np.int8).tobytes()
