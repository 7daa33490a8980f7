"""What finds the nearest vectors.

The table `vectors` holds the truth: the vectors of each passage, one for each of its parts
(`rag/embedded_parts.py`), as a plain float32 BLOB that any build of SQLite can read. An index is
derived from it and may be thrown away. That costs 1.5 kB a vector (384 dimensions) beside an
index on disk, and buys that a knowledge base opens on every device, whichever index made it, and
that no index can lose hours of embedding.

To add an index:

1. write a class with the members of `VectorIndex` (it need not inherit from it);
2. `prepare` brings it in step with the table `vectors`, however far they have drifted apart:
   a build without your index may have written in between (`vector_state` tells);
3. read and write through the connection you are given, and only inside its transaction: an
   undone transaction, or one of another process, must not leave you out of step;
4. add it to `rag/vectors/opening.py`, as the index of small knowledge bases (`rag/vectors/by_size.py`);
5. run `tests/rag/test_vectors.py`: all indexes give the same neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import apsw

from rag.embedder import Vectors

MOST_NEIGHBOURS = 4096
"""Nobody looks for more, and vec0 refuses to."""


class VectorRow(NamedTuple):
    """The vectors of a passage."""

    passage_id: int
    collection_id: int
    vector: bytes
    """float32; one or more one after the other, each of length 1."""


class Neighbour(NamedTuple):
    """A passage near a question."""

    passage_id: int
    similarity: float
    """Cosine of its nearest part, -1 to 1."""


class VectorIndex(Protocol):
    """Finds the passages with the nearest vectors. Calls come from one thread at a time per connection."""

    @property
    def name(self) -> str:
        """Its name, as in `VectorKind`."""
        ...

    @property
    def extensions(self) -> tuple[str, ...]:
        """Extensions of SQLite that its connections must have loaded."""
        ...

    def prepare(self, connection: apsw.Connection) -> None:
        """Bring it in step with the table `vectors`; inside a writing transaction."""
        ...

    def add(self, connection: apsw.Connection, vectors: Sequence[VectorRow]) -> None:
        """Take in vectors that this transaction has added to the table."""
        ...

    def remove(self, connection: apsw.Connection, passage_ids: Sequence[int]) -> None:
        """Forget vectors that this transaction has removed from the table."""
        ...

    def nearest(
        self, connection: apsw.Connection, query: Vectors, collection_ids: Sequence[int], limit: int
    ) -> list[Neighbour]:
        """The nearest passages of these collections, best first, then by id; at most 4096."""
        ...

    def compact(self, connection: apsw.Connection) -> None:
        """Give back the space of removed vectors where it is worth it; inside a writing transaction."""
        ...
