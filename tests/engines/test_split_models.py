"""A model that was split into several files is one model: read, installed, loaded and removed together."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engines.compression import compress
from engines.errors import ModelFileDamaged, ModelPartMissing, NotEnoughDiskSpace
from engines.gguf import read_header
from engines.library import ModelLibrary, ModelSource, Origin, model_library
from engines.library import copying as library_copying
from engines.opening import open_engine
from engines.split_files import content_hash, part_name, part_names, parts_beside
from tests.engines.asking import ask
from tests.engines.tiny_gguf import make_tiny_gguf


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """The first of three parts."""
    folder = tmp_path / "here"
    folder.mkdir()
    return make_tiny_gguf(folder / "Tiny-1B-F16.gguf", reply="I am in parts.", tensors_per_part=9)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelLibrary:
    monkeypatch.setattr(model_library, "find_starter", lambda: None)
    return ModelLibrary(tmp_path / "models")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".gguf")


@pytest.mark.parametrize(
    "host", ["thread", pytest.param("process", marks=pytest.mark.desktop("child processes"))]
)
async def test_a_split_model_is_loaded_by_its_first_part_and_answers(first: Path, host) -> None:
    engine = await open_engine(first, host=host)
    try:
        assert (await ask(engine)).text == "I am in parts."
    finally:
        await engine.close()


def test_the_header_tells_of_all_parts_whichever_is_named(first: Path, tmp_path: Path) -> None:
    whole = read_header(make_tiny_gguf(tmp_path / "Tiny-1B-F16.gguf", reply="I am in parts."))
    parts = parts_beside(first)
    for part in parts:
        header = read_header(part)
        assert (header.path, header.paths, header.file_parts) == (first, parts, 3)
        assert header.file_bytes == sum(path.stat().st_size for path in parts)
        assert (header.tensor_count, header.tensor_bytes) == (whole.tensor_count, whole.tensor_bytes)
        assert (header.parameters, header.quantisation) == (whole.parameters, whole.quantisation)
        assert header.name == whole.name == "Tiny 1B"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_missing_part_is_told_by_its_name(first: Path, number: int) -> None:
    parts = parts_beside(first)
    parts[number - 1].unlink()
    with pytest.raises(ModelPartMissing) as missing:
        read_header(parts[number % 3])
    assert missing.value.name == parts[number - 1].name


def test_a_part_under_another_name_is_told(first: Path) -> None:
    renamed = first.rename(first.with_name("model.gguf"))
    with pytest.raises(ModelPartMissing):
        read_header(renamed)


def test_parts_of_different_models_are_told(first: Path, tmp_path: Path) -> None:
    other = make_tiny_gguf(tmp_path / "Tiny-1B-F16.gguf", architecture="gemma3", tensors_per_part=10)
    parts, others = parts_beside(first), parts_beside(other)
    assert len(parts) == len(others)
    shutil.copy(others[1], parts[1])
    with pytest.raises(ModelFileDamaged):
        read_header(first)
    shutil.copy(parts[0], parts[1])
    with pytest.raises(ModelFileDamaged) as damaged:
        read_header(first)
    assert damaged.value.name == parts[1].name


def test_a_cut_part_is_damaged(first: Path) -> None:
    last = parts_beside(first)[-1]
    last.write_bytes(last.read_bytes()[:-40])
    with pytest.raises(ModelFileDamaged) as damaged:
        read_header(first)
    assert damaged.value.name == last.name


def test_parts_are_installed_as_one_model_and_removed_together(library: ModelLibrary, first: Path) -> None:
    size = sum(path.stat().st_size for path in parts_beside(first))
    told: list[tuple[int, int]] = []
    model = library.add(parts_beside(first)[1], progress=lambda done, total: told.append((done, total)))
    assert library.installed() == [model]
    assert (model.bytes, model.parts, model.origin) == (size, 3, Origin.SIDELOADED)
    assert told[-1] == (size, size)
    assert names(model.path.parent) == names(first.parent)
    assert library.add(first) == model, "it is here already"
    assert library.remove(model.id) == size
    assert names(model.path.parent) == []
    assert len(names(first.parent)) == 3, "what was copied stays where it was"


def test_another_model_of_the_same_name_keeps_its_own_parts(library: ModelLibrary, first: Path) -> None:
    library.add(first)
    again = first.parent / "again"
    again.mkdir()
    other = library.add(make_tiny_gguf(again / "Tiny-1B-F16.gguf", reply="Another one.", tensors_per_part=9))
    assert other.path.name == "Tiny-1B-F16 (2)-00001-of-00003.gguf"
    assert len(library.installed()) == 2
    assert library.broken() == []


def test_linked_parts_stay_where_they_are(library: ModelLibrary, first: Path) -> None:
    model = library.add(first, link=True)
    assert (library.installed(), model.origin) == ([model], Origin.LINKED)
    assert library.remove(model.id) == 0
    assert len(names(first.parent)) == 3


def test_parts_lying_in_the_folder_are_one_model(library: ModelLibrary, first: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    for part in parts_beside(first):
        shutil.copy(part, folder)
    [model] = library.installed()
    assert model.parts == 3
    parts_beside(model.path)[1].unlink()
    assert library.installed() == []
    [(path, error)] = library.broken()
    assert (path, type(error)) == (model.path, ModelPartMissing)
    assert error.name == "Tiny-1B-F16-00002-of-00003.gguf"
    assert library.remove_broken(path) > 0
    assert names(folder) == []


def test_without_the_first_part_the_others_are_one_broken_file(library: ModelLibrary, first: Path) -> None:
    model = library.add(first)
    model.path.unlink()
    [(path, error)] = library.broken()
    assert (path, error.name) == (model.path, model.path.name)
    library.remove_broken(path)
    assert names(model.path.parent) == []


def test_a_full_disk_leaves_no_part_behind(library: ModelLibrary, first: Path, monkeypatch) -> None:
    monkeypatch.setattr(library_copying, "free_bytes", lambda _: 1000)
    with pytest.raises(NotEnoughDiskSpace):
        library.add(first)
    assert not library.installed()
    assert not library.broken()


class TestAdopting:
    """Parts that were downloaded are moved into the library."""

    @pytest.fixture
    def arrived(self, first: Path, tmp_path: Path) -> Path:
        folder = tmp_path / "models" / ".downloads"
        folder.mkdir(parents=True)
        for part, name in zip(parts_beside(first), part_names("key", 3), strict=True):
            part.rename(folder / name)
        return folder / part_names("key", 3)[0]

    @pytest.fixture
    def source(self, arrived: Path) -> ModelSource:
        size = sum(path.stat().st_size for path in parts_beside(arrived))
        return ModelSource("owner/name", "c0ffee", "Tiny-1B-F16.gguf", size, "5" * 64)

    def test_they_are_there_together(self, library: ModelLibrary, arrived: Path, source: ModelSource) -> None:
        model = library.adopt(arrived, "Tiny-1B-F16", source)
        assert model.path.name == "Tiny-1B-F16-00001-of-00003.gguf"
        assert library.installed() == [model]
        assert (model.source, model.origin, model.name) == (source, Origin.DOWNLOADED, "Tiny 1B")
        assert names(arrived.parent) == []
        assert library.find_content(source.bytes, source.sha256) == model

    def test_a_kill_in_between_loses_nothing(
        self, library: ModelLibrary, arrived: Path, source: ModelSource
    ) -> None:
        parts = parts_beside(arrived)
        for part, name in list(zip(parts, part_names("Tiny-1B-F16", 3), strict=True))[1:]:
            (library._folder / name).hardlink_to(part)  # as far as a killed process had come
        model = library.adopt(arrived, "Tiny-1B-F16", source)
        assert names(library._folder) == list(part_names("Tiny-1B-F16", 3))
        assert library.installed() == [model]
        assert library.broken() == []
        assert names(arrived.parent) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a-00001-of-00003.gguf", ("a", 1, 3)),
        ("a-00003-of-00003.GGUF", ("a", 3, 3)),
        ("a-00004-of-00003.gguf", None),
        ("a-00000-of-00003.gguf", None),
        ("a-1-of-3.gguf", None),
        ("a-00001-of-99999.gguf", None),
        ("-00001-of-00003.gguf", None),
        ("a.gguf", None),
    ],
)
def test_names_tell_what_is_a_part(name: str, told: tuple[str, int, int] | None) -> None:
    found = part_name(Path(name))
    assert told == (None if found is None else (found.stem, found.number, found.count))


def test_the_hash_of_one_file_is_its_own() -> None:
    assert content_hash(["5" * 64]) == "5" * 64
    assert content_hash(["5" * 64, "6" * 64]) != content_hash(["6" * 64, "5" * 64])


async def test_a_split_model_is_compressed_into_one_file(first: Path, tmp_path: Path) -> None:
    folder = tmp_path / "smaller"
    folder.mkdir()
    copy = await compress(first, "Q8_0", folder, host="thread")
    assert names(folder) == [copy.name]
    header = read_header(copy)
    assert (header.file_parts, header.quantisation) == (1, "Q8_0")
    assert header.parameters == read_header(first).parameters
