"""Asks a knowledge base the questions of a set, and counts what it finds."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.evaluation.known_answer import KnownAnswer
from rag.evaluation.metrics import hit, ndcg, reciprocal_rank
from rag.evaluation.question_set import QuestionSet, SetQuestion
from rag.knowledge import KnowledgeBase
from rag.model import FoundPassage, Passage, SearchWay

RANKS = 10
"""So many passages are asked for; all measures end there."""
HITS = (1, 3, 5, 10)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well one way of searching did; every measure but time is from 0 to 1, and larger is better."""

    way: SearchWay
    questions: int
    """Those that the documents answer; all measures but `refused` are means over them."""
    hits: Mapping[int, float]
    """Share of questions with something right among the first so many."""
    mrr: float
    """Mean reciprocal rank of the first right one, of the first ten."""
    ndcg: float
    """Of the first ten."""
    coverage: float | None
    """Share of the answer that stands in the first five passages; None where no answers are known."""
    found: float
    """Share of questions for which anything was found at all."""
    unanswerable: int
    """Questions that the documents do not answer."""
    refused: float | None
    """Share of those for which nothing was found, as it should be; None where there are none."""
    milliseconds: float
    """Median time of a search, with the question's embedding."""
    slow_milliseconds: float
    """19 of 20 searches were quicker."""


def index_set(knowledge: KnowledgeBase, questions: QuestionSet, progress: Progress) -> int:
    """Put the documents of a set into a new collection, each under its id, and return the collection's id."""
    collection = knowledge.create_collection("Evaluation").id
    with tempfile.TemporaryDirectory() as folder:
        for number, document in enumerate(questions.documents):
            path = Path(folder) / f"{number}.txt"
            path.write_text(f"{document.title}\n\n{document.text}".strip() or document.id, encoding="utf-8")
            knowledge.add(collection, path, name=document.id)
        knowledge.start()
        while not knowledge.wait_until_idle(0.5):
            documents = knowledge.documents(collection)
            progress(sum(each.passages > 0 for each in documents), len(documents))
    return collection


def evaluate(
    knowledge: KnowledgeBase, collection: int, questions: QuestionSet, way: SearchWay, progress: Progress
) -> Evaluation:
    """Ask all questions of a set whose documents `index_set` has put into the collection.

    Where the set tells the words that answer a question, a passage is right that has enough of them; else
    every passage of a right document is, and the document counts once.
    """
    answerable = [question for question in questions.questions if question.right]
    others = [question for question in questions.questions if not question.right]
    milliseconds: list[float] = []

    def ask(question: SetQuestion) -> Sequence[FoundPassage]:
        started = time.perf_counter()
        found = knowledge.search(question.text, [collection], RANKS, way).passages
        milliseconds.append((time.perf_counter() - started) * 1e3)
        progress(len(milliseconds), len(questions.questions))
        return found

    found = [ask(question) for question in answerable]
    refused = [not ask(question) for question in others]
    judge = _Judge(knowledge, collection)
    judged = [judge.worths(question, passages) for question, passages in zip(answerable, found, strict=True)]
    rankings = [ranking for ranking, _ in judged]
    covered = [
        KnownAnswer(question.answer).covered_by(each.passage.text for each in passages[:5])
        for question, passages in zip(answerable, found, strict=True)
        if question.answer
    ]
    return Evaluation(
        way=way,
        questions=len(answerable),
        hits={k: statistics.mean(hit(ranking, k) for ranking in rankings) for k in HITS},
        mrr=statistics.mean(reciprocal_rank(ranking) for ranking in rankings),
        ndcg=statistics.mean(ndcg(ranking, worths, RANKS) for ranking, worths in judged),
        coverage=statistics.mean(covered) if covered else None,
        found=statistics.mean(bool(passages) for passages in found),
        unanswerable=len(others),
        refused=statistics.mean(refused) if refused else None,
        milliseconds=statistics.median(milliseconds),
        slow_milliseconds=sorted(milliseconds)[int(0.95 * (len(milliseconds) - 1))],
    )


class _Judge:
    """Tells what is right."""

    def __init__(self, knowledge: KnowledgeBase, collection: int) -> None:
        self._knowledge = knowledge
        self._documents = {each.title: each.id for each in knowledge.documents(collection)}

    def worths(self, question: SetQuestion, found: Sequence[FoundPassage]) -> tuple[list[int], list[int]]:
        """What each found thing is worth, and what everything right is worth."""
        if not question.answer:
            documents = list(dict.fromkeys(each.passage.document_title for each in found))
            return [question.right.get(title, 0) for title in documents], list(question.right.values())
        answer = KnownAnswer(question.answer)
        ranking = [
            int(each.passage.document_title in question.right and answer.stands_in(each.passage.text))
            for each in found
        ]
        right = sum(answer.stands_in(passage.text) for passage in self._passages(question.right))
        return ranking, [1] * right

    def _passages(self, documents: Iterable[str]) -> Iterator[Passage]:
        for title in documents:
            if title in self._documents:  # else it could not be read
                yield from self._knowledge.passages(self._documents[title])
