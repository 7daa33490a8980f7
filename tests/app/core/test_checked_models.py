"""A downloaded model that was changed on this device is read once more before it is loaded."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.core.models import Models
from app.core.settings import SettingsStore
from engines.errors import ModelFileAltered
from engines.gguf import read_header
from engines.library import InstalledModel, ModelLibrary, ModelSource, starter
from tests.engines.asking import ask
from tests.engines.tiny_gguf import make_tiny_gguf


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelLibrary:
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    return ModelLibrary(tmp_path / "models")


@pytest.fixture
def model(library: ModelLibrary, tmp_path: Path) -> InstalledModel:
    arrived = make_tiny_gguf(tmp_path / "arrived", reply="Hello.")
    content = arrived.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    return library.adopt(arrived, "tiny", ModelSource("owner/name", "c0ffee", "m.gguf", len(content), sha256))


@pytest.fixture
async def models(library: ModelLibrary, tmp_path: Path) -> AsyncIterator[Models]:
    opened = Models(library, SettingsStore(tmp_path / "settings.json"))
    yield opened
    await opened.unload()


def damage_a_weight(path: Path) -> None:
    place = read_header(path).data_start + 1_000
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1]))


async def test_an_unchanged_model_is_loaded_without_reading_it_twice(
    models: Models, library: ModelLibrary, model: InstalledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "verify", lambda *_: pytest.fail("it was read"))

    assert (await ask(await models.engine())).text == "Hello."


async def test_a_changed_model_is_refused_unless_the_user_insists(
    models: Models, model: InstalledModel
) -> None:
    damage_a_weight(model.path)

    for _ in range(2):
        with pytest.raises(ModelFileAltered):
            await models.engine()
        with pytest.raises(ModelFileAltered):
            await models.load(model.id)
    assert (models.loaded, models.loading) == (None, None)

    await models.load(model.id, anyway=True)
    assert models.loaded is not None


async def test_a_model_that_was_only_touched_is_checked_and_loaded(
    models: Models, library: ModelLibrary, model: InstalledModel
) -> None:
    os.utime(model.path, (1, 1))

    assert (await ask(await models.engine())).text == "Hello."
    assert not library.needs_check(model)


async def test_checking_can_be_cancelled(
    models: Models, library: ModelLibrary, model: InstalledModel
) -> None:
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    os.utime(model.path, (1, 1))

    def progress(done: int, total: int) -> None:
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(30)

    checking = asyncio.create_task(models.verify(model.id, progress))
    await begun.wait()
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    go_on.set()

    assert await models.verify(model.id)
