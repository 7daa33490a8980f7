"""Which model answers: choosing, loading, unloading, adding, removing, and files that are broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.core.errors import ModelMissing, NoModelInstalled
from app.core.models import Models
from app.core.settings import SettingsStore
from engines.errors import EngineNotLoaded, ModelFileDamaged, ModelFileMissing, NotEnoughMemory
from engines.library import ModelLibrary, starter
from engines.memory import MemoryFit
from engines.opening import open_engine
from engines.protocol import Engine, LoadOptions
from tests.engines.asking import ask
from tests.engines.tiny_gguf import make_tiny_gguf


@pytest.fixture
async def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Models]:
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    (tmp_path / "models").mkdir()
    opened = Models(ModelLibrary(tmp_path / "models"), SettingsStore(tmp_path / "settings.json"))
    yield opened
    await opened.unload()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


def installed(models: Models) -> list[str]:
    return [model.id for model in models.installed()]


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_without_a_model_that_says_so(models: Models) -> None:
    assert models.chosen() is None
    with pytest.raises(NoModelInstalled):
        await models.engine()


async def test_the_first_model_that_can_chat_answers_until_the_user_chooses(
    models: Models, folder: Path
) -> None:
    make_tiny_gguf(folder / "a.gguf", name="A base", chat_template=None)
    make_tiny_gguf(folder / "b.gguf", name="B", reply="I am B.")
    make_tiny_gguf(folder / "c.gguf", name="C", reply="I am C.")

    assert (await ask(await models.engine())).text == "I am B."
    await models.load("sideloaded:c")
    assert (await ask(await models.engine())).text == "I am C."
    assert models.chosen() == models.loaded
    with pytest.raises(ModelMissing):
        await models.load("sideloaded:d")


async def test_only_one_model_is_in_memory(models: Models, folder: Path) -> None:
    make_tiny_gguf(folder / "a.gguf")
    make_tiny_gguf(folder / "b.gguf")
    await models.load("sideloaded:a")
    first = await models.engine()

    await models.load("sideloaded:b")

    with pytest.raises(EngineNotLoaded):
        await ask(first)


async def test_two_questions_at_once_load_the_model_once(models: Models, folder: Path) -> None:
    make_tiny_gguf(folder / "a.gguf")
    one, other = await asyncio.gather(models.engine(), models.engine())
    assert one is other


async def test_a_model_that_would_not_fit_is_refused_unless_wanted_anyway(
    models: Models, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tiny_gguf(folder / "a.gguf", reply="Hello.")
    monkeypatch.setattr("app.core.model_in_memory.available_memory", lambda: 1_000)
    _, fit = models.memory(models.installed()[0])
    assert fit is MemoryFit.TOO_LARGE
    with pytest.raises(NotEnoughMemory) as raised:
        await models.load("sideloaded:a")
    assert raised.value.available_bytes == 1_000

    await models.load("sideloaded:a", anyway=True)

    assert (await ask(await models.engine())).text == "Hello."
    assert models.memory(models.installed()[0])[1] is MemoryFit.FITS


async def test_listeners_see_a_model_being_loaded_and_loaded(models: Models, folder: Path) -> None:
    make_tiny_gguf(folder / "a.gguf")
    seen: list[tuple[bool, bool]] = []
    unsubscribe = models.subscribe(
        lambda: seen.append((models.loading is not None, models.loaded is not None))
    )
    await models.load("sideloaded:a")
    await models.unload()
    unsubscribe()
    await models.load("sideloaded:a")
    assert seen == [(True, False), (False, True), (False, False)]


async def test_a_model_that_cannot_be_loaded_leaves_nothing_loading(models: Models, folder: Path) -> None:
    make_tiny_gguf(folder / "a.gguf", without_tensor="blk.1.ffn_up.weight")
    with pytest.raises(ModelFileDamaged):
        await models.load("sideloaded:a")
    assert (models.loading, models.loaded) == (None, None)


async def test_removing_the_model_in_memory_frees_both_and_forgets_the_choice(
    models: Models, folder: Path, tmp_path: Path
) -> None:
    source = make_tiny_gguf(tmp_path / "mine.gguf")
    added = await models.add(source)
    await models.load(added.id)

    assert await models.remove(added.id) == added.bytes

    assert (models.loaded, models.chosen(), installed(models)) == (None, None, [])
    assert SettingsStore(tmp_path / "settings.json").current.model_id is None
    assert files(folder) == []
    assert source.exists()


async def test_broken_files_are_listed_with_the_reason_and_can_be_removed(
    models: Models, folder: Path, tmp_path: Path
) -> None:
    make_tiny_gguf(folder / "good.gguf")
    (folder / "cut.gguf").write_bytes((folder / "good.gguf").read_bytes()[:1_000])
    gone = make_tiny_gguf(tmp_path / "gone.gguf", name="another")
    await models.add(gone, link=True)
    gone.unlink()
    changes: list[None] = []
    models.subscribe(lambda: changes.append(None))

    assert {path: type(error) for path, error in models.broken()} == {
        folder / "cut.gguf": ModelFileDamaged,
        gone: ModelFileMissing,
    }
    assert await models.remove_broken(folder / "cut.gguf") == 1_000
    assert await models.remove_broken(gone) == 0
    assert models.broken() == []
    assert installed(models) == ["sideloaded:good"]
    assert len(changes) == 2
    with pytest.raises(ModelFileMissing):
        await models.remove_broken(folder / "good.gguf")
    assert (folder / "good.gguf").exists()


@pytest.mark.parametrize(
    ("host", "link", "mapped"),
    [("thread", True, False), ("thread", False, True), ("process", True, True)],
)
async def test_in_a_thread_only_files_of_the_models_folder_are_mapped(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, link: bool, mapped: bool
) -> None:
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    monkeypatch.setenv("DAI_ENGINE_HOST", host)
    wanted: list[LoadOptions] = []

    async def opener(path: Path, options: LoadOptions) -> Engine:
        wanted.append(options)
        return await open_engine(path, options, host="thread")

    models = Models(ModelLibrary(folder), SettingsStore(tmp_path / "settings.json"), opener)
    await models.add(make_tiny_gguf(tmp_path / "elsewhere.gguf", reply="Hello."), link=link)

    assert (await ask(await models.engine())).text == "Hello."
    assert await models.engine() is await models.engine()
    assert [options.use_mmap for options in wanted] == [mapped]
    await models.unload()
