"""`dai models get` downloads a model and installs it."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.settings import SettingsStore
from engines.library import ModelLibrary
from engines.split_files import parts_beside
from engines.store.catalogue import Catalogue
from tests.engines.store.hub_server import HubServer, hub_server
from tests.engines.tiny_gguf import make_tiny_gguf

FILE = "owner/tiny-GGUF/Tiny-Q8_0.gguf"


@pytest.fixture
def hub(home, monkeypatch, tmp_path) -> Iterator[HubServer]:
    """The hub of the settings, with one model."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with hub_server() as server:
        SettingsStore(home.settings).change(hub_endpoint=server.hub)
        server.files[FILE] = make_tiny_gguf(tmp_path / "tiny.gguf", name="Tiny one").read_bytes()
        yield server


def parts_in(folder: Path) -> list[Path]:
    return list(folder.rglob("*.part"))


def test_a_model_of_the_hub_is_installed_and_answers(dai, hub, home):
    result = dai("models", "get", "owner/tiny-GGUF")
    assert (result.status, result.err) == (0, "")
    assert "is installed" in result.out
    assert dai("ask", "Hello?").out == "Hello from a tiny model!\n"
    assert parts_in(home.models) == []


def test_what_is_installed_already_is_not_downloaded_again(dai, hub):
    dai("models", "get", "owner/tiny-GGUF")
    bodies = len(hub.bodies)
    assert dai("models", "get", "owner/tiny-GGUF").status == 0
    assert len(hub.bodies) == bodies == 1


def test_the_wanted_quantisation_is_fetched(dai, hub, tmp_path):
    other = make_tiny_gguf(tmp_path / "other.gguf", name="Other", reply="I am the other.")
    hub.files["owner/tiny-GGUF/Tiny-Q4_K_M.gguf"] = other.read_bytes()
    assert dai("models", "get", "owner/tiny-GGUF", "--quant", "Q8_0").status == 0
    assert dai("ask", "Hello?").out == "Hello from a tiny model!\n"


def test_an_unknown_quantisation_is_refused(dai, hub):
    result = dai("models", "get", "owner/tiny-GGUF", "--quant", "Q2_K")
    assert result.status == 1
    assert "Q2_K" in result.err
    assert hub.bodies == []


def test_what_is_no_sound_model_is_removed_again(dai, hub, home):
    hub.files[FILE] = hub.files[FILE][:3000]
    result = dai("models", "get", "owner/tiny-GGUF")
    assert result.status == 1
    assert "damaged" in result.err
    assert list(home.models.rglob("*.gguf*")) == []


def test_a_split_model_is_installed_as_one_and_answers(dai, hub, tmp_path):
    first = make_tiny_gguf(tmp_path / "Big-Q8_0.gguf", reply="I am in parts.", tensors_per_part=9)
    hub.files = {f"owner/big-GGUF/{path.name}": path.read_bytes() for path in parts_beside(first)}
    result = dai("models", "get", "owner/big-GGUF")
    assert (result.status, result.err) == (0, "")
    assert dai("ask", "Hello?").out == "I am in parts.\n"


def test_a_split_model_that_is_not_whole_is_refused_before_the_download(dai, hub):
    hub.files = {"owner/big-GGUF/Big-Q8_0-00001-of-00002.gguf": b"GGUF"}
    result = dai("models", "get", "owner/big-GGUF")
    assert result.status == 1
    assert "Big-Q8_0.gguf (1/2)" in result.err
    assert hub.bodies == []


def test_a_missing_model_is_named(dai, hub):
    result = dai("models", "get", "owner/none")
    assert result.status == 1
    assert "owner/none" in result.err


def test_terms_have_to_be_accepted_once(dai, hub, home):
    gemma = next(model for model in Catalogue.load().models if model.needs_acceptance)
    file = f"{gemma.repository}/{gemma.files[0].name}"
    hub.files[file] = hub.files[FILE]
    refused = dai("models", "get", gemma.id)
    assert refused.status == 1
    assert gemma.licence.url in refused.err
    assert hub.bodies == []
    assert dai("models", "get", gemma.id, "--accept-licence").status == 0
    assert gemma.licence.url in SettingsStore(home.settings).current.licences_accepted


def test_getting_as_json_tells_the_model(dai, hub):
    got = dai("models", "get", "owner/tiny-GGUF:Q8_0", "--json").json
    assert got["download"]["state"] == "done"
    assert got["model"]["id"] == got["download"]["model_id"]
    assert got["model"]["origin"] == "downloaded"


@pytest.mark.usefixtures("persian")
def test_a_refusal_is_persian_where_the_user_is(dai, hub):
    assert "«" in dai("models", "get", "owner/none").err


@pytest.mark.slow
@pytest.mark.desktop("child processes")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_download_goes_on_where_it_stood(dai, hub, home, program, how):
    hub.faults.stall_after = 10_000
    running = program("models", "get", "owner/tiny-GGUF")
    assert hub.stalled.wait(60)
    while not any(path.stat().st_size == 10_000 for path in parts_in(home.models)):  # on its way
        assert running.poll() is None
    running.send_signal(how)
    running.communicate(timeout=30)
    assert running.returncode != 0
    hub.faults.stall_after = None
    assert dai("models", "get", "owner/tiny-GGUF").status == 0
    assert hub.bodies[-1].headers["range"] == "bytes=10000-"
    assert len(ModelLibrary(home.models).installed()) == 1
