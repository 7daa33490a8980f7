"""Something kept in memory of every vector, in step with the table `vectors`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import islice
from typing import Any

import apsw
import numpy as np
import numpy.typing as npt

from rag.embedder import Vectors
from rag.vectors.stored import VectorState, vector_state

_BLOCK = 4096


class Mirror(ABC):
    """A row for each vector, those of one passage together, with its id and its collection.

    Loaded by the first search, then kept in step by loading only what is new. So it also notices what other
    processes write, and an undone transaction leaves no trace in it. Not safe for several threads: whoever
    holds one puts a lock around it.
    """

    def __init__(self) -> None:
        self._state: VectorState | None = None
        self.clear()

    def clear(self) -> None:
        """Forget everything; the next `follow` loads it again."""
        self._state = None
        self.ids: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self.collections: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self.kept: npt.NDArray[Any] = np.empty((0, 0))

    def follow(self, connection: apsw.Connection) -> bool:
        """Come to the state that this transaction sees; False where that is the state already."""
        state = vector_state(connection)
        if self._state is not None and state.stamp == self._state.stamp:
            return False
        if self._state is None or state.generation != self._state.generation:
            self.clear()
            self.kept = self._begin(connection, state.dimension)
        found = connection.execute("SELECT passage_id FROM vectors").fetchall()
        alive = np.array(found, np.int64).reshape(-1)
        stays = np.isin(self.ids, alive)
        if not stays.all():
            self.ids, self.collections, self.kept = self.ids[stays], self.collections[stays], self.kept[stays]
        new = alive[~np.isin(alive, self.ids)]
        if new.size:
            self._load(connection, int(new.min()), state.dimension)
        self._state = state
        return True

    @abstractmethod
    def _begin(self, connection: apsw.Connection, dimension: int) -> npt.NDArray[Any]:
        """An empty array of what is kept, shape (0, …), for vectors of this dimension."""

    @abstractmethod
    def _keep(self, vectors: Vectors) -> npt.NDArray[Any]:
        """What is kept of these vectors, a row for each."""

    def _load(self, connection: apsw.Connection, first_id: int, dimension: int) -> None:
        known = set(self.ids[self.ids >= first_id].tolist())
        new = (
            row
            for row in connection.execute(
                "SELECT passage_id, collection_id, vector FROM vectors WHERE passage_id >= ?", (first_id,)
            )
            if row[0] not in known
        )
        ids, collections, kept = [self.ids], [self.collections], [self.kept]
        while block := list(islice(new, _BLOCK)):
            passages, owners, blobs = zip(*block, strict=True)
            parts = np.array([len(blob) // (4 * dimension) for blob in blobs])
            ids.append(np.repeat(np.array(passages, np.int64), parts))
            collections.append(np.repeat(np.array(owners, np.int64), parts))
            kept.append(self._keep(np.frombuffer(b"".join(blobs), np.float32).reshape(-1, dimension)))
        self.ids, self.collections = np.concatenate(ids), np.concatenate(collections)
        self.kept = np.concatenate(kept)
