"""All vectors as one matrix in memory; needs nothing but numpy."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import apsw
import numpy as np
import numpy.typing as npt

from rag.embedder import Vectors
from rag.vectors.protocol import Neighbour, VectorRow
from rag.vectors.stored import VectorState, vector_state

_LIMIT = 4096


class NumpyMatrix:
    """Exact search over a float32 matrix: the index for phones, and the faster one below 100,000 passages.

    Memory: 4 bytes x dimension a passage, so 1.5 kB with 384 dimensions: 15 MB for 10,000
    passages, 150 MB for 100,000; twice that for a moment while passages are added. The matrix
    is loaded by the first search (half a second for 100,000) and then kept in step by loading
    only what is new, so it also notices what other processes write.
    """

    name = "numpy"
    extensions: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: VectorState | None = None
        self._ids: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._collections: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._matrix: Vectors = np.empty((0, 0), np.float32)

    def prepare(self, connection: apsw.Connection) -> None:
        """Nothing to do: the matrix is derived from what a search sees."""

    def add(self, connection: apsw.Connection, vectors: Sequence[VectorRow]) -> None:
        """Nothing to do: the next search loads what is new."""

    def remove(self, connection: apsw.Connection, passage_ids: Sequence[int]) -> None:
        """Nothing to do: the next search drops what is gone."""

    def compact(self, connection: apsw.Connection) -> None:
        """Nothing to do: nothing of it is on disk."""

    def nearest(
        self, connection: apsw.Connection, query: Vectors, collection_ids: Sequence[int], limit: int
    ) -> list[Neighbour]:
        """See `VectorIndex.nearest`."""
        with self._lock:
            self._follow(connection)
            asked = np.isin(self._collections, np.asarray(collection_ids, np.int64))
            count = min(limit, _LIMIT, int(asked.sum()))
            if count == 0:
                return []
            similarities = np.where(asked, self._matrix @ query, -np.inf)
            best = np.argpartition(-similarities, count - 1)[:count]
            best = best[np.lexsort((self._ids[best], -similarities[best]))]
            return [Neighbour(int(self._ids[i]), float(similarities[i])) for i in best]

    def _follow(self, connection: apsw.Connection) -> None:
        """Bring the matrix to the state that this transaction sees."""
        state = vector_state(connection)
        if self._state is not None and state.stamp == self._state.stamp:
            return
        if self._state is None or state.generation != self._state.generation:
            self._ids, self._collections = self._ids[:0], self._collections[:0]
            self._matrix = np.empty((0, state.dimension), np.float32)
        alive = np.array(connection.execute("SELECT passage_id FROM vectors").fetchall(), np.int64).reshape(
            -1
        )
        kept = np.isin(self._ids, alive)
        if not kept.all():
            self._ids, self._collections = self._ids[kept], self._collections[kept]
            self._matrix = self._matrix[kept]
        new = alive[~np.isin(alive, self._ids)]
        if new.size:
            self._append(connection, int(new.min()), len(new), state.dimension)
        self._state = state

    def _append(self, connection: apsw.Connection, first_id: int, count: int, dimension: int) -> None:
        known = set(self._ids[self._ids >= first_id].tolist())
        ids = np.empty(count, np.int64)
        collections = np.empty(count, np.int64)
        matrix = np.empty((count, dimension), np.float32)
        position = 0
        for passage, collection, vector in connection.execute(
            "SELECT passage_id, collection_id, vector FROM vectors WHERE passage_id >= ?", (first_id,)
        ):
            if passage not in known:
                ids[position], collections[position] = passage, collection
                matrix[position] = np.frombuffer(vector, np.float32)
                position += 1
        self._ids = np.concatenate([self._ids, ids])
        self._collections = np.concatenate([self._collections, collections])
        self._matrix = np.concatenate([self._matrix, matrix])
