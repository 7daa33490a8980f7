"""Models of other programs: found where those keep them, whatever else lies there."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path

import pytest

from engines.library import ModelLibrary, ModelSource, program_files, starter
from engines.library import found as looking
from engines.library.found import FoundModel, ModelFinder
from tests.engines.test_gguf import write_model
from tests.engines.tiny_gguf import make_tiny_gguf

HASH = "ab" * 32


@pytest.fixture(autouse=True)
def no_starter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def find(home: Path, platform: str = "linux", **environment: str) -> list[FoundModel]:
    return ModelFinder(platform=platform, home=home, environment=environment).find()


def model(path: Path, **properties: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return make_tiny_gguf(path, **properties)


def hub_model(cache: Path, repository: str, file: str, blob: str = HASH, **properties: object) -> Path:
    folder = cache / f"models--{repository.replace('/', '--')}"
    model(folder / "blobs" / blob, **properties)
    link = folder / "snapshots" / "0123abcd" / file
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(os.path.relpath(folder / "blobs" / blob, link.parent))
    return link


def ollama_model(folder: Path, name: str, digest: str = HASH, **properties: object) -> Path:
    blob = model(folder / "blobs" / f"sha256-{digest}", **properties)
    manifest = folder / "manifests" / "registry.ollama.ai" / name
    manifest.parent.mkdir(parents=True, exist_ok=True)
    layers = [
        {"mediaType": "application/vnd.ollama.image.license", "digest": f"sha256:{'00' * 32}", "size": 1},
        {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": 2},
    ]
    manifest.write_text(json.dumps({"schemaVersion": 2, "config": {}, "layers": layers}))
    return blob


def test_each_program_is_looked_for_where_it_keeps_its_models(home: Path) -> None:
    paths = {
        "Hugging Face": hub_model(home / ".cache/huggingface/hub", "org/Tiny-GGUF", "q/tiny.gguf", reply="a"),
        "LM Studio": model(home / ".lmstudio/models/someone/Tiny/tiny.gguf", reply="bb"),
        "Ollama": ollama_model(home / ".ollama/models", "library/tiny/0.6b", "cd" * 32, reply="ccc"),
        "GPT4All": model(home / ".local/share/nomic.ai/GPT4All/tiny.gguf", reply="dddd"),
        "Jan": model(home / ".local/share/Jan/data/llamacpp/models/tiny-jan/model.gguf", reply="eeeee"),
        "llama.cpp": model(home / ".cache/llama.cpp/org_tiny.gguf", reply="ffffff"),
    }

    found = {one.program: one for one in find(home)}

    assert {program: one.path for program, one in found.items()} == paths
    names = {program: one.known_as for program, one in found.items()}
    assert names == {
        "Hugging Face": "org/Tiny-GGUF",
        "LM Studio": "someone/Tiny",
        "Ollama": "tiny:0.6b",
        "GPT4All": "",
        "Jan": "tiny-jan",
        "llama.cpp": "",
    }
    assert found["Ollama"].bytes == paths["Ollama"].stat().st_size
    assert found["Ollama"].architecture == "qwen3"
    assert "sha256" not in found["Ollama"].name


@pytest.mark.parametrize(
    ("platform", "folder", "variables"),
    [
        ("darwin", "Library/Application Support/nomic.ai/GPT4All", {}),
        ("win32", "Local/nomic.ai/GPT4All", {"LOCALAPPDATA": "Local"}),
        ("win32", "Roaming/Jan/data/llamacpp/models/a", {"APPDATA": "Roaming"}),
        ("linux", "elsewhere/models--o--n/snapshots/1", {"HF_HUB_CACHE": "elsewhere"}),
        ("linux", "elsewhere/hub/models--o--n/snapshots/1", {"HF_HOME": "elsewhere"}),
    ],
)
def test_folders_follow_the_system_and_its_variables(home, platform, folder, variables) -> None:
    path = model(home / folder / "tiny.gguf")

    found = find(home, platform, **{name: str(home / value) for name, value in variables.items()})

    assert [one.path for one in found] == [path]


def test_a_variable_that_is_no_absolute_path_is_passed_over(home: Path, monkeypatch) -> None:
    model(home / "here" / "models--o--n" / "snapshots" / "1" / "tiny.gguf")
    monkeypatch.chdir(home)

    assert find(home, HF_HUB_CACHE="here") == []


@pytest.mark.parametrize("platform", ["android", "ios"])
def test_on_phones_there_is_nothing_to_find(home: Path, platform: str) -> None:
    model(home / ".lmstudio/models/a/b/tiny.gguf")

    assert not ModelFinder(platform=platform, home=home).possible
    assert find(home, platform) == []


def test_what_is_installed_is_left_out_however_it_came_here(home: Path, tmp_path: Path) -> None:
    studio = home / ".lmstudio/models/a/b"
    linked = model(studio / "linked.gguf", reply="one")
    copied = model(studio / "copied.gguf", reply="two 2")
    fresh = model(studio / "fresh.gguf", reply="three")
    downloaded = hub_model(home / ".cache/huggingface/hub", "org/name", "x.gguf", reply="four")
    library = ModelLibrary(tmp_path / "models")
    library.add(linked, link=True)
    library.add(copied)
    arrived = tmp_path / "models" / "arrived"
    shutil.copy(model(tmp_path / "other.gguf", reply="of the same hash"), arrived)
    source = ModelSource("org/name", "c0ffee", "x.gguf", arrived.stat().st_size, HASH)
    library.adopt(arrived, "arrived", source)

    found = ModelFinder(platform="linux", home=home, environment={}).find(library.installed())

    assert [one.path for one in found] == [fresh]
    assert downloaded.exists()


def test_the_same_model_of_two_programs_is_listed_once(home: Path) -> None:
    first = hub_model(home / ".cache/huggingface/hub", "org/name", "x.gguf", reply="same")
    ollama_model(home / ".ollama/models", "library/name/latest", HASH, reply="same")
    copy = home / ".lmstudio/models/a/b/x.gguf"
    copy.parent.mkdir(parents=True)
    shutil.copy(first, copy)

    assert [one.path for one in find(home)] == [first]


def test_another_model_of_the_same_size_is_another_model(home: Path) -> None:
    one = model(home / ".lmstudio/models/a/one.gguf", reply="abc")
    two = model(home / ".lmstudio/models/b/two.gguf", reply="abd")
    assert one.stat().st_size == two.stat().st_size

    assert {found.path for found in find(home)} == {one, two}


def test_what_is_no_model_to_use_is_passed_over(home: Path) -> None:
    studio = home / ".lmstudio/models/a/b"
    good = model(studio / "good.gguf")
    (studio / "page.gguf").write_text("<html>")
    (studio / "empty.gguf").touch()
    whole = good.read_bytes()
    (studio / "half.gguf").write_bytes(whole[: len(whole) // 2])
    (studio / "folder.gguf").mkdir()
    (studio / "notes.txt").write_text("notes")
    (studio / "gone.gguf").symlink_to(studio / "nowhere")

    assert [one.path for one in find(home)] == [good]


def test_embedding_models_are_found_too(home: Path) -> None:
    path = home / ".lmstudio/models/a/embed.gguf"
    path.parent.mkdir(parents=True)
    write_model(path, "bert", pooling=1)

    [found] = find(home)

    assert found.kind == "embedding_model"


def test_links_out_of_a_programs_folder_are_not_followed(home: Path, tmp_path: Path) -> None:
    secret = model(tmp_path / "secret" / "tiny.gguf")
    studio = home / ".lmstudio/models/a"
    studio.mkdir(parents=True)
    (studio / "file.gguf").symlink_to(secret)
    (studio / "folder").symlink_to(secret.parent)
    (studio / "round").symlink_to(studio)
    cache = home / ".cache/huggingface/hub"
    snapshot = cache / "models--o--n" / "snapshots" / "1"
    snapshot.mkdir(parents=True)
    (snapshot / "tiny.gguf").symlink_to(secret)
    (cache / "models--x--y").symlink_to(secret.parent)

    assert find(home) == []


def naming(digest: str) -> bytes:
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": digest}
    return json.dumps({"layers": [layer]}).encode()


@pytest.mark.parametrize(
    "manifest",
    [
        b"not json",
        b"[" * 100_000,
        b"{}",
        b'{"layers": 7}',
        naming("sha256:../../secret"),
        naming("../../../secret"),
        naming(f"sha256:{'e' * 64}"),
        b" " * (2 << 20),
    ],
    ids=["no JSON", "too deep", "empty", "wrong type", "a path", "another path", "no such blob", "huge"],
)
def test_a_hostile_manifest_finds_nothing(home: Path, manifest: bytes) -> None:
    ollama = home / ".ollama/models"
    model(ollama / "secret")
    path = ollama / "manifests/registry.ollama.ai/library/bad/latest"
    path.parent.mkdir(parents=True)
    path.write_bytes(manifest)
    good = ollama_model(ollama, "someone/good/latest")

    [found] = find(home)

    assert (found.path, found.known_as) == (good, "someone/good:latest")


@pytest.mark.desktop("named pipes")
def test_a_pipe_does_not_stop_the_search(home: Path) -> None:
    good = model(home / ".lmstudio/models/a/good.gguf")
    os.mkfifo(good.with_name("pipe.gguf"))

    assert [one.path for one in find(home)] == [good]


def test_a_huge_tree_is_looked_through_only_so_far(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_files, "_MOST_ENTRIES", 60)
    for number in range(50):
        model(home / ".lmstudio/models" / f"{number:02}" / "x.gguf", reply=f"{number:02}")

    assert 0 < len(find(home)) <= 10


def test_a_search_can_be_ended(home: Path) -> None:
    model(home / ".lmstudio/models/a/good.gguf")
    stop = threading.Event()
    stop.set()

    assert ModelFinder(platform="linux", home=home, environment={}).find(stop=stop) == []


def test_headers_are_read_again_only_when_a_file_has_changed(home: Path, monkeypatch) -> None:
    path = model(home / ".lmstudio/models/a/good.gguf", reply="one")
    finder = ModelFinder(platform="linux", home=home, environment={})
    read: list[Path] = []
    real = looking.read_header
    monkeypatch.setattr(looking, "read_header", lambda path: read.append(path) or real(path))

    finder.find()
    finder.find()
    model(path, reply="a longer answer")
    finder.find()

    assert read == [path, path]


def test_nothing_of_another_program_is_changed(home: Path, tmp_path: Path) -> None:
    blob = ollama_model(home / ".ollama/models", "library/tiny/latest", reply="Hello.")
    before = sorted((path, path.lstat().st_mtime_ns) for path in home.rglob("*"))
    library = ModelLibrary(tmp_path / "models")
    [found] = find(home)

    used = library.add(found.path, link=True)
    library.remove(used.id)

    assert blob.exists()
    assert sorted((path, path.lstat().st_mtime_ns) for path in home.rglob("*")) == before


def test_a_model_in_parts_is_found_once_and_only_whole(home: Path, tmp_path: Path) -> None:
    folder = home / ".lmstudio/models/a/b"
    folder.mkdir(parents=True)
    first = make_tiny_gguf(folder / "Tiny-1B-F16.gguf", reply="In parts.", tensors_per_part=9)
    parts = sorted(folder.iterdir())

    [found] = find(home)

    assert (found.path, found.bytes) == (first, sum(part.stat().st_size for part in parts))
    outside = parts[-1].rename(tmp_path / parts[-1].name)
    assert find(home) == []
    parts[-1].symlink_to(outside)
    assert find(home) == [], "a part must not lie elsewhere"
