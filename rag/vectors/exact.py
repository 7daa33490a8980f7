"""Exact similarities, from the vectors themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import apsw
import numpy as np

from rag.database import rows
from rag.embedder import Vectors
from rag.vectors.protocol import Neighbour

_AT_ONCE = 500


def similarities(connection: apsw.Connection, query: Vectors, passage_ids: Iterable[int]) -> dict[int, float]:
    """Cosine similarities of those of these passages that have vectors, by id."""
    similar: dict[int, float] = {}
    remaining = iter(passage_ids)
    while batch := list(islice(remaining, _AT_ONCE)):
        places = ", ".join("?" * len(batch))
        found = rows(
            connection, f"SELECT passage_id, vector FROM vectors WHERE passage_id IN ({places})", batch
        )
        if found:
            parts = np.frombuffer(b"".join(blob for _, blob in found), np.float32).reshape(-1, len(query))
            firsts = np.cumsum([0, *(len(blob) // query.nbytes for _, blob in found[:-1])])
            values = np.maximum.reduceat(parts @ query, firsts)
            similar.update((number, float(value)) for (number, _), value in zip(found, values, strict=True))
    return similar


def best_of(
    connection: apsw.Connection, query: Vectors, passage_ids: Sequence[int], limit: int
) -> list[Neighbour]:
    """The nearest of these passages, best first, then by id."""
    found = similarities(connection, query, passage_ids)
    near = sorted(found.items(), key=lambda each: (-each[1], each[0]))
    return [Neighbour(number, similarity) for number, similarity in near[:limit]]
