"""Measures how well this device finds passages, on questions whose answers are known."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from rag.embedder import Embedder
from rag.evaluation import Evaluation, evaluate, index_set, read_set
from rag.knowledge import KnowledgeBase
from rag.model import SearchWay
from rag.reranking import GetReranker


class EvaluationStage(StrEnum):
    """What is being done."""

    INDEXING = "indexing"
    SEARCHING = "searching"


Progress = Callable[[EvaluationStage, int, int], None]


def evaluate_folder(
    folder: Path,
    open_embedder: Callable[[], Embedder],
    progress: Progress = lambda *_: None,
    reranker: GetReranker = lambda: None,
) -> list[Evaluation]:
    """Index the documents of a set apart from the user's own, ask its questions, and forget all of it.

    Blocks for as long as it takes: the documents go through the embedder.

    Args:
        folder: the set; see `rag.evaluation.question_set`.
        open_embedder: what turns texts into vectors.
        progress: called with what is done and how much of how many.
        reranker: gives what orders the passages found, if anything does.

    Returns:
        One evaluation for each way of searching, the one that answers rest on first.

    Raises:
        QuestionSetInvalid: a file of the set is missing, or is not as it should be.
        EngineError: the embedder cannot be used.
    """
    questions = read_set(folder)
    embedder = open_embedder()
    with tempfile.TemporaryDirectory(prefix="dai-evaluation-") as place:
        knowledge = KnowledgeBase(Path(place) / "knowledge.db", lambda: embedder, reranker=reranker)
        try:
            collection = index_set(
                knowledge, questions, lambda done, total: progress(EvaluationStage.INDEXING, done, total)
            )
            return [
                evaluate(
                    knowledge,
                    collection,
                    questions,
                    way,
                    lambda done, total: progress(EvaluationStage.SEARCHING, done, total),
                )
                for way in SearchWay
            ]
        finally:
            knowledge.close()
