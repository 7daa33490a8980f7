"""`dai kb eval` measures the search and leaves nothing behind."""

from __future__ import annotations

import pytest

from app.cli import evaluate
from tests.app.ui.word_embedder import WordEmbedder
from tests.rag.question_sets import write_set


@pytest.fixture(autouse=True)
def embedder(monkeypatch):
    monkeypatch.setattr(evaluate, "open_embedder", lambda *_, **__: WordEmbedder())


def test_every_way_of_searching_is_told_with_its_measures(dai, tmp_path):
    result = dai("kb", "eval", write_set(tmp_path / "set"))
    assert result.status == 0
    assert "By meaning and words" in result.out
    assert "(hit@5): 1.000" in result.out
    assert "nDCG@10: 1.000" in result.out
    assert "without an answer: 1.000" in result.out


def test_the_measures_are_data_for_programs(dai, tmp_path):
    both, meaning, words = dai("kb", "eval", write_set(tmp_path / "set"), "--json").json
    assert [each["way"] for each in (both, meaning, words)] == ["both", "meaning", "words"]
    assert both["hits"]["1"] == both["mrr"] == 1
    assert both["refused"] == 1


def test_the_users_own_documents_are_left_alone(dai, tmp_path):
    dai("kb", "eval", write_set(tmp_path / "set"))
    assert dai("kb", "list", "--json").json == []


def test_persian_figures_have_persian_digits(dai, persian, tmp_path):
    assert "۱٫۰۰۰" in dai("kb", "eval", write_set(tmp_path / "set")).out


def test_what_is_no_set_is_told_in_one_line(dai, tmp_path):
    result = dai("kb", "eval", tmp_path)
    assert (result.status, result.err.count("\n")) == (1, 1)
    assert str(tmp_path / "corpus.jsonl") in result.err
