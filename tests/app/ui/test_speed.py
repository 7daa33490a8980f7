"""Speed tests, as a person uses them."""

from __future__ import annotations

import csv
import io
import json

import flet as ft
import pytest
from msgspec.structs import replace

from app.core import benchmarking
from app.core.benchmarking import BenchmarkStore
from app.ui import routes
from app.ui.components.charts import LinePoint, place
from engines.benchmark import BenchmarkedModel, BenchmarkPlan, BenchmarkResult, Device, Sample, Speed
from engines.library import ModelLibrary
from engines.protocol import LoadOptions
from tests.app.ui.conftest import services

SMALL = BenchmarkPlan(repetitions=2, prompt_tokens=32, generated_tokens=8)
ENDLESS = BenchmarkPlan(repetitions=1, prompt_tokens=32, generated_tokens=8, minutes=60)


@pytest.fixture(autouse=True)
def small_plans(monkeypatch):
    monkeypatch.setitem(benchmarking.PLANS, "quick", SMALL)
    monkeypatch.setitem(benchmarking.PLANS, "sustained", ENDLESS)


@pytest.fixture
def installed(home, model):
    model("on and on", loop=True)
    return ModelLibrary(home.models).installed()[0]


def result_of(id="20260101-100000-aaaa", name="Old", rate=10.0, **changes):
    result = BenchmarkResult(
        id=id,
        measured_at="2026-01-01T10:00:00+00:00",
        model=BenchmarkedModel(name, f"{name}.gguf", 1000, "llama", "llama", "Q4_0", 1_000_000),
        device=Device("Linux", "x86_64", "Some processor", 4, 8_000_000_000, 0.1, 0.2),
        settings=LoadOptions(),
        versions={"dai": "0.1.0"},
        prompt=Speed(512, (10 * rate,)),
        generation=Speed(128, (rate,)),
        first_token_seconds=0.5,
        load_seconds=1.0,
        peak_memory_bytes=100_000_000,
        energy=None,
    )
    return replace(result, **changes)


@pytest.fixture
def results(home):
    """Three kept results of two models, with the slowest first."""
    store = BenchmarkStore(home.benchmarks)
    kept = [
        result_of("20260101-100000-aaaa", rate=10.0),
        result_of("20260102-100000-bbbb", rate=15.0),
        result_of("20260103-100000-cccc", name="New", rate=30.0, peak_memory_bytes=None),
    ]
    for result in kept:
        store.save(result)
    return kept


async def finished(app):
    await app.until(lambda: app.shows("job-end"))


async def test_a_model_is_measured_from_its_page(open_app, installed, home):
    async with open_app() as app:
        app.page.navigate(routes.of_model(installed.id))
        await app.until(lambda: "has not been measured" in app.text())
        await app.tap("start-speed")
        await finished(app)
        assert "is finished" in app.text("job-end")
        [result] = BenchmarkStore(home.benchmarks).list()
        await app.until(lambda: app.shows(f"result-{result.id}"))
        card = app.text(f"result-{result.id}")
        for expected in (
            "Reading (pp32)",
            "Writing (tg8)",
            "tokens/s",
            "±",
            "First token after",
            "Peak memory",
        ):
            assert expected in card
        await app.tap("dismiss-job")
        await app.until(lambda: not app.shows("job-end"))


async def test_a_test_is_seen_on_every_page_goes_on_without_any_and_is_cancelled(open_app, installed, home):
    async with open_app() as app:
        app.page.navigate(routes.of_model(installed.id))
        await app.until(lambda: app.shows("start-speed"))
        await app.tap("speed-plan-sustained")
        assert "keep its speed" in app.text()
        await app.tap("start-speed")
        await app.until(lambda: app.shows("job") and "Without a break" in app.text("job"))
        assert "about 60 minutes left" in app.text("job")
        assert app.all(ft.FilledButton, app.mark("start-speed"))[0].disabled
    async with open_app() as app:
        await app.go(2)
        await app.until(lambda: app.shows("job"))
        assert "Speed test of" in app.text("job")
        await app.tap("speed-tests")
        await app.until(lambda: app.shows("job"))
        await app.tap("cancel-job")
        await app.until(lambda: not app.shows("job"))
        assert not app.shows("job-end")
    assert BenchmarkStore(home.benchmarks).list() == []


async def test_a_model_in_memory_is_unloaded_only_after_a_question(open_app, installed, home):
    async with open_app() as app:
        opened = await services()
        await opened.models.load(installed.id)
        app.page.navigate(routes.of_model(installed.id))
        await app.until(lambda: app.shows("start-speed"))
        await app.tap("start-speed")
        assert "is in memory. Measuring unloads it" in app.text()
        await app.tap("dialog-cancel")
        assert opened.models.loaded is not None
        assert opened.jobs.current is None
        await app.tap("start-speed")
        await app.tap("dialog-confirm")
        await finished(app)
        assert opened.models.loaded is None


async def test_an_answer_is_stopped_only_after_a_question(open_app, installed, home):
    async with open_app() as app:
        await app.enter("composer", "Go on")
        await app.tap("send")
        await app.until(
            lambda: app.shows("message-assistant") and "on and on" in app.text("message-assistant")
        )
        app.page.navigate(routes.of_model(installed.id))
        await app.until(lambda: app.shows("start-speed"))
        await app.tap("start-speed")
        assert "An answer is being written" in app.text()
        await app.tap("dialog-cancel")
        opened = await services()
        assert opened.answering.busy
        await app.tap("start-speed")
        await app.tap("dialog-confirm")
        await finished(app)
        await app.go(0)
        await app.until(lambda: "on and on" in app.text("message-assistant"))


