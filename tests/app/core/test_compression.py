"""Smaller copies of installed models, as the app makes them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.core.compression import Compression
from app.core.errors import AlreadyCompressing, ModelMissing
from app.core.models import Models
from app.core.settings import SettingsStore
from engines.errors import CompressionUnknown
from engines.library import ModelLibrary, starter
from tests.engines.tiny_gguf import make_tiny_gguf

MODEL = "sideloaded:tiny"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    make_tiny_gguf(tmp_path / "models" / "tiny.gguf", name="Tiny")
    return tmp_path / "models"


@pytest.fixture
def models(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    return Models(ModelLibrary(folder), SettingsStore(tmp_path / "settings.json"))


@pytest.fixture
def compression(models: Models, folder: Path) -> Compression:
    return Compression(models, folder)


async def test_the_copy_is_installed_and_the_lists_hear_of_it(
    compression: Compression, models: Models
) -> None:
    heard: list[int] = []
    models.subscribe(lambda: heard.append(len(models.installed())))
    copy = await compression.compress(MODEL, "Q4_0")
    assert (copy.name, copy.quantisation, copy.path.name) == ("Tiny", "Q4_0", "Tiny Q4_0.gguf")
    assert [model.id for model in models.installed()] == [copy.id, MODEL]
    assert heard == [2]


async def test_what_runs_can_be_watched_and_is_over_in_the_end(compression: Compression) -> None:
    seen: list[float | None] = []

    def look() -> None:
        running = compression.running
        seen.append(None if running is None else running.progress and running.progress.share)

    compression.subscribe(look)
    await compression.compress(MODEL, "Q4_0")
    assert 1.0 in seen
    assert seen[-1] is None
    assert compression.running is None


async def test_one_at_a_time_and_a_cancelled_one_leaves_nothing(
    compression: Compression, models: Models
) -> None:
    begun = asyncio.Event()
    first = asyncio.create_task(compression.compress(MODEL, "Q4_0", lambda _: begun.set()))
    await begun.wait()
    with pytest.raises(AlreadyCompressing):
        await compression.compress(MODEL, "Q8_0")
    compression.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert [model.id for model in models.installed()] == [MODEL]
    assert compression.running is None


async def test_a_failure_is_told_and_the_next_one_can_start(compression: Compression) -> None:
    with pytest.raises(CompressionUnknown):
        await compression.compress(MODEL, "Q9")
    with pytest.raises(ModelMissing):
        await compression.compress("sideloaded:gone", "Q4_0")
    await compression.compress(MODEL, "Q8_0")


async def test_sizes_are_told_without_making_anything(compression: Compression, models: Models) -> None:
    sizes = {size.format.name: size for size in await compression.sizes(MODEL)}
    assert sizes["Q8_0"].worthwhile
    assert not sizes["F16"].worthwhile
    assert [model.id for model in models.installed()] == [MODEL]


def test_a_phone_says_that_it_cannot_cancel(compression: Compression) -> None:
    assert not compression.can_be_cancelled
