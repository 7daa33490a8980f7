"""The index that fits how many passages there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import apsw

from rag.database import rows
from rag.embedder import Vectors
from rag.vectors.binary_codes import BinaryCodes
from rag.vectors.protocol import Neighbour, VectorIndex, VectorRow
from rag.vectors.stored import vector_state

LARGE = 5_000
"""Passages from which on comparing all of them is too slow, or takes too much memory."""


class SmallIndex(VectorIndex, Protocol):
    """An index that compares every vector."""

    def in_step(self, connection: apsw.Connection) -> bool:
        """Whether it knows what this transaction sees."""
        ...

    def retire(self, connection: apsw.Connection) -> None:
        """Give back what it occupies; `prepare` brings it back."""
        ...


class BySize:
    """A small index up to `LARGE` passages, binary codes above.

    The size is read from the transaction, so reader and writer, in whichever process, always agree. Where
    a build without the small index has written meanwhile, the codes answer, too.
    """

    def __init__(self, small: SmallIndex, large: int = LARGE) -> None:
        self._small = small
        self._large = large
        self._codes = BinaryCodes()
        self._seen = ("", False)

    @property
    def name(self) -> str:
        """That of the small index."""
        return self._small.name

    @property
    def extensions(self) -> tuple[str, ...]:
        """Those of the small index."""
        return self._small.extensions

    def prepare(self, connection: apsw.Connection) -> None:
        """See `VectorIndex.prepare`."""
        if self._is_large(connection):
            self._small.retire(connection)
        else:
            self._small.prepare(connection)

    def add(self, connection: apsw.Connection, vectors: Sequence[VectorRow]) -> None:
        """See `VectorIndex.add`."""
        if self._is_large(connection):
            self._small.retire(connection)
        else:
            self._small.add(connection, vectors)

    def remove(self, connection: apsw.Connection, passage_ids: Sequence[int]) -> None:
        """See `VectorIndex.remove`."""
        if not self._is_large(connection, len(passage_ids)):
            self._small.remove(connection, passage_ids)
        else:  # it was large before, so there is nothing to remove from; it may be small now
            self.prepare(connection)

    def nearest(
        self, connection: apsw.Connection, query: Vectors, collection_ids: Sequence[int], limit: int
    ) -> list[Neighbour]:
        """See `VectorIndex.nearest`."""
        # Only committed states are remembered: the number of an undone one may come again for another.
        stamp = vector_state(connection).stamp
        if self._seen[0] != stamp:
            self._seen = (stamp, self._is_large(connection))
        if self._seen[1] or not self._small.in_step(connection):
            return self._codes.nearest(connection, query, collection_ids, limit)
        return self._small.nearest(connection, query, collection_ids, limit)

    def compact(self, connection: apsw.Connection) -> None:
        """See `VectorIndex.compact`."""
        if not self._is_large(connection):
            self._small.compact(connection)

    def _is_large(self, connection: apsw.Connection, more: int = 0) -> bool:
        statement = "SELECT count(*) FROM (SELECT 1 FROM vectors LIMIT ?)"
        [(count,)] = rows(connection, statement, (self._large + 1,))
        return int(count) + more > self._large
