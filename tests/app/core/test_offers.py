"""What is recommended follows from this device's memory and the language of the app."""

from __future__ import annotations

import pytest

from app.core.licences import LicenceKind, licence_kind, terms_of
from app.core.offers import FileOffer, Memory, about_sizes, file_offers, offers
from engines.memory import MemoryFit, about_memory
from engines.store.catalogue import Catalogue
from engines.store.hub import HubFile, HubModel, HubModelDetails

GIB = 1 << 30
CATALOGUE = Catalogue.load()


def best(gib: float, language: str = "en") -> str | None:
    found = offers(CATALOGUE, Memory(int(gib * GIB), 4096), language)
    return found[0].model.id if found[0].best else None


def hub_model(parameters: int = 0, **values: object) -> HubModel:
    told = {"downloads": 0, "likes": 0, "gated": False, "licence": "", "languages": ()}
    return HubModel("maker/name", parameters=parameters, **(told | values))


def details(*sizes: tuple[str, float | None], parameters: int = 4_000_000_000) -> HubModelDetails:
    files = tuple(
        HubFile(f"m-{label}.gguf", None if size is None else int(size * 1e9), None, label, 1)
        for label, size in sizes
    )
    return HubModelDetails(hub_model(parameters), "c0ffee", files)


# Layers, key-value heads, components of a key and a value together, and entries of the vocabulary: from the
# models' own config.json.
SHAPES = {
    "gemma-3-4b": (34, 4, 512, 262_144),
    "gemma-3-12b": (48, 8, 512, 262_144),
    "gemma-3-1b": (26, 1, 512, 262_144),
    "gemma-2-2b": (26, 4, 512, 256_000),
    "qwen3-4b": (36, 8, 256, 151_936),
    "qwen3-1.7b": (28, 8, 256, 151_936),
    "qwen2.5-7b": (28, 4, 256, 152_064),
    "qwen2.5-0.5b": (24, 2, 128, 151_936),
    "llama-3.1-8b": (32, 8, 256, 128_256),
    "llama-3.2-3b": (28, 8, 256, 128_256),
    "smollm2-360m": (32, 5, 128, 49_152),
    "phi-3.5-mini": (32, 32, 192, 32_064),
}


@pytest.mark.parametrize("id", SHAPES)
def test_the_rough_need_is_near_the_exact_one(id: str) -> None:
    model = CATALOGUE.get(id)
    assert model is not None
    layers, heads, components, vocabulary = SHAPES[id]
    file = model.files[0].about_bytes
    exact = file + layers * heads * components * 2 * 4096 + (65 << 20) + 240 * vocabulary
    assert about_memory(file, model.parameters, 4096) == pytest.approx(exact, rel=0.33)


def test_the_same_list_stands_in_another_order_on_every_device() -> None:
    small = offers(CATALOGUE, Memory(2 * GIB, 4096), "en")
    assert {offer.model.id for offer in small} == {model.id for model in CATALOGUE.models}
    fits = [offer.fit for offer in small]
    assert fits == sorted(fits, key=list(MemoryFit).index)
    assert [offer.best for offer in small].count(True) == 1


def test_the_first_choice_fits_and_is_no_larger_than_what_writes_quickly() -> None:
    for gib in (1, 2, 3, 4, 6, 8, 16, 64, 256):
        model = CATALOGUE.get(best(gib) or "")
        assert model is not None
        assert model.parameters < 5e9
        assert not model.gated
        assert about_memory(model.files[-1].about_bytes, 0, 512) < gib * GIB * 2


def test_in_persian_the_grade_decides_among_what_fits() -> None:
    grades = ["good", "fair", "weak", "none"]
    for gib in (1, 2, 4, 8, 64):
        found = offers(CATALOGUE, Memory(gib * GIB, 4096), "fa")
        quick = [one for one in found if one.fit is MemoryFit.FITS and one.model.parameters < 5e9]
        first = grades.index(found[0].model.persian)
        assert first == min(grades.index(one.model.persian) for one in quick)


