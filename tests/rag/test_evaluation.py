"""How well passages are found is measured as the field measures it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.errors import QuestionSetInvalid
from rag.evaluation import Evaluation, evaluate, index_set, read_set
from rag.evaluation.known_answer import KnownAnswer
from rag.evaluation.metrics import hit, ndcg, reciprocal_rank
from rag.knowledge import KnowledgeBase
from rag.model import SearchWay
from tests.app.ui.word_embedder import WordEmbedder
from tests.rag.question_sets import DOCUMENTS, QUESTIONS, RIGHT, write_set


def nothing(*_: object) -> None:
    """A progress that nobody watches."""


@pytest.fixture
def knowledge(tmp_path: Path) -> Iterator[KnowledgeBase]:
    opened = KnowledgeBase(tmp_path / "knowledge.db", WordEmbedder, vectors="numpy")
    yield opened
    opened.close()


def evaluated(knowledge: KnowledgeBase, folder: Path, way: SearchWay = SearchWay.BOTH) -> Evaluation:
    questions = read_set(folder)
    return evaluate(knowledge, index_set(knowledge, questions, nothing), questions, way, nothing)


def test_hits_and_ranks_are_those_of_the_first_right_one():
    assert [hit([0, 0, 1], k) for k in (1, 2, 3)] == [0, 0, 1]
    assert reciprocal_rank([0, 0, 1, 1]) == pytest.approx(1 / 3)
    assert reciprocal_rank([]) == reciprocal_rank([0]) == 0


def test_the_gain_is_discounted_and_compared_with_the_best_order():
    # Worked example: gains 3, 2, 3, 0, 1, 2 (Järvelin and Kekäläinen's measure, log2 discount).
    found = [3, 2, 3, 0, 1, 2]
    gain = 3 + 2 / math.log2(3) + 3 / 2 + 1 / math.log2(6) + 2 / math.log2(7)
    best = 3 + 3 / math.log2(3) + 2 / 2 + 2 / math.log2(5) + 1 / math.log2(6)
    assert ndcg(found, found, 6) == pytest.approx(gain / best)
    assert ndcg([1], [1], 10) == 1
    assert ndcg([0, 0, 1], [1, 1], 2) == 0
    assert ndcg([1], [], 10) == 0


@pytest.mark.parametrize(
    ("answer", "text", "stands"),
    [
        ("every October", "It is vented Every October.", True),
        ("every October", "every week in October", False),
        ("۱۴۰۲", "در سال 1402 فهرست شدند", True),
        ("one two three four five", "and one two three four five too", True),
        ("one two three four five", "one two, four five three", False),
        (" ".join(map(str, range(40))), " ".join(map(str, range(12, 30))), True),
        (" ".join(map(str, range(40))), " ".join(map(str, range(12, 18))), False),
        ("—", "anything", False),
    ],
)
def test_an_answer_stands_in_a_passage_that_has_its_words_in_order(answer, text, stands):
    assert KnownAnswer(answer).stands_in(text) is stands


def test_an_answer_can_be_covered_by_several_passages_together():
    answer = KnownAnswer("a1 b2 c3 d4 e5 f6")
    assert answer.covered_by(["a1 b2 c3 d4", "c3 d4 e5 f6"]) == 1
    assert answer.covered_by(["a1 b2 c3 d4"]) == pytest.approx(0.5)
    assert answer.covered_by([]) == 0


def test_documents_that_are_found_count_and_so_does_rightly_finding_nothing(knowledge, tmp_path):
    result = evaluated(knowledge, write_set(tmp_path / "set"))
    assert (result.questions, result.unanswerable) == (2, 1)
    assert result.hits[1] == result.mrr == result.ndcg == result.found == 1
    assert result.refused == 1
    assert result.coverage is None
    assert 0 < result.milliseconds <= result.slow_milliseconds


@pytest.mark.parametrize("way", [SearchWay.MEANING, SearchWay.WORDS])
def test_each_way_of_searching_can_be_measured_alone(knowledge, tmp_path, way):
    result = evaluated(knowledge, write_set(tmp_path / "set"), way)
    assert (result.way, result.hits[1]) == (way, 1)
    # Vectors are never far enough away by themselves; words are.
    assert result.refused == (1 if way is SearchWay.WORDS else 0)


def test_a_wrong_document_costs(knowledge, tmp_path):
    swapped = ("q1\tbicycle\t1", "q2\tgarden\t1")
    result = evaluated(knowledge, write_set(tmp_path / "set", right=swapped), SearchWay.MEANING)
    assert result.hits[1] == 0
    assert 0 < result.mrr < 1
    assert 0 < result.ndcg < 1


def test_with_known_answers_the_passage_counts_and_not_its_document(knowledge, tmp_path):
    filler = " ".join(f"Sentence {number} is about the boiler and nothing else." for number in range(60))
    documents = {"manual": f"{filler} The boiler must be vented every single October by two people."}
    questions = (
        {
            "_id": "q1",
            "text": "When must the boiler be vented?",
            "metadata": {"answer": "vented every single October by two people"},
        },
    )
    result = evaluated(knowledge, write_set(tmp_path / "set", documents, questions, ("q1\tmanual\t1",)))
    assert result.hits[1] == 1
    assert result.coverage == 1
    wrong = ({**questions[0], "metadata": {"answer": "never while the cellar is under water"}},)
    write_set(tmp_path / "set", documents, wrong, ("q1\tmanual\t1",))
    questions_again = read_set(tmp_path / "set")
    [collection] = knowledge.collections()
    again = evaluate(knowledge, collection.id, questions_again, SearchWay.BOTH, nothing)
    assert again.hits[10] == again.coverage == again.ndcg == 0


def test_progress_is_told_to_the_last_question(knowledge, tmp_path):
    questions = read_set(write_set(tmp_path / "set"))
    collection = index_set(knowledge, questions, nothing)
    told: list[tuple[int, int]] = []
    evaluate(knowledge, collection, questions, SearchWay.BOTH, lambda *now: told.append(now))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_titles_are_part_of_documents_and_other_keys_do_no_harm(tmp_path):
    folder = write_set(tmp_path)
    line = '{"_id": "d", "title": "Boiler", "text": "Vent it.", "url": "x", "metadata": {}}\n'
    (folder / "corpus.jsonl").write_text(line)
    (folder / "qrels" / "test.tsv").write_text("q1\td\t1\n")
    [document] = read_set(folder).documents
    assert (document.title, document.text) == ("Boiler", "Vent it.")


def test_judgements_of_another_split_are_taken_where_there_are_no_others(tmp_path):
    folder = write_set(tmp_path)
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "dev.tsv")
    assert read_set(folder).questions[0].right == {"boiler": 1}


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("corpus.jsonl", None),
        ("queries.jsonl", None),
        ("qrels/test.tsv", None),
        ("corpus.jsonl", b""),
        ("corpus.jsonl", b"not json\n"),
        ("corpus.jsonl", b'{"_id": "a", "text": 5}\n'),
        ("corpus.jsonl", b'{"_id": "a", "text": "x"}\n{"_id": "a", "text": "y"}\n'),
        ("queries.jsonl", b"\xff\xfe\n"),
        ("queries.jsonl", b"[]\n"),
        ("qrels/test.tsv", b"q1 boiler 1\n"),
        ("qrels/test.tsv", b"q1\tboiler\tmuch\n"),
        ("qrels/test.tsv", b"q1\tmissing\t1\n"),
        ("qrels/test.tsv", b"q1\tboiler\t0\n"),
        ("qrels/test.tsv", b"\xff\n"),
    ],
)
def test_a_set_that_is_not_in_order_is_refused_as_a_whole(tmp_path, file, content):
    path = write_set(tmp_path) / file
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(QuestionSetInvalid) as refused:
        read_set(tmp_path)
    assert refused.value.path.is_relative_to(tmp_path)


def test_the_small_set_of_these_tests_is_sound(tmp_path):
    questions = read_set(write_set(tmp_path))
    assert {document.id for document in questions.documents} == DOCUMENTS.keys()
    assert [question.text for question in questions.questions] == [each["text"] for each in QUESTIONS]
    assert questions.questions[1].right == {"bicycle": 2}, RIGHT
