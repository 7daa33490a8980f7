"""The starter model is measured in the browser, and its numbers are taken home."""

from __future__ import annotations

import csv
import importlib.util

import pytest

from app.core.benchmarking import BenchmarkStore
from app.ui import routes
from engines.library import ModelLibrary
from engines.library.starter import STARTER_PACKAGE
from tests.e2e.browser import open_screen

pytest.importorskip("playwright", exc_type=ImportError)

pytestmark = [pytest.mark.browser, pytest.mark.desktop("a browser and the web client")]


@pytest.mark.skipif(importlib.util.find_spec(STARTER_PACKAGE) is None, reason="there is no starter model")
def test_the_starter_model_is_measured_while_nobody_watches_and_its_numbers_are_downloaded(
    browser, server, home
):
    [starter] = ModelLibrary(home.models).installed()
    url = server().url
    with open_screen(browser, url + routes.SPEED) as phone:
        phone.until(lambda: phone.shows("start-speed"))
        phone.tap("start-speed")
        phone.until(lambda: phone.shows("cancel-job"))
    # The tab is closed; the work goes on, and another tab sees it.
    with open_screen(browser, url + routes.of_model(starter.id)) as phone:
        phone.until(lambda: phone.shows("job-end"), 300)
        assert "is finished" in phone.text("job-end")
    [result] = BenchmarkStore(home.benchmarks).list()
    with open_screen(browser, url + routes.SPEED) as phone:
        phone.until(lambda: phone.shows("export-speed"))
        phone.tap("dismiss-job")
        phone.until(lambda: not phone.shows("job-end"))
        phone.page.mouse.move(195, 500)
        phone.page.mouse.wheel(0, 2000)
        phone.until(lambda: phone.shows(f"result-{result.id}"))
        shown = phone.text(f"result-{result.id}")
        assert f"{result.generation.median:,.1f} tokens/s" in shown
        assert f"{result.prompt.median:,.1f} tokens/s" in shown
        phone.tap("export-speed")
        with phone.page.expect_download(timeout=60_000) as download:
            box = phone.page.get_by_role("menuitem", name="Save as CSV").bounding_box()
            phone.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        [row] = csv.DictReader(download.value.path().read_text().splitlines())
        assert row["id"] == result.id
