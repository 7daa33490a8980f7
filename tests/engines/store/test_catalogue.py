"""The list of recommended models is sound, and a list that is not is refused as a whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.core.strings import Strings
from engines.errors import CatalogueInvalid
from engines.store.catalogue import Catalogue

SOUND = """
[[models]]
id = "tiny"
name = "Tiny"
family = "llama"
description = { en = "Small.", fa = "کوچک." }
repository = "owner/tiny-GGUF"
licence = { name = "MIT", url = "https://opensource.org/license/mit" }
needs_acceptance = false
languages = ["en"]
persian = "none"
parameters = 1000
trained_context = 2048
files = [{ name = "tiny-Q8_0.gguf", quantisation = "Q8_0", about_bytes = 1000 }]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "catalogue.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_list_that_comes_with_the_app_can_be_read():
    catalogue = Catalogue.load()
    assert len(catalogue.models) >= 20
    assert {"gemma", "qwen", "llama"} <= {model.family for model in catalogue.models}


def test_every_model_can_be_found_by_its_id_and_by_its_repository():
    catalogue = Catalogue.load()
    for model in catalogue.models:
        assert catalogue.get(model.id) is model
        assert catalogue.of_repository(model.repository.upper()) is model
    assert catalogue.get("none") is None
    assert catalogue.of_repository("owner/none") is None


def test_every_file_is_named_after_its_quantisation_and_the_smallest_is_recommended():
    for model in Catalogue.load().models:
        for file in model.files:
            assert file.name.lower().endswith(f"-{file.quantisation.lower()}.gguf")
        sizes = [file.about_bytes for file in model.files]
        assert sizes == sorted(sizes), model.id


def test_a_size_fits_to_the_number_of_parameters():
    for model in Catalogue.load().models:
        for file in model.files:
            bits = file.about_bytes * 8 / model.parameters
            # Vocabularies of small models are kept in more bits than the rest.
            assert 4.5 < bits < (11.0 if file.quantisation == "Q8_0" else 8.5), (model.id, file.name, bits)


def test_a_commit_is_pinned_only_with_the_hash_of_the_recommended_file():
    for model in Catalogue.load().models:
        if model.revision != "main":
            assert re.fullmatch("[0-9a-f]{40}", model.revision), model.id
            assert model.files[0].sha256 is not None, model.id


def test_another_list_can_be_named(tmp_path, monkeypatch):
    path = tmp_path / "own.toml"
    path.write_text(SOUND)
    monkeypatch.setenv("DAI_CATALOGUE", str(path))
    assert Catalogue.load() == Catalogue.load(path)
    monkeypatch.setenv("DAI_CATALOGUE", str(tmp_path / "missing.toml"))
    with pytest.raises(CatalogueInvalid):
        Catalogue.load()


def test_no_two_files_have_the_same_hash():
    hashes = [file.sha256 for model in Catalogue.load().models for file in model.files if file.sha256]
    assert len(hashes) == len(set(hashes)) >= 20


def test_terms_of_gemma_and_llama_have_to_be_accepted_and_open_licences_do_not():
    for model in Catalogue.load().models:
        is_open = model.licence.name in ("Apache-2.0", "MIT")
        assert model.needs_acceptance is not is_open, model.id


def test_no_model_of_less_than_three_billion_parameters_is_praised_for_its_persian():
    for model in Catalogue.load().models:
        if model.persian in ("fair", "good"):
            assert model.parameters >= 3_000_000_000
            assert "fa" in model.languages


@pytest.mark.parametrize("language", ["en", "fa"])
def test_every_description_is_one_short_sentence_in_the_language(language):
    right_to_left = Strings(language).right_to_left
    for model in Catalogue.load().models:
        text = getattr(model.description, language)
        assert len(text) <= 110, model.id
        assert text.endswith(".")
        assert any("\u0600" <= letter <= "\u06ff" for letter in text) == right_to_left


def test_a_sound_list_is_accepted(tmp_path):
    assert Catalogue.load(write(tmp_path, SOUND)).get("tiny").files[0].sha256 is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('id = "tiny"', 'id = "tiny"\nspelling = "wrong"'),
        ('persian = "none"', 'persian = "perfect"'),
        ("about_bytes = 1000", 'about_bytes = 1000, sha256 = "abc"'),
        ("about_bytes = 1000", "about_bytes = 0"),
        ("tiny-Q8_0.gguf", "../../tiny.exe"),
        ("https://opensource.org/license/mit", "javascript:alert(1)"),
        ("owner/tiny-GGUF", "owner/../../tiny"),
        ("parameters = 1000", "parameters = many"),
        ('languages = ["en"]', "languages = []"),
    ],
)
def test_a_list_with_one_wrong_value_is_refused(tmp_path, before, after):
    assert before in SOUND
    with pytest.raises(CatalogueInvalid):
        Catalogue.load(write(tmp_path, SOUND.replace(before, after)))


def test_a_list_with_the_same_model_twice_or_no_list_at_all_is_refused(tmp_path):
    with pytest.raises(CatalogueInvalid, match="tiny"):
        Catalogue.load(write(tmp_path, SOUND + SOUND))
    with pytest.raises(CatalogueInvalid):
        Catalogue.load(tmp_path / "missing.toml")
