"""Models that are not used give their memory back; models that keep crashing are not tried for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.core import model_in_memory
from app.core.models import Models
from app.core.settings import SettingsStore
from engines.errors import EngineCrashed, EngineKeepsCrashing
from engines.library import ModelLibrary, starter
from engines.opening import open_engine
from engines.protocol import Engine, LoadOptions
from tests.engines.asking import ask
from tests.engines.tiny_gguf import make_tiny_gguf

MODEL = "sideloaded:a"


class Opener:
    """Opens models, or crashes."""

    def __init__(self) -> None:
        self.crashing = False
        self.opened = 0

    async def __call__(self, path: Path, options: LoadOptions) -> Engine:
        if self.crashing:
            raise EngineCrashed("scripted", 11)
        self.opened += 1
        return await open_engine(path, options, host="thread")


@pytest.fixture
def opener() -> Opener:
    return Opener()


@pytest.fixture
def settings(tmp_path: Path) -> SettingsStore:
    return SettingsStore(tmp_path / "settings.json")


@pytest.fixture
async def models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opener: Opener, settings: SettingsStore
) -> AsyncIterator[Models]:
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    (tmp_path / "models").mkdir()
    make_tiny_gguf(tmp_path / "models" / "a.gguf", name="A", reply="I am A.")
    opened = Models(ModelLibrary(tmp_path / "models"), settings, opener)
    yield opened
    await opened.unload()


@pytest.fixture
def short_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_in_memory, "_SECONDS_PER_MINUTE", 0.002)


def unloaded(models: Models) -> asyncio.Event:
    event = asyncio.Event()
    models.subscribe(lambda: event.set() if models.loaded is None and models.loading is None else None)
    return event


async def test_an_idle_model_is_unloaded_and_loaded_again_for_the_next_question(
    models: Models, opener: Opener, short_minutes
) -> None:
    await models.engine()
    async with asyncio.timeout(60):
        await unloaded(models).wait()

    with_engine = await models.engine()
    with models.in_use():
        assert (await ask(with_engine)).text == "I am A."
    assert opener.opened == 2


async def test_a_model_in_use_is_not_unloaded_however_long_it_takes(models: Models, short_minutes) -> None:
    await models.engine()
    gone = unloaded(models)

    with models.in_use(), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await gone.wait()

    async with asyncio.timeout(60):
        await gone.wait()


async def test_a_model_stays_where_the_user_wants_it(
    models: Models, settings: SettingsStore, short_minutes
) -> None:
    settings.change(unload_after_minutes=0)
    await models.engine()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await unloaded(models).wait()


async def test_a_shorter_time_counts_at_once(models: Models, settings: SettingsStore, monkeypatch) -> None:
    await models.engine()
    monkeypatch.setattr(model_in_memory, "_SECONDS_PER_MINUTE", 0.002)

    settings.change(unload_after_minutes=1)

    async with asyncio.timeout(60):
        await unloaded(models).wait()


async def crash(models: Models) -> None:
    await models.engine()
    with pytest.raises(EngineCrashed), models.in_use():
        raise EngineCrashed("scripted", 11)


async def test_a_model_that_crashed_twice_in_a_row_is_refused_until_the_user_insists(models: Models) -> None:
    await crash(models)
    await crash(models)

    with pytest.raises(EngineKeepsCrashing) as caught:
        await models.engine()
    with pytest.raises(EngineKeepsCrashing):
        await models.load(MODEL)

    assert caught.value.model == "A"
    await models.load(MODEL, anyway=True)
    assert (await ask(await models.engine())).text == "I am A."


async def test_a_good_answer_between_makes_a_crash_forgotten(models: Models) -> None:
    await crash(models)
    await models.engine()
    with models.in_use():
        pass

    await crash(models)

    assert await models.engine()


async def test_a_model_that_crashes_while_it_is_loaded_is_refused_too(models: Models, opener: Opener) -> None:
    opener.crashing = True
    for _ in range(2):
        with pytest.raises(EngineCrashed):
            await models.engine()

    with pytest.raises(EngineKeepsCrashing):
        await models.engine()

    opener.crashing = False
    await models.load(MODEL, anyway=True)
    assert models.loaded is not None
