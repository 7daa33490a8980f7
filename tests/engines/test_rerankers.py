"""Rerankers, with a real cross-encoder that is made here: one layer, weights drawn with a seed."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from engines.errors import ModelFileDamaged, ModelFileMissing
from engines.rerankers.cross_encoder import CrossEncoderReranker
from engines.rerankers.opening import ChosenReranker

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "boiler", "must", "be", "vented", "bike")


def make_cross_encoder(folder: Path, outputs: int = 1) -> Path:
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        num_labels=outputs,
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing):
        CrossEncoderReranker(tmp_path)


def test_none_is_loaded_where_none_is_chosen_and_a_missing_one_is_tried_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chosen: str | None = None
    reranker = ChosenReranker(lambda: chosen)
    assert reranker.get() is None
    chosen = str(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert reranker.get() is None
        assert reranker.get() is None
    assert [record.message for record in caplog.records] == ["the reranker cannot be used: ModelFileMissing"]


@pytest.mark.slow
@pytest.mark.desktop("torch")
def test_every_passage_gets_a_score_that_does_not_depend_on_the_others(tmp_path: Path) -> None:
    reranker = ChosenReranker(lambda: str(tmp_path / "model"))
    make_cross_encoder(tmp_path / "model")
    loaded = reranker.get()
    assert loaded is not None
    assert reranker.get() is loaded
    both = loaded.scores("the boiler", ["the boiler must be vented", "the bike"])
    assert len(set(both)) == 2
    assert loaded.scores("the boiler", ["the bike"]) == pytest.approx(both[1:], abs=1e-4)
    assert loaded.scores("the boiler", []) == []


@pytest.mark.slow
@pytest.mark.desktop("torch")
def test_a_model_with_several_outputs_is_no_reranker(tmp_path: Path) -> None:
    with pytest.raises(ModelFileDamaged):
        CrossEncoderReranker(make_cross_encoder(tmp_path / "model", outputs=3))
