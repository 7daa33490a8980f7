"""Documents and questions whose answers are known, in the form of BEIR.

A folder with three files (Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of
Information Retrieval Models", 2021):

- `corpus.jsonl`: a document a line, `{"_id": "d1", "title": "…", "text": "…"}`;
- `queries.jsonl`: a question a line, `{"_id": "q1", "text": "…"}`, here also with
  `"metadata": {"answer": "…"}`, the words of the documents that answer it;
- `qrels/test.tsv`, or another file there: after a heading, which document is right for which question, and
  how much: `q1<tab>d1<tab>1`.

A question for which no document is right is one that the documents do not answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from rag.errors import QuestionSetInvalid

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels"
_MOST_BYTES_OF_A_LINE = 64 << 20


class SetDocument(msgspec.Struct, frozen=True, rename={"id": "_id"}):
    """A document of a set."""

    id: str
    text: str
    title: str = ""


class _Metadata(msgspec.Struct, frozen=True):
    answer: str = ""


class _Query(msgspec.Struct, frozen=True, rename={"id": "_id"}):
    id: str
    text: str
    metadata: _Metadata = _Metadata()


@dataclass(frozen=True, slots=True)
class SetQuestion:
    """A question of a set."""

    id: str
    text: str
    right: Mapping[str, int] = field(default_factory=dict)
    """The documents that answer it, by id, and how well; empty: none does."""
    answer: str = ""
    """The words that answer it, where the set tells them."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Documents, and questions to them."""

    documents: tuple[SetDocument, ...]
    questions: tuple[SetQuestion, ...]


def read_set(folder: Path) -> QuestionSet:
    """Read and check a set.

    Raises:
        QuestionSetInvalid: a file is missing, or is not as it should be.
    """
    documents = tuple(_lines(folder / CORPUS, SetDocument))
    right = _right(_judgements(folder))
    questions = tuple(
        SetQuestion(query.id, query.text, right.get(query.id, {}), query.metadata.answer)
        for query in _lines(folder / QUERIES, _Query)
        if query.text.strip()
    )
    _check(folder, documents, questions)
    return QuestionSet(documents, questions)


def _check(folder: Path, documents: tuple[SetDocument, ...], questions: tuple[SetQuestion, ...]) -> None:
    known = {document.id for document in documents}
    if len(known) < len(documents):
        raise QuestionSetInvalid(folder / CORPUS, "two documents have the same _id")
    if not documents:
        raise QuestionSetInvalid(folder / CORPUS, "no documents")
    if not any(question.right for question in questions):
        raise QuestionSetInvalid(folder / QRELS, "no question has an answer")
    for question in questions:
        for document in question.right.keys() - known:
            raise QuestionSetInvalid(folder / QRELS, f"there is no document {document}")


Record = TypeVar("Record")


def _lines(path: Path, kind: type[Record]) -> Iterator[Record]:
    decoder = msgspec.json.Decoder(kind)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(_MOST_BYTES_OF_A_LINE), b""), 1):
                if line.strip():
                    try:
                        yield decoder.decode(line)
                    except msgspec.MsgspecError as error:
                        raise QuestionSetInvalid(path, f"line {number}: {error}") from error
    except OSError as error:
        raise QuestionSetInvalid(path, str(error.strerror)) from error


def _judgements(folder: Path) -> Path:
    wanted = folder / QRELS / "test.tsv"
    if wanted.is_file():
        return wanted
    others = sorted((folder / QRELS).glob("*.tsv"))
    if len(others) != 1:
        raise QuestionSetInvalid(wanted, "missing")
    return others[0]


def _right(path: Path) -> dict[str, dict[str, int]]:
    right: dict[str, dict[str, int]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionSetInvalid(path, str(error)) from error
    for number, line in enumerate(lines, 1):
        columns = line.split("\t")
        if not line.strip() or (number == 1 and columns[-1:] == ["score"]):
            continue
        try:
            question, document, score = columns
            grade = int(score)
        except ValueError as error:
            raise QuestionSetInvalid(path, f"line {number}") from error
        if grade > 0:
            right.setdefault(question, {})[document] = grade
    return right
