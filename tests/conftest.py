"""Rules for the whole suite: what a phone lacks, and what may not be skipped where it must run."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from tests.phone import become_phone, is_phone

# Set where a browser is installed (continuous integration): a skipped browser test is then a failure, except
# on a phone, where there is none.
BROWSER_REQUIRED = os.environ.get("DAI_REQUIRE_BROWSER") == "1" and not is_phone()


def pytest_configure() -> None:
    if is_phone():
        become_phone()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not is_phone():
        return
    for item in items:
        if marker := item.get_closest_marker("desktop"):
            reason = marker.args[0] if marker.args else "a part that phones do not have"
            item.add_marker(pytest.mark.skip(reason=f"needs {reason}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if BROWSER_REQUIRED and report.skipped and item.get_closest_marker("browser"):
        report.outcome = "failed"
        report.longrepr = f"browser tests must run here, this one was skipped: {report.longreprtext}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if BROWSER_REQUIRED and report.skipped and "e2e" in collector.path.parts:
        report.outcome = "failed"
        report.longrepr = f"browser tests must run here, this module was skipped: {report.longreprtext}"
    return report