async def test_a_test_that_fails_says_why(open_app, installed, home):
    async with open_app() as app:
        app.page.navigate(routes.of_model(installed.id))
        await app.until(lambda: app.shows("start-speed"))
        installed.path.write_bytes(b"GGUF\x03")
        await app.tap("start-speed")
        await finished(app)
        assert "no longer installed" in app.text("job-end")


async def test_without_results_the_page_says_what_it_is_for(open_app, installed):
    async with open_app() as app:
        app.page.navigate(routes.SPEED)
        await app.until(lambda: "No speed tests yet" in app.text())
        assert not app.shows("export-speed")
        await app.tap("back")
        await app.until(lambda: app.shows("speed-tests"))


async def test_every_models_newest_result_stands_in_the_charts(open_app, results):
    async with open_app() as app:
        app.page.navigate(routes.SPEED)
        await app.until(lambda: app.shows("speed-overview"))
        charts = app.text("speed-overview")
        assert "30.0 tokens/s" in charts
        assert "15.0 tokens/s" in charts
        assert "10.0 tokens/s" not in charts, "an older one of the same model"
        assert charts.count("100 MB") == 1, "no bar where nothing was measured"
        order = [mark for mark in app.identifiers() if mark.startswith("result-")]
        assert order == [f"result-{result.id}" for result in reversed(results)]


async def test_results_are_compared_with_the_first_one_chosen(open_app, results):
    async with open_app() as app:
        app.page.navigate(routes.SPEED)
        await app.until(lambda: app.shows("speed-overview"))
        for result in (results[0], results[2]):
            box = app.all(ft.Checkbox, app.mark(f"choose-{result.id}"))[0]
            await app.fire(box, "change", data=True)
        shown = app.text("comparison")
        assert "30.0 tokens/s, ×3.00" in shown
        assert "0.50 s, ×1.00" in shown
        assert "100 MB" not in shown, "a figure that only one has is no comparison"
        await app.tap("end-comparison")
        assert app.shows("speed-overview")


async def test_a_result_is_deleted_only_after_a_question(open_app, results, home):
    async with open_app() as app:
        app.page.navigate(routes.SPEED)
        await app.until(lambda: app.shows("speed-overview"))
        await app.tap(f"remove-{results[0].id}")
        await app.tap("dialog-cancel")
        assert len(BenchmarkStore(home.benchmarks).list()) == 3
        await app.tap(f"remove-{results[0].id}")
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.shows(f"result-{results[0].id}"))
        assert len(BenchmarkStore(home.benchmarks).list()) == 2


async def test_results_are_exported_as_csv_and_json_and_copied(open_app, results):
    saved = {}

    def save(arguments):
        saved[arguments["file_name"]] = arguments["src_bytes"]
        return "/somewhere"

    async with open_app() as app:
        app.client.answers["save_file"] = save
        app.page.navigate(routes.SPEED)
        await app.until(lambda: app.shows("export-speed"))
        await app.choose("export-speed", "Save as CSV")
        await app.until(lambda: "dai-speed.csv" in saved)
        assert len(list(csv.DictReader(io.StringIO(saved["dai-speed.csv"].decode())))) == 3
        await app.until(lambda: app.shows("notice"))
        box = app.all(ft.Checkbox, app.mark(f"choose-{results[1].id}"))[0]
        await app.fire(box, "change", data=True)
        await app.choose("export-speed", "Save as JSON")
        await app.until(lambda: "dai-speed.json" in saved)
        [only] = json.loads(saved["dai-speed.json"])
        assert only["id"] == results[1].id
        await app.choose("export-speed", "Copy as CSV")
        await app.until(lambda: any(name == "set" for name, _ in app.client.calls))


async def test_a_long_series_is_a_line_with_its_numbers_beside_it(open_app, home):
    samples = tuple(Sample(60.0 * minute, 20.0 - minute) for minute in range(11))
    BenchmarkStore(home.benchmarks).save(result_of(sustained=samples))
    async with open_app() as app:
        app.page.navigate(routes.SPEED)
        await app.until(lambda: app.shows("line-chart"))
        chart = app.mark("line-chart")
        assert chart.label == "20.0 tokens/s at the beginning, 10.0 tokens/s at the end"
        assert "10 min" in app.text()
        assert "Speed that lasts\n54%" in app.text()


async def test_the_page_is_persian(open_app, results, installed):
    async with open_app() as app:
        await app.go(4)
        await app.tap("language-fa")
        app.page.navigate(routes.SPEED)
        await app.until(lambda: app.shows("speed-overview"))
        assert "۳۰٫۰ توکن در ثانیه" in app.text("speed-overview")


def test_a_line_begins_on_the_side_where_reading_begins():
    points = [LinePoint(0, 10), LinePoint(5, 0), LinePoint(10, 5)]
    assert place(points, 200, 100, mirrored=False) == [(0, 0), (100, 100), (200, 50)]
    assert place(points, 200, 100, mirrored=True) == [(200, 0), (100, 100), (0, 50)]
    assert place([], 200, 100, mirrored=False) == []
    assert place([LinePoint(0, 0)], 200, 100, mirrored=False) == [(0, 100)]
