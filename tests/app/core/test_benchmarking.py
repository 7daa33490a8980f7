"""Speed tests of installed models are kept, compared and exported."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from app.core.benchmarking import Benchmarking, BenchmarkStore, as_csv, compare
from app.core.errors import AlreadyBenchmarking, BenchmarkMissing, ModelMissing
from app.core.models import Models
from app.core.settings import SettingsStore
from engines.benchmark import BenchmarkPlan, BenchmarkProgress, BenchmarkResult, Speed
from engines.library import ModelLibrary, starter
from tests.engines.tiny_gguf import make_tiny_gguf

PLAN = BenchmarkPlan(repetitions=1, prompt_tokens=32, generated_tokens=8)
MODEL = "sideloaded:tiny"


@pytest.fixture
async def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Models]:
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    (tmp_path / "models").mkdir()
    make_tiny_gguf(tmp_path / "models" / "tiny.gguf", loop=True)
    opened = Models(ModelLibrary(tmp_path / "models"), SettingsStore(tmp_path / "settings.json"))
    yield opened
    await opened.unload()


@pytest.fixture
def benchmarking(models: Models, tmp_path: Path) -> Benchmarking:
    return Benchmarking(models, BenchmarkStore(tmp_path / "benchmarks"))


async def measured(benchmarking: Benchmarking) -> BenchmarkResult:
    return await benchmarking.run(MODEL, PLAN)


async def test_a_result_is_kept_with_settings_and_versions(
    benchmarking: Benchmarking, models: Models, tmp_path: Path
) -> None:
    await models.engine()
    result = await measured(benchmarking)
    assert BenchmarkStore(tmp_path / "benchmarks").list() == [result]
    assert {"dai", "python", "llama-cpp-python"} <= result.versions.keys()
    assert result.settings == models.options()
    assert models.loaded is None
    assert not benchmarking.running


async def test_results_are_found_by_the_beginning_of_their_id(benchmarking: Benchmarking) -> None:
    store, result = benchmarking.store, await measured(benchmarking)
    store.save(replace(result, id="2000-a"))
    store.save(replace(result, id="2000-b"))
    assert [found.id for found in store.list()] == [result.id, "2000-b", "2000-a"]
    assert store.get("2000-a").id == "2000-a"
    for wanted in ("2000", "1999", ""):
        with pytest.raises(BenchmarkMissing):
            store.get(wanted)
    store.remove("2000-a")
    assert [found.id for found in store.list()] == [result.id, "2000-b"]


async def test_files_that_are_no_results_are_left_out(benchmarking: Benchmarking, tmp_path: Path) -> None:
    result = await measured(benchmarking)
    (tmp_path / "benchmarks" / "other.json").write_text('{"id": "other"}')
    assert benchmarking.store.list() == [result]


async def test_one_at_a_time_and_a_cancelled_one_keeps_nothing(benchmarking: Benchmarking) -> None:
    begun = asyncio.Event()

    def progress(step: BenchmarkProgress) -> None:
        begun.set()

    endless = BenchmarkPlan(repetitions=1, prompt_tokens=32, generated_tokens=8, minutes=60)
    running = asyncio.create_task(benchmarking.run(MODEL, endless, progress))
    await begun.wait()
    with pytest.raises(AlreadyBenchmarking):
        await measured(benchmarking)
    benchmarking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert benchmarking.store.list() == []
    await measured(benchmarking)


async def test_a_model_that_is_gone_is_told(benchmarking: Benchmarking) -> None:
    with pytest.raises(ModelMissing):
        await benchmarking.run("sideloaded:gone", PLAN)


async def test_two_results_are_compared_figure_by_figure(benchmarking: Benchmarking) -> None:
    old = replace(await measured(benchmarking), generation=Speed(8, (10.0,)), peak_memory_bytes=None)
    new = replace(old, generation=Speed(8, (15.0,)), peak_memory_bytes=5)
    found = {difference.figure: difference for difference in compare(old, new)}
    assert found["tg8 tokens/s"].ratio == 1.5
    assert "peak memory bytes" not in found


async def test_the_export_has_a_line_for_each_result_and_a_column_for_each_figure(
    benchmarking: Benchmarking,
) -> None:
    result = await measured(benchmarking)
    other = replace(result, id="other", peak_memory_bytes=None)
    rows = list(csv.DictReader(io.StringIO(as_csv([result, other]))))
    assert [row["id"] for row in rows] == [result.id, "other"]
    assert float(rows[0]["tg8 tokens/s"]) == pytest.approx(result.generation.median)
    assert rows[1]["peak memory bytes"] == ""
    assert as_csv([]) == "\n"
