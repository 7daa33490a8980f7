"""What somebody names or chooses becomes an order of exactly one file, under terms that were accepted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.core.errors import LicenceNotAccepted
from app.core.secrets import Secrets
from app.core.settings import SettingsStore
from app.core.store import Store
from engines.errors import (
    HubAddressInvalid,
    HubFileChanged,
    HubFileMissing,
    HubUnreachable,
    QuantisationMissing,
)
from engines.store.catalogue import Catalogue
from tests.engines.store.hub_server import HubServer, hub_server

GEMMA = "gemma-3-1b"


@pytest.fixture
def server() -> Iterator[HubServer]:
    with hub_server() as running:
        for name in ("tiny-Q8_0.gguf", "tiny-Q4_K_M.gguf", "tiny-F16.gguf", "mmproj-F16.gguf", "notes.txt"):
            running.files[f"owner/name/{name}"] = name.encode()
        yield running


@pytest.fixture
def settings(tmp_path: Path, server: HubServer) -> SettingsStore:
    settings = SettingsStore(tmp_path / "settings.json")
    settings.change(hub_endpoint=server.hub)
    return settings


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return Secrets({"HF_HOME": str(tmp_path)}, lambda: None)


@pytest.fixture
def store(settings: SettingsStore, secrets: Secrets) -> Store:
    return Store(settings, secrets)


def recommended(server: HubServer, id: str) -> str:
    """Puts a model of the catalogue on the hub, and returns its repository."""
    model = Catalogue.load().get(id)
    for file in model.files:
        server.files[f"{model.repository}/{file.name}"] = file.name.encode()
    return model.repository


async def test_without_a_word_on_it_the_usual_quantisation_is_taken(store, server):
    order = await store.order("owner/name")
    content = server.files["owner/name/tiny-Q4_K_M.gguf"]
    assert (order.file, order.bytes) == ("tiny-Q4_K_M.gguf", len(content))
    assert order.sha256 == hashlib.sha256(content).hexdigest()
    assert (order.commit, order.branch, order.name) == (server.commit, "main", "tiny")


@pytest.mark.parametrize(
    ("reference", "choice", "file"),
    [
        ("owner/name:Q8_0", {}, "tiny-Q8_0.gguf"),
        ("owner/name:q8-0", {}, "tiny-Q8_0.gguf"),
        ("owner/name", {"quantisation": "f16"}, "tiny-F16.gguf"),
        ("owner/name", {"file": "tiny-Q8_0.gguf"}, "tiny-Q8_0.gguf"),
        ("https://huggingface.co/owner/name/blob/main/tiny-F16.gguf", {}, "tiny-F16.gguf"),
    ],
)
async def test_a_file_can_be_named_in_many_ways(store, reference, choice, file):
    assert (await store.order(reference, **choice)).file == file


@pytest.mark.parametrize(
    ("choice", "wanted"), [({"quantisation": "Q2_K"}, "Q2_K"), ({"file": "notes.txt"}, "notes.txt")]
)
async def test_a_file_that_is_not_there_is_refused(store, choice, wanted):
    with pytest.raises(QuantisationMissing) as refused:
        await store.order("owner/name", **choice)
    assert (refused.value.name, refused.value.wanted) == ("owner/name", wanted)


async def test_a_repository_without_models_is_refused(store, server):
    server.files["owner/empty/README.md"] = b"x"
    with pytest.raises(HubFileMissing):
        await store.order("owner/empty")
    with pytest.raises(HubFileMissing):
        await store.order("owner/none")


async def test_what_names_no_model_asks_nobody(store, server):
    with pytest.raises(HubAddressInvalid):
        await store.order("gemma")
    assert server.seen == []


async def test_a_model_in_parts_is_one_order_of_all_of_them(store, server):
    for part in (3, 1, 2):
        server.files[f"owner/big/big-Q8_0-0000{part}-of-00003.gguf"] = bytes(part)
    [file] = (await store.details("owner/big")).files
    assert (file.parts, file.bytes, file.complete) == (3, 6, True)
    order = await store.order("owner/big")
    assert (order.file, order.bytes, order.sha256) == ("big-Q8_0.gguf", 6, file.sha256)
    assert [(part.file[-21:], part.bytes) for part in order.parts] == [
        ("0-00001-of-00003.gguf", 1),
        ("0-00002-of-00003.gguf", 2),
        ("0-00003-of-00003.gguf", 3),
    ]
    assert order.parts[0].sha256 == hashlib.sha256(bytes(1)).hexdigest()
    assert await store.order("owner/big/big-Q8_0-00002-of-00003.gguf") == order
    assert server.bodies == []


async def test_a_model_of_which_the_hub_lacks_a_part_is_refused(store, server):
    for part in (1, 3):
        server.files[f"owner/big/big-Q8_0-0000{part}-of-00003.gguf"] = bytes(part)
    with pytest.raises(HubFileMissing) as refused:
        await store.order("owner/big")
    assert "big-Q8_0.gguf (2/3)" in refused.value.name


async def test_a_whole_file_is_preferred_to_one_in_parts(store, server):
    server.files["owner/mixed/m-Q4_K_M-00001-of-00001.gguf"] = b"whole after all"
    server.files["owner/mixed/m-Q4_0-00001-of-00002.gguf"] = b"1"
    server.files["owner/mixed/m-Q4_0-00002-of-00002.gguf"] = b"2"
    assert (await store.order("owner/mixed")).bytes == len(b"whole after all")


async def test_a_licence_of_its_own_terms_is_known_by_its_name_on_the_hub(store, server):
    server.files["somebody/Merged-GGUF/m-Q4_0.gguf"] = b"x"
    server.models["somebody/Merged-GGUF"] = {"tags": ["license:llama3.2"]}
    with pytest.raises(LicenceNotAccepted) as refused:
        await store.order("somebody/Merged-GGUF")
    assert "Llama 3.2" in refused.value.name
    store.accept(store.licence_to_accept("somebody/Merged-GGUF", "llama3.2"))
    assert (await store.order("somebody/Merged-GGUF")).file == "m-Q4_0.gguf"


async def test_terms_are_accepted_once_for_all_models_that_have_them(store, server, settings, secrets):
    repository = recommended(server, GEMMA)
    other = recommended(server, "gemma-3-4b")
    with pytest.raises(LicenceNotAccepted) as refused:
        await store.order(GEMMA)
    licence = store.licence_to_accept(repository)
    assert (refused.value.name, refused.value.url) == (licence.name, licence.url)
    store.accept(licence)
    store.accept(licence)
    assert settings.current.licences_accepted == (licence.url,)
    again = Store(settings, secrets)
    assert (await again.order(GEMMA)).repository == repository
    assert again.licence_to_accept(other) is None


async def test_terms_hold_however_the_model_is_named(store, server):
    repository = recommended(server, GEMMA)
    for reference in (repository, repository.upper(), f"https://huggingface.co/{repository}"):
        server.models[repository.upper()] = {}
        with pytest.raises((LicenceNotAccepted, HubFileMissing)):
            await store.order(reference)


async def test_a_model_of_the_catalogue_brings_its_first_file_and_its_name(store, server):
    recommended(server, "smollm2-360m")
    order = await store.order("SmolLM2-360M")
    assert (order.file, order.name) == ("SmolLM2-360M-Instruct-Q4_K_M.gguf", "SmolLM2 360M Instruct")


async def test_a_pinned_hash_of_the_catalogue_goes_before_what_the_hub_says(store, server):
    recommended(server, "smollm2-360m")
    model = store.catalogue.get("smollm2-360m")
    pinned = tuple(msgspec.structs.replace(file, sha256="0" * 64) for file in model.files)
    store.catalogue = Catalogue((msgspec.structs.replace(model, files=pinned),))
    with pytest.raises(HubFileChanged):
        await store.order("smollm2-360m")


async def test_a_search_sends_the_token_to_the_hub_and_shows_what_is_gated(store, server, secrets):
    secrets.keep("hf_secret", server.hub)
    server.models["owner/name"] = {"downloads": 7, "gated": "manual", "tags": ["gguf", "fa", "license:mit"]}
    [hit] = await store.search("tiny")
    assert (hit.repository, hit.gated, hit.licence, hit.languages) == ("owner/name", True, "mit", ("fa",))
    assert server.seen[0].headers["authorization"] == "Bearer hf_secret"
    assert server.seen[0].headers["user-agent"].startswith("dai-chat/")


async def test_a_mirror_that_is_chosen_is_asked_at_once(store, settings):
    settings.change(hub_endpoint="http://127.0.0.1:9")
    with pytest.raises(HubUnreachable):
        await store.search("tiny")
