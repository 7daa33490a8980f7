"""Rules for the whole suite: what a phone lacks, what must run, and that no test leaves anything running."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator

import pytest

from tests.left_behind import Alive, left_since
from tests.phone import become_phone, is_phone

# Set where a browser is installed (continuous integration): a skipped browser test is then a failure, except
# on a phone, where there is none.
BROWSER_REQUIRED = os.environ.get("DAI_REQUIRE_BROWSER") == "1" and not is_phone()


def pytest_configure() -> None:
    # No test, and no process that one starts, touches the passwords of whoever runs it.
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    if is_phone():
        become_phone()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not is_phone():
        return
    for item in items:
        if marker := item.get_closest_marker("desktop"):
            reason = marker.args[0] if marker.args else "a part that phones do not have"
            item.add_marker(pytest.mark.skip(reason=f"needs {reason}"))


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    """Name the test that leaves a child process, or a thread that would keep the program from ending.

    What fixtures of a wider scope start is there before, and is looked at when all tests have ended.
    """
    before = Alive.now()
    yield
    if left := left_since(before):
        pytest.fail(f"this test has left running: {'; '.join(left)}", pytrace=False)


@pytest.fixture(autouse=True, scope="session")
def _nothing_left_running_at_the_end() -> Iterator[None]:
    before = Alive.now()
    yield
    if left := left_since(before):
        pytest.fail(
            f"fixtures of a module or of the session have left running: {'; '.join(left)}", pytrace=False
        )


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
