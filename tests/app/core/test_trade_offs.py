"""The table of what compressing costs and gives."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.errors import ModelMissing
from app.core.models import Models
from app.core.settings import SettingsStore
from app.core.trade_off_store import TradeOffStore
from app.core.trade_offs import TradeOffProgress, TradeOffs, TradeOffStage
from engines.benchmark import BenchmarkPlan
from engines.errors import CompressionUnknown
from engines.library import ModelLibrary, starter
from engines.library.unfinished import unfinished_file
from tests.engines.tiny_gguf import make_tiny_gguf

PLAN = BenchmarkPlan(repetitions=1, prompt_tokens=32, generated_tokens=8)
MODEL = "sideloaded:tiny"


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    (tmp_path / "models").mkdir()
    make_tiny_gguf(tmp_path / "models" / "tiny.gguf", loop=True)
    return Models(ModelLibrary(tmp_path / "models"), SettingsStore(tmp_path / "settings.json"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "copies"


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.exists() else []


async def test_every_format_has_a_row_and_nothing_stays(models: Models, folder: Path) -> None:
    seen: list[TradeOffProgress] = []
    rows = await TradeOffs(models, folder).measure(MODEL, ["q8_0", "Q4_0"], plan=PLAN, progress=seen.append)
    assert [(row.format, row.installed) for row in rows] == [("F16", True), ("Q8_0", False), ("Q4_0", False)]
    sizes = [row.bytes for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    for row in rows:
        assert row.prompt_tokens_per_second > 0
        assert row.generation_tokens_per_second > 0
        assert [found.language for found in row.perplexity] == ["en", "fa"]
        assert all(found.value > 1 for found in row.perplexity)
    assert left(folder) == []
    assert [model.id for model in models.installed()] == [MODEL]
    begun = [step for step in seen if step.share == 0]
    begun = [step for before, step in zip([None, *begun], begun, strict=False) if step != before]
    assert [(step.format, step.stage, step.done, step.total) for step in begun[:3]] == [
        ("F16", TradeOffStage.SPEED, 0, 3),
        ("F16", TradeOffStage.PERPLEXITY, 0, 3),
        ("Q8_0", TradeOffStage.COMPRESSING, 1, 3),
    ]
    assert [step.overall for step in seen] == sorted(step.overall for step in seen)
    assert 0 < seen[0].overall < seen[-1].overall <= 1


async def test_a_finished_table_is_kept_for_this_very_file(
    models: Models, folder: Path, tmp_path: Path
) -> None:
    store = TradeOffStore(tmp_path / "tables")
    [model] = models.installed()
    assert store.get(model) is None
    rows = await TradeOffs(models, folder, store).measure(MODEL, ["Q4_0"], plan=PLAN)
    table = TradeOffStore(tmp_path / "tables").get(model)
    assert table is not None
    assert list(table.rows) == rows
    assert store.get(replace(model, bytes=1)) is None
    for file in (tmp_path / "tables").iterdir():
        file.write_text("{")
    assert store.get(model) is None


async def test_cancelling_deletes_what_was_made(models: Models, folder: Path) -> None:
    begun = asyncio.Event()

    def progress(step: TradeOffProgress) -> None:
        if step.done and step.stage is TradeOffStage.SPEED:
            begun.set()

    table = TradeOffs(models, folder)
    task = asyncio.create_task(table.measure(MODEL, ["Q4_0"], plan=PLAN, progress=progress))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left(folder) == []


async def test_what_does_not_exist_is_told_before_anything_is_measured(models: Models, folder: Path) -> None:
    table = TradeOffs(models, folder)
    with pytest.raises(CompressionUnknown):
        await table.measure(MODEL, ["Q4_0", "Q99"], plan=PLAN)
    with pytest.raises(ModelMissing):
        await table.measure("sideloaded:gone", plan=PLAN)
    assert not left(folder)


async def test_a_format_that_is_no_smaller_has_no_row(models: Models, folder: Path) -> None:
    rows = await TradeOffs(models, folder).measure(MODEL, ["F16"], plan=PLAN)
    assert [row.format for row in rows] == ["F16"]


def test_what_a_killed_process_has_left_is_removed(models: Models, folder: Path) -> None:
    abandoned, alive = folder / ".dead.copies", folder / ".alive.copies"
    for copies in (abandoned, alive):
        copies.mkdir(parents=True)
        (copies / "model.gguf").write_bytes(b"large")
    with unfinished_file(folder) as (mark, _):
        alive.rename(mark.with_suffix(".copies"))
        TradeOffs(models, folder)
        assert sorted(left(folder)) == sorted([mark.name, f"{mark.stem}.copies"])
    TradeOffs(models, folder)
    assert left(folder) == []
