"""One browser for all tests; a server with its own data for each."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.core.paths import Paths
from app.core.settings import SettingsStore
from engines.library import ModelLibrary
from tests.e2e.browser import ARGUMENTS, CHROMIUM, Screen, Server, open_screen
from tests.engines.tiny_gguf import make_tiny_gguf

if TYPE_CHECKING:
    from playwright.sync_api import Browser


LONGEST_SECONDS = 300.0
"""No test takes so long, also on the slowest machine."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        message = "Chromium is not installed"
        if os.environ.get("CI") == "true" or os.environ.get("DAI_REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(autouse=True)
def no_page_hangs() -> Iterator[None]:
    """A page in an endless loop answers nothing, and Playwright waits for ever: it is ended, by force."""
    timer = threading.Timer(LONGEST_SECONDS, _end_pages)
    timer.daemon = True
    timer.start()
    yield
    timer.cancel()


def _end_pages() -> None:
    import psutil

    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "--type=renderer" in process.cmdline():
                process.kill()


@pytest.fixture
def home(tmp_path: Path) -> Paths:
    """An own data folder."""
    paths = Paths(tmp_path / "home").create()
    SettingsStore(paths.settings).change(language="en", theme="light")
    return paths


@pytest.fixture
def model(home: Paths) -> Callable[..., None]:
    """Installs a model that says exactly what a test wants, and lets it answer."""

    def install(reply: str, **properties: Any) -> None:
        make_tiny_gguf(home.models / "scripted.gguf", reply=reply, **properties)
        scripted = next(
            model for model in ModelLibrary(home.models).installed() if model.path.stem == "scripted"
        )
        SettingsStore(home.settings).change(model_id=scripted.id)

    return install


@pytest.fixture
def server(home: Paths, tmp_path: Path) -> Iterator[Callable[[], Server]]:
    """Starts the app; the test does so after it has installed what the app shall find."""
    started: list[Server] = []

    def start() -> Server:
        started.append(Server(home.data, tmp_path / "server.log"))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def screen(browser: Browser, server: Callable[[], Server], model: Any) -> Iterator[Callable[..., Screen]]:
    """Starts the app and opens it in a fresh browser profile."""
    open_: list[Any] = []

    def start(**properties: Any) -> Screen:
        context = open_screen(browser, server().url, **properties)
        open_.append(context)
        return context.__enter__()

    yield start
    for context in open_:
        context.__exit__(None, None, None)
