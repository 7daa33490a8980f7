"""One bit of each component in memory, the vectors themselves on disk: the index of large knowledge bases."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import apsw
import numpy as np
import numpy.typing as npt

from rag.database import rows
from rag.embedder import Vectors
from rag.vectors.exact import best_of
from rag.vectors.mirror import Mirror
from rag.vectors.protocol import MOST_NEIGHBOURS, Neighbour

LEAST_COMPARED = 1000
"""Vectors that are chosen by their bits to be compared exactly, at least."""
_COMPARED_FOR_EACH = 10
"""The same, for each passage that is asked for."""
_SAMPLE = 2048
_BLOCK = 1 << 16
"""Codes that stay in the processor's cache while they are compared word by word."""


class BinaryCodes:
    """Nearly exact search: the nearest by their bits, then those in order by their vectors.

    A bit tells on which side of the mean a component lies: models such as E5 put all texts into a narrow
    cone, where the plain signs are nearly the same for all. Where no more than `LEAST_COMPARED` vectors are
    asked, the search is exact.

    Memory: 112 bytes a vector with 384 dimensions, 11 MB for 100,000, 110 MB for a million. The codes are
    made by the first search, which reads all vectors once: half a second for 100,000.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._codes = _Codes()

    def retire(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._codes.clear()

    def nearest(
        self, connection: apsw.Connection, query: Vectors, collection_ids: Sequence[int], limit: int
    ) -> list[Neighbour]:
        """See `VectorIndex.nearest`."""
        with self._lock:
            self._codes.follow(connection)
            asked = self._codes.asked(collection_ids)
            count = min(limit, MOST_NEIGHBOURS)
            if count < 1 or not len(self._codes.ids) or (asked is not None and not len(asked)):
                return []
            near = self._codes.near(query, asked, max(LEAST_COMPARED, count * _COMPARED_FOR_EACH))
        return best_of(connection, query, near, count)


class _Codes(Mirror):
    """A row of 64-bit words for each vector; `_columns` holds the same word by word, for speed."""

    def __init__(self) -> None:
        self._mean: Vectors = np.empty(0, np.float32)
        self._columns: npt.NDArray[np.uint64] = np.empty((0, 0), np.uint64)
        super().__init__()

    def clear(self) -> None:
        """See `Mirror.clear`."""
        super().clear()
        self._columns = np.empty((0, 0), np.uint64)
        self._all: frozenset[int] = frozenset()

    def follow(self, connection: apsw.Connection) -> bool:
        """See `Mirror.follow`."""
        changed = super().follow(connection)
        if changed:
            self._columns = np.ascontiguousarray(self.kept.T)
            self._all = frozenset(np.unique(self.collections).tolist())
        return changed

    def asked(self, collection_ids: Sequence[int]) -> npt.NDArray[np.int64] | None:
        """The rows of these collections; None where that is all of them."""
        if self._all.issubset(collection_ids):
            return None
        return np.flatnonzero(np.isin(self.collections, np.asarray(collection_ids, np.int64)))

    def near(self, query: Vectors, asked: npt.NDArray[np.int64] | None, count: int) -> list[int]:
        """The passages of the `count` codes that differ least from the query's, among the rows asked."""
        columns = self._columns if asked is None else self._columns[:, asked]
        ids = self.ids if asked is None else self.ids[asked]
        if count >= len(ids):
            return [int(number) for number in np.unique(ids)]
        [code] = self._keep(query.reshape(1, -1))
        distances = np.zeros(len(ids), np.uint16)
        for start in range(0, len(ids), _BLOCK):
            for column, word in zip(columns, code, strict=True):
                distances[start : start + _BLOCK] += np.bitwise_count(column[start : start + _BLOCK] ^ word)
        # Distances are small whole numbers: counting them is quicker than sorting, and ties are cut by id.
        border = int(np.searchsorted(np.cumsum(np.bincount(distances)), count))
        within = np.flatnonzero(distances < border)
        tied = np.flatnonzero(distances == border)[: count - len(within)]
        return [int(number) for number in np.unique(ids[np.concatenate([within, tied])])]

    def _begin(self, connection: apsw.Connection, dimension: int) -> npt.NDArray[Any]:
        [(first, last)] = rows(connection, "SELECT min(passage_id), max(passage_id) FROM vectors")
        self._mean = np.zeros(dimension, np.float32)
        if first is not None:
            statement = "SELECT vector FROM vectors WHERE passage_id >= ? ORDER BY passage_id LIMIT 1"
            sample = [
                np.frombuffer(vector, np.float32, dimension)
                for number in np.unique(np.linspace(first, last, _SAMPLE).astype(np.int64))
                for (vector,) in rows(connection, statement, (int(number),))
            ]
            self._mean = np.mean(sample, axis=0, dtype=np.float32)
        return np.empty((0, -(-dimension // 64)), np.uint64)

    def _keep(self, vectors: Vectors) -> npt.NDArray[Any]:
        bits = np.packbits(vectors > self._mean, axis=1)
        padding = -bits.shape[1] % 8
        return np.pad(bits, ((0, 0), (0, padding))).view(np.uint64)
