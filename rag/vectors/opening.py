"""Choosing the vector index."""

from __future__ import annotations

from typing import Literal

from rag.errors import VectorSearchUnavailable
from rag.vectors.by_size import BySize, SmallIndex
from rag.vectors.numpy_matrix import NumpyMatrix
from rag.vectors.protocol import VectorIndex
from rag.vectors.sqlite_vec_table import SqliteVecTable

VectorKind = Literal["auto", "sqlite-vec", "numpy"]


def open_vector_index(kind: VectorKind = "auto") -> VectorIndex:
    """The index asked for; "auto" takes sqlite-vec where it can be loaded, else numpy.

    Raises:
        VectorSearchUnavailable: sqlite-vec was asked for by name and cannot be loaded here.
    """
    return BySize(_open_small_index(kind))


def _open_small_index(kind: VectorKind) -> SmallIndex:
    if kind == "numpy":
        return NumpyMatrix()
    try:
        return SqliteVecTable()
    except VectorSearchUnavailable:
        if kind == "sqlite-vec":
            raise
        return NumpyMatrix()
