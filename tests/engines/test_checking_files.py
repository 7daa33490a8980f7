"""A downloaded model whose file was changed on this device is noticed before it answers nonsense."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from engines.errors import ModelFileAltered, ModelFileMissing
from engines.gguf import read_header
from engines.library import InstalledModel, ModelLibrary, ModelSource, model_library
from tests.engines.tiny_gguf import make_tiny_gguf


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelLibrary:
    monkeypatch.setattr(model_library, "find_starter", lambda: None)
    return ModelLibrary(tmp_path / "models")


def source_of(path: Path) -> ModelSource:
    content = path.read_bytes()
    return ModelSource(
        "owner/name", "c0ffee", "model.gguf", len(content), hashlib.sha256(content).hexdigest()
    )


@pytest.fixture
def model(library: ModelLibrary, tmp_path: Path) -> InstalledModel:
    """A downloaded one."""
    arrived = make_tiny_gguf(tmp_path / "arrived", reply="Hello.")
    return library.adopt(arrived, "tiny", source_of(arrived))


def flip_a_bit(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_what_was_just_downloaded_was_checked_on_its_way(
    library: ModelLibrary, model: InstalledModel
) -> None:
    assert not library.needs_check(model)


def test_a_file_that_was_written_needs_a_check_once(library: ModelLibrary, model: InstalledModel) -> None:
    os.utime(model.path, (1, 1))
    assert library.needs_check(model)

    check = library.verify(model.id)

    assert model.source is not None
    assert (check.known, check.sha256) == (True, model.source.sha256)
    assert not library.needs_check(model)
    assert not ModelLibrary(library.folder).needs_check(model)


def test_one_flipped_bit_of_a_weight_is_found(library: ModelLibrary, model: InstalledModel) -> None:
    flip_a_bit(model.path, read_header(model.path).data_start + 1000)
    assert library.needs_check(model)

    with pytest.raises(ModelFileAltered) as caught:
        library.verify(model.id)

    assert caught.value.path == model.path
    assert library.needs_check(model)


def test_of_a_model_that_nobody_downloaded_the_hash_is_told(library: ModelLibrary, tmp_path: Path) -> None:
    path = make_tiny_gguf(tmp_path / "mine.gguf")
    model = library.add(path)

    check = library.verify(model.id)

    assert (check.known, check.sha256) == (False, hashlib.sha256(path.read_bytes()).hexdigest())
    assert not library.needs_check(model)


def test_checking_tells_how_far_it_is_and_can_be_ended(library: ModelLibrary, model: InstalledModel) -> None:
    told: list[tuple[int, int]] = []
    library.verify(model.id, lambda done, total: told.append((done, total)))
    assert told[-1] == (model.bytes, model.bytes)

    def end(done: int, total: int) -> None:
        raise InterruptedError("enough")

    with pytest.raises(InterruptedError, match="enough"):
        library.verify(model.id, end)


def test_a_model_that_is_gone_is_missing(library: ModelLibrary, model: InstalledModel) -> None:
    library.remove(model.id)

    with pytest.raises(ModelFileMissing):
        library.verify(model.id)


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"files": 7}', b'{"files": {"tiny.gguf": [[1]]}}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_damaged_list_costs_one_check(library: ModelLibrary, model: InstalledModel, content: bytes) -> None:
    (library.folder / "checked.json").write_bytes(content)
    assert library.needs_check(model)

    library.verify(model.id)

    assert not library.needs_check(model)
