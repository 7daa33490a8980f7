"""Smaller copies of a model, as a person makes them."""

from __future__ import annotations

import pytest

from app.core import long_jobs, trade_offs
from app.ui import routes
from engines.benchmark import BenchmarkPlan
from engines.library import ModelLibrary
from tests.app.ui.conftest import services
from tests.engines.tiny_gguf import make_tiny_gguf

SMALL = BenchmarkPlan(repetitions=1, prompt_tokens=32, generated_tokens=8)


@pytest.fixture
def installed(home, model):
    model("on and on", loop=True)
    return ModelLibrary(home.models).installed()[0]


async def opened_sizes(app, installed):
    app.page.navigate(routes.of_model(installed.id))
    await app.until(lambda: app.shows("look-up-sizes"))
    await app.tap("look-up-sizes")
    await app.until(lambda: app.shows("format-Q4_0"))


async def test_sizes_are_told_before_anything_is_made(open_app, installed):
    async with open_app() as app:
        await opened_sizes(app, installed)
        shown = app.text("format-Q4_0")
        for expected in ("Q4_0", "kB", "of now", "of memory", "Fits", "a little worse"):
            assert expected in shown
        recommended = [mark for mark in app.identifiers() if mark.startswith("format-")]
        assert sum("Recommended here" in app.text(mark) for mark in recommended) == 1
        assert "Recommended here" in app.text("format-Q8_0"), "a small model has little to spare"


async def test_a_copy_is_made_after_a_question_and_is_there_at_once(open_app, installed):
    async with open_app() as app:
        await opened_sizes(app, installed)
        await app.tap("compress-Q4_0")
        assert "The original stays" in app.text()
        await app.tap("dialog-cancel")
        assert (await services()).jobs.current is None
        await app.tap("compress-Q4_0")
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("job-end"))
        assert "is ready" in app.text("job-end")
        await app.tap("open-copy")
        await app.until(lambda: app.shows("about-model") and "Q4_0" in app.text("about-model"))
        assert not app.shows("job-end")
        await app.until(lambda: "compressed already" in app.text("compression-section"))


async def test_a_copy_that_finds_no_room_says_so(open_app, installed, monkeypatch):
    from engines.compression import compressing

    monkeypatch.setattr(compressing, "free_bytes", lambda folder: 1000)
    async with open_app() as app:
        await opened_sizes(app, installed)
        await app.tap("compress-Q4_0")
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("job-end"))
        assert "1 kB" in app.text("job-end")
        await app.tap("dismiss-job")
        await app.until(lambda: not app.shows("job-end"))


async def test_a_file_that_cannot_be_read_any_more_is_told(open_app, installed):
    async with open_app() as app:
        app.page.navigate(routes.of_model(installed.id))
        await app.until(lambda: app.shows("look-up-sizes"))
        installed.path.write_bytes(b"GGUF\x03")
        await app.tap("look-up-sizes")
        await app.until(lambda: app.shows("notice"))


async def test_what_it_costs_is_measured_kept_and_shown_again(open_app, installed, monkeypatch):
    measure = trade_offs.TradeOffs.measure

    async def quick(self, model_id, formats=(), **more):
        return await measure(self, model_id, ["Q4_0"], plan=SMALL, progress=more["progress"])

    monkeypatch.setattr(long_jobs.TradeOffs, "measure", quick)
    async with open_app() as app:
        app.page.navigate(routes.of_model(installed.id))
        await app.until(lambda: app.shows("measure-trade-offs"))
        await app.tap("measure-trade-offs")
        await app.until(lambda: (app.shows("job") and "Reading" in app.text("job")) or app.shows("job-end"))
        await app.until(lambda: app.shows("trade-offs"))
        table = app.text("trade-offs")
        for expected in ("F16, as it is", "Q4_0", "Perplexity, English", "Perplexity, Persian", "Memory"):
            assert expected in table
        section = app.text("compression-section")
        assert section.count("Shorter is better") == 3
        assert section.count("Longer is better") == 1
    async with open_app() as app:
        app.page.navigate(routes.of_model(installed.id))
        await app.until(lambda: app.shows("trade-offs"))


async def test_measuring_asks_before_it_unloads_a_model(open_app, installed):
    async with open_app() as app:
        opened = await services()
        await opened.models.load(installed.id)
        app.page.navigate(routes.of_model(installed.id))
        await app.until(lambda: app.shows("measure-trade-offs"))
        await app.tap("measure-trade-offs")
        assert "Measuring unloads it" in app.text()
        await app.tap("dialog-cancel")
        assert opened.models.loaded is not None


async def test_measuring_is_cancelled(open_app, installed, home):
    async with open_app() as app:
        app.page.navigate(routes.of_model(installed.id))
        await app.until(lambda: app.shows("measure-trade-offs"))
        await app.tap("measure-trade-offs")
        await app.until(lambda: app.shows("job"))
        await app.tap("cancel-job")
        await app.until(lambda: not app.shows("job"), 60)
        assert not app.shows("job-end")
        assert not any(home.trade_offs.glob("**/*.gguf"))


async def test_a_model_that_cannot_get_smaller_says_so(open_app, home):
    make_tiny_gguf(home.models / "small.gguf", reply="Hi.")
    [model] = ModelLibrary(home.models).installed()
    async with open_app() as app:
        opened = await services()
        copy = await opened.compression.compress(model.id, "Q2_K")
        app.page.navigate(routes.of_model(copy.id))
        await app.until(lambda: app.shows("look-up-sizes"))
        await app.tap("look-up-sizes")
        await app.until(lambda: "noticeably smaller" in app.text())
