"""All vectors as one matrix in memory; needs nothing but numpy."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import apsw
import numpy as np
import numpy.typing as npt

from rag.embedder import Vectors
from rag.vectors.mirror import Mirror
from rag.vectors.protocol import MOST_NEIGHBOURS, Neighbour, VectorRow


class NumpyMatrix:
    """Exact search over a float32 matrix: the index of small knowledge bases on phones.

    Memory: 4 bytes x dimension a vector, so 1.5 kB with 384 dimensions: 25 MB for 5,000 passages of three
    vectors, twice that for a moment while passages are added.
    """

    name = "numpy"
    extensions: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._matrix = _Matrix()

    def prepare(self, connection: apsw.Connection) -> None:
        """Nothing to do: the matrix is derived from what a search sees."""

    def in_step(self, connection: apsw.Connection) -> bool:
        """Always: the next search brings it there."""
        return True

    def add(self, connection: apsw.Connection, vectors: Sequence[VectorRow]) -> None:
        """Nothing to do: the next search loads what is new."""

    def remove(self, connection: apsw.Connection, passage_ids: Sequence[int]) -> None:
        """Nothing to do: the next search drops what is gone."""

    def compact(self, connection: apsw.Connection) -> None:
        """Nothing to do: nothing of it is on disk."""

    def retire(self, connection: apsw.Connection) -> None:
        """Give the memory back."""
        with self._lock:
            self._matrix.clear()

    def nearest(
        self, connection: apsw.Connection, query: Vectors, collection_ids: Sequence[int], limit: int
    ) -> list[Neighbour]:
        """See `VectorIndex.nearest`."""
        with self._lock:
            matrix = self._matrix
            matrix.follow(connection)
            asked = np.isin(matrix.collections, np.asarray(collection_ids, np.int64))[matrix.firsts]
            count = min(limit, MOST_NEIGHBOURS, int(asked.sum()))
            if count < 1:
                return []
            of_passages = np.maximum.reduceat(matrix.kept @ query, matrix.firsts)
            similarities, ids = np.where(asked, of_passages, -np.inf), matrix.ids[matrix.firsts]
            best = np.argpartition(-similarities, count - 1)[:count]
            best = best[np.lexsort((ids[best], -similarities[best]))]
            return [Neighbour(int(ids[i]), float(similarities[i])) for i in best]


class _Matrix(Mirror):
    def __init__(self) -> None:
        super().__init__()
        self.firsts: npt.NDArray[np.int64] = np.empty(0, np.int64)
        """The row of the first vector of each passage."""

    def follow(self, connection: apsw.Connection) -> bool:
        """See `Mirror.follow`."""
        changed = super().follow(connection)
        if changed:
            self.firsts = np.flatnonzero(np.diff(self.ids, prepend=0))
        return changed

    def _begin(self, connection: apsw.Connection, dimension: int) -> npt.NDArray[Any]:
        return np.empty((0, dimension), np.float32)

    def _keep(self, vectors: Vectors) -> npt.NDArray[Any]:
        return vectors