def test_where_nothing_fits_nothing_is_called_the_best() -> None:
    assert best(0.05) is None


def test_a_larger_window_needs_more_memory() -> None:
    few, many = (offers(CATALOGUE, Memory(8 * GIB, tokens), "en")[0] for tokens in (2048, 32768))
    same = next(one for one in offers(CATALOGUE, Memory(8 * GIB, 32768), "en") if one.model is few.model)
    assert same.needed_bytes > few.needed_bytes
    assert many.fit is not MemoryFit.TOO_LARGE


@pytest.mark.parametrize(
    ("gib", "label"),
    [(64, "Q4_K_M"), (4, "Q4_K_M"), (2.7, "Q2_K"), (1, None)],
)
def test_the_usual_file_is_the_best_where_it_fits(gib: float, label: str | None) -> None:
    told = details(("Q2_K", 1.5), ("Q4_K_M", 2.4), ("Q8_0", 4.2), ("F16", 8.0))
    found = file_offers(told, Memory(int(gib * GIB), 4096))
    assert next((one.file.quantisation for one in found if one.best), None) == label
    assert found[0].best == (label is not None)
    rest = [one.file.bytes for one in found[1:]]
    assert rest == sorted(rest)


def test_of_a_small_model_eight_bits_are_the_best() -> None:
    told = details(("Q4_K_M", 0.3), ("Q8_0", 0.5), parameters=500_000_000)
    assert file_offers(told, Memory(8 * GIB, 4096))[0].file.quantisation == "Q8_0"


def test_the_catalogue_decides_for_its_own_models() -> None:
    model = CATALOGUE.get("qwen3-1.7b")
    assert model is not None
    told = details(("Q4_K_M", 1.2), (model.files[0].quantisation, 1.8))
    assert file_offers(told, Memory(8 * GIB, 4096), model)[0].file.quantisation == "Q8_0"


def test_a_file_of_unknown_size_is_listed_without_a_judgement() -> None:
    [offer] = file_offers(details(("Q4_K_M", None)), Memory(8 * GIB, 4096))
    assert offer == FileOffer(offer.file, None, None)


def test_sizes_are_guessed_from_parameters_and_labels() -> None:
    smallest, largest = about_sizes(hub_model(4_000_000_000, quantisations=("Q8_0", "IQ2_XS", "BF16"))) or (
        0,
        0,
    )
    assert smallest == pytest.approx(1.2e9, rel=0.1)
    assert largest == 8_000_000_000
    assert about_sizes(hub_model(0, quantisations=("Q8_0",))) is None
    assert about_sizes(hub_model(7)) is None


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("apache-2.0", LicenceKind.OPEN),
        ("MIT", LicenceKind.OPEN),
        ("cc-by-4.0", LicenceKind.OPEN),
        ("gemma", LicenceKind.TERMS),
        ("llama3.1", LicenceKind.TERMS),
        ("cc-by-nc-4.0", LicenceKind.NOT_COMMERCIAL),
        ("cc-by-nc-sa-4.0", LicenceKind.NOT_COMMERCIAL),
        ("other", LicenceKind.UNKNOWN),
        ("", LicenceKind.UNKNOWN),
    ],
)
def test_a_licence_is_told_by_what_it_allows(tag: str, kind: LicenceKind) -> None:
    assert licence_kind(tag) is kind
    assert (terms_of(tag) is not None) == (kind is LicenceKind.TERMS)


def test_the_terms_of_the_catalogue_are_those_of_the_hub() -> None:
    """So they are accepted once, wherever the model comes from."""
    known = {terms.url for tag in ("gemma", "llama3", "llama3.1", "llama3.2") if (terms := terms_of(tag))}
    assert {model.licence.url for model in CATALOGUE.models if model.needs_acceptance} <= known
