"""Nearest neighbours among the vectors of passages."""

from rag.vectors.opening import VectorKind, open_vector_index
from rag.vectors.protocol import Neighbour, VectorIndex, VectorRow

__all__ = ["Neighbour", "VectorIndex", "VectorKind", "VectorRow", "open_vector_index"]
