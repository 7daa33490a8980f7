"""A file that was downloaded for the library is moved into it and remembers where it came from."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from engines.errors import ModelFileDamaged, NotAModel
from engines.library import ModelLibrary, ModelSource, Origin, model_library
from tests.engines.test_gguf import write_model


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelLibrary:
    monkeypatch.setattr(model_library, "find_starter", lambda: None)
    return ModelLibrary(tmp_path / "models")


@pytest.fixture
def arrived(tmp_path: Path) -> Path:
    return write_model(tmp_path / "0123abcd")


def source_of(path: Path) -> ModelSource:
    content = path.read_bytes()
    return ModelSource(
        "owner/name", "c0ffee", "sub/model.gguf", len(content), hashlib.sha256(content).hexdigest()
    )


def test_a_downloaded_model_is_moved_and_keeps_its_source_after_a_restart(
    library: ModelLibrary, arrived: Path, tmp_path: Path
) -> None:
    source = source_of(arrived)
    model = library.adopt(arrived, "Tiny-Q8_0", source)
    assert not arrived.exists()
    assert (model.id, model.origin, model.source) == ("downloaded:Tiny-Q8_0", Origin.DOWNLOADED, source)
    assert ModelLibrary(tmp_path / "models").installed() == [model]
    assert model.removable


def test_a_name_that_is_taken_is_not_written_over(library: ModelLibrary, arrived: Path) -> None:
    first = library.add(write_model(arrived.with_name("Tiny.gguf"), vocabulary=30))
    model = library.adopt(arrived, "Tiny", source_of(arrived))
    assert model.path.name == "Tiny (2).gguf"
    assert {found.id for found in library.installed()} == {first.id, model.id}


def test_what_is_no_sound_model_is_not_installed_and_stays_where_it_is(
    library: ModelLibrary, arrived: Path
) -> None:
    source = source_of(arrived)
    whole = arrived.read_bytes()
    for content, error in ((b"<html>", NotAModel), (whole[:-1], ModelFileDamaged)):
        arrived.write_bytes(content)
        with pytest.raises(error):
            library.adopt(arrived, "Tiny", source)
        assert arrived.exists()
    assert library.installed() == []


def test_a_removed_model_is_forgotten_with_its_source(library: ModelLibrary, arrived: Path) -> None:
    copy = shutil.copy(arrived, arrived.with_name("Tiny.gguf"))
    model = library.adopt(arrived, "Tiny", source_of(arrived))
    assert library.remove(model.id) == model.bytes
    again = library.add(Path(copy))
    assert (again.path.name, again.origin, again.source) == ("Tiny.gguf", Origin.SIDELOADED, None)


def test_another_file_under_the_same_name_has_not_been_downloaded(
    library: ModelLibrary, arrived: Path, tmp_path: Path
) -> None:
    model = library.adopt(arrived, "Tiny", source_of(arrived))
    write_model(model.path, vocabulary=40)
    [found] = library.installed()
    assert (found.origin, found.source) == (Origin.SIDELOADED, None)


def test_a_damaged_list_of_sources_loses_no_model(library: ModelLibrary, arrived: Path) -> None:
    model = library.adopt(arrived, "Tiny", source_of(arrived))
    model.path.with_name("downloaded.json").write_text("{")
    [found] = library.installed()
    assert (found.path, found.origin) == (model.path, Origin.SIDELOADED)


def test_a_model_is_known_by_its_content_whatever_it_is_called(library: ModelLibrary, arrived: Path) -> None:
    source = source_of(arrived)
    assert library.find_content(source.bytes, source.sha256) is None
    copy = Path(shutil.copy(arrived, arrived.with_name("از قبل.gguf")))
    added = library.add(copy)
    assert library.find_content(source.bytes, source.sha256) == added
    assert library.find_content(source.bytes, "0" * 64) is None
    library.remove(added.id)
    adopted = library.adopt(arrived, "Tiny", source)
    assert library.find_content(source.bytes, source.sha256) == adopted
