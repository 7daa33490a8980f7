"""How well a model foresees a text."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from engines.compression import measure_perplexity
from engines.compression.perplexity import shipped_texts
from engines.compression.surprise import _windows
from engines.errors import EngineCrashed, ModelFileMissing, NotAModel
from tests.engines.tiny_gguf import make_tiny_gguf

HOSTS = [pytest.param("process", marks=pytest.mark.desktop("child processes")), "thread"]


@pytest.mark.parametrize("host", HOSTS)
async def test_a_model_foresees_what_it_always_says(tmp_path: Path, host: Any) -> None:
    model = make_tiny_gguf(tmp_path / "tiny.gguf", reply="one two three four", loop=True, circle=True)
    known, strange = await measure_perplexity(
        model, {"known": "one two three four" * 12, "strange": "zyx wvu tsr qpo" * 12}, host=host
    )
    assert (known.language, strange.language) == ("known", "strange")
    assert 1.0 <= known.value < 2.0
    assert strange.value > 20 * known.value


async def test_real_english_is_less_surprising_than_its_words_in_disorder(smollm2: Path) -> None:
    text = shipped_texts()["en"][:900]
    disorder = " ".join(sorted(text.split()))
    shares: list[float] = []
    read, shuffled = await measure_perplexity(
        smollm2, {"en": text, "disorder": disorder}, progress=shares.append, host="thread"
    )
    assert 3 < read.value < 60
    assert shuffled.value > 3 * read.value
    assert shares[-1] == 1.0


async def test_it_agrees_with_a_sum_over_single_steps(smollm2: Path) -> None:
    """The same tokens one by one through the plain binding, without windows, batches or numpy's help."""
    import llama_cpp

    text = shipped_texts()["en"][:400]
    [measured] = await measure_perplexity(smollm2, {"en": text}, host="thread")
    plain = llama_cpp.Llama(
        str(smollm2),
        n_ctx=512,
        n_threads=1,
        n_threads_batch=1,
        flash_attn=True,
        logits_all=True,
        verbose=False,
    )
    tokens = plain.tokenize(text.encode(), add_bos=False, special=False)
    plain.eval(tokens)
    total = 0.0
    first = len(tokens) - measured.tokens
    for position in range(first, len(tokens)):
        row = [float(value) for value in plain.scores[position - 1]]
        highest = max(row)
        log_sum = highest + math.log(sum(math.exp(value - highest) for value in row))
        total += log_sum - row[tokens[position]]
    plain.close()
    assert first == 32
    assert measured.value == pytest.approx(math.exp(total / measured.tokens), rel=0.02)


def test_every_token_counts_but_the_first_of_each_window() -> None:
    tokens = list(range(1000))
    windows = list(_windows(tokens, 300))
    assert [part[0] for part, _ in windows] == [0, 300, 600, 900]
    assert sum(len(part) - start for part, start in windows) == 1000 - 4 * 32
    assert [(len(part), start) for part, start in _windows([1, 2, 3, 4], 300)] == [(4, 2)]
    assert list(_windows([], 300)) == []


def test_the_shipped_texts_are_of_similar_length_in_their_scripts() -> None:
    texts = shipped_texts()
    assert set(texts) == {"en", "fa"}
    assert 1500 < len(texts["fa"]) < len(texts["en"]) < 5000
    assert sum("\u0600" <= letter <= "\u06ff" for letter in texts["fa"]) > 0.7 * len(texts["fa"])


@pytest.mark.parametrize("host", HOSTS)
async def test_what_cannot_be_loaded_is_told_by_its_error(tmp_path: Path, host: Any) -> None:
    with pytest.raises(ModelFileMissing):
        await measure_perplexity(tmp_path / "gone.gguf", {"en": "text"}, host=host)
    (tmp_path / "note.gguf").write_text("hello")
    with pytest.raises(NotAModel):
        await measure_perplexity(tmp_path / "note.gguf", {"en": "text"}, host=host)


@pytest.mark.desktop("child processes")
@pytest.mark.parametrize("length", [1, 1_000_000])  # a million do not fit into the pipe that nobody reads
async def test_a_process_that_dies_is_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    from engines.compression import worker

    monkeypatch.setattr(worker.sys, "executable", "/bin/false")
    monkeypatch.setattr(worker, "in_process", lambda _: True)
    with pytest.raises(EngineCrashed):
        await measure_perplexity(tmp_path / "any.gguf", {"en": "a" * length})
