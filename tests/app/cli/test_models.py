"""`dai models` keeps the models of this device."""

import hashlib
from pathlib import Path

import pytest

from engines.library import ModelLibrary, ModelSource
from tests.engines.tiny_gguf import make_tiny_gguf


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A model somewhere on the disk."""
    return make_tiny_gguf(tmp_path / "مدل.gguf", name="Tiny one")


def test_an_added_model_is_listed_and_answers(dai, file):
    assert dai("models", "add", file).out == "Tiny one is installed.\n"
    first, second = dai("models", "list").out.splitlines()
    assert first.startswith("* Tiny one · F16 · ")
    assert first.endswith(" of memory · Fits")
    assert second == "    sideloaded:مدل"
    assert dai("ask", "Hello?").out == "Hello from a tiny model!\n"


def test_adding_as_json_tells_the_id(dai, file):
    added = dai("models", "add", file, "--json").json
    assert (added["id"], added["name"], added["origin"]) == ("sideloaded:مدل", "Tiny one", "sideloaded")


@pytest.mark.parametrize("command", [["models", "--json"], ["models", "list", "--json"]])
def test_the_list_as_json_tells_sound_and_broken_models(dai, file, home, command):
    dai("models", "add", file)
    (home.models / "broken.gguf").write_bytes(file.read_bytes()[:1000])
    result = dai(*command)
    assert (result.status, result.err) == (0, "")
    [entry] = result.json["models"]
    assert (entry["model"]["name"], entry["fit"], entry["chosen"]) == ("Tiny one", "fits", True)
    assert entry["memory_bytes"] > 0
    assert [broken["error"] for broken in result.json["broken"]] == ["ModelFileDamaged"]


def test_a_linked_model_is_used_where_it_is_and_survives_its_removal(dai, file, home):
    dai("models", "add", "--link", file)
    assert list(home.models.glob("*.gguf")) == []
    assert dai("models", "remove", "tiny ONE").out == "Removed, 0 bytes freed.\n"
    assert file.exists()


def test_a_removed_model_frees_its_bytes(dai, file, home):
    dai("models", "add", file)
    assert dai("models", "remove", "Tiny one").out == "Removed, 668 kB freed.\n"
    assert list(home.models.glob("*.gguf")) == []


def test_the_model_in_use_is_marked(dai, tmp_path):
    for name in ("Alpha", "Beta"):
        dai("models", "add", make_tiny_gguf(tmp_path / f"{name}.gguf", name=name, reply=f"I am {name}."))
    assert dai("models", "use", "sideloaded:Beta").out == "Beta answers from now on.\n"
    assert [line[:7] for line in dai("models").out.splitlines()[::2]] == ["  Alpha", "* Beta "]
    assert dai("ask", "Who are you?").out == "I am Beta.\n"


def test_one_of_several_models_of_the_same_name_is_chosen_by_its_id(dai, tmp_path):
    for stem in ("a", "b"):
        dai("models", "add", make_tiny_gguf(tmp_path / f"{stem}.gguf", name="Twin", reply=f"I am {stem}."))
    result = dai("models", "use", "Twin")
    assert result.status == 1
    assert result.err == (
        "Several models are called “Twin”. Choose one by its id: sideloaded:a, sideloaded:b\n"
    )
    assert dai("models", "use", "sideloaded:b").status == 0


def test_a_smaller_copy_is_told_by_its_format(dai, tmp_path):
    dai("models", "add", make_tiny_gguf(tmp_path / "tiny.gguf", name="Tiny"))
    dai("models", "compress", "Tiny", "--to", "Q8_0")
    assert dai("models", "use", "Tiny").status == 1
    assert dai("models", "use", "tiny q8_0").status == 0
    assert [line[:2] for line in dai("models").out.splitlines() if "Q8_0 ·" in line] == ["* "]
    assert dai("models", "use", "Tiny F16").status == 0


def test_a_base_model_is_said_to_be_one(dai, tmp_path):
    dai("models", "add", make_tiny_gguf(tmp_path / "base.gguf", name="Base", chat_template=None))
    assert "Base model: it cannot hold a conversation" in dai("models").out


def test_a_broken_file_is_named_and_can_be_removed(dai, home):
    (home.models / "notes.gguf").write_text("Buy milk.")
    result = dai("models")
    assert result.out == "! notes.gguf · The file is not a GGUF model.\n"
    assert "Add one with: dai models add FILE" in result.err
    assert dai("models", "remove", "notes.gguf").out == "Removed, 9 bytes freed.\n"
    assert list(home.models.glob("*.gguf")) == []


def test_a_model_that_came_with_the_app_stays(dai, model, home, monkeypatch):
    monkeypatch.setattr("engines.library.InstalledModel.removable", False)
    model("Hello.")
    result = dai("models", "remove", "scripted")
    assert (result.status, result.err) == (1, "“scripted” came with the app and cannot be removed.\n")
    assert len(ModelLibrary(home.models).installed()) == 1


@pytest.mark.parametrize("command", ["use", "remove"])
def test_an_unknown_model_is_refused(dai, command):
    result = dai("models", command, "none")
    assert (result.status, result.out) == (1, "")
    assert result.err == "No installed model has the name or id “none”. See: dai models\n"


def test_what_is_no_model_is_not_installed(dai, tmp_path, file):
    text = tmp_path / "text.gguf"
    text.write_text("Buy milk.")
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(file.read_bytes()[:-100])
    errors = {path.name: dai("models", "add", path).err for path in (text, cut, tmp_path / "gone.gguf")}
    assert errors == {
        "text.gguf": "“text.gguf” is not a GGUF model.\n",
        "cut.gguf": "“cut.gguf” is damaged or incomplete. Download it again.\n",
        "gone.gguf": f"There is no such file: {tmp_path / 'gone.gguf'}\n",
    }
    assert dai("models", "--json").json == {"models": [], "servers": [], "broken": []}


def test_errors_are_persian_where_the_user_is(dai, persian, tmp_path):
    result = dai("models", "add", tmp_path / "gone.gguf")
    assert result.err.startswith("چنین فایلی نیست: \u2068")


def test_a_downloaded_file_is_verified(dai, home, file):
    content = file.read_bytes()
    source = ModelSource("owner/name", "c0ffee", "m.gguf", len(content), hashlib.sha256(content).hexdigest())
    sound = ModelLibrary(home.models).adopt(file, "sound", source)
    told = dai("models", "verify", "sound", "--json").json
    assert (told["model"]["id"], told["known"], told["sha256"]) == (sound.id, True, source.sha256)
    assert dai("models", "verify", "sound").out.endswith(" is what was downloaded.\n")

    content = bytearray(content)
    content[-1000] ^= 1
    sound.path.write_bytes(content)
    result = dai("models", "verify", "sound")
    assert (result.status, result.out) == (1, "")
    assert "is not what was downloaded any more" in result.err


def test_of_a_file_that_nobody_downloaded_the_hash_is_told(dai, home, file):
    ModelLibrary(home.models).add(file)
    result = dai("models", "verify", file.stem)
    assert result.status == 0
    assert hashlib.sha256(file.read_bytes()).hexdigest() in result.out
