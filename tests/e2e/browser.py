"""The app in a real browser: its own server process, Chromium, and the accessibility tree.

Flutter paints on a canvas; what can be found and read is the accessibility tree, which a browser's
screen reader would use too. Parts are found by their identifier, see `app.ui.components.controls.marked`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
]
PHONE = (390, 844)
DESKTOP = (1280, 800)
PATIENCE_SECONDS = 120
"""How long something may take to appear, on a machine that is busy with something else."""

_TEXT = """element => {
  const words = [];
  const visit = node => {
    if (node.nodeType === Node.TEXT_NODE) { words.push(node.data); return; }
    const label = node.getAttribute && node.getAttribute('aria-label');
    if (label) words.push(label);
    if (node.value) words.push(node.value);
    node.childNodes.forEach(visit);
  };
  visit(element);
  return words.join('\\n');
}"""

_QUIET = """quiet => new Promise(resolve => {
  const host = document.querySelector('flt-semantics-host');
  let timer;
  const done = () => { observer.disconnect(); resolve(); };
  const observer = new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(done, quiet); });
  observer.observe(host, {subtree: true, childList: true, attributes: true, characterData: true});
  timer = setTimeout(done, quiet);
  setTimeout(done, 5000);
})"""


class Server:
    """The app as `python main.py` starts it, on a free port of this device."""

    def __init__(self, home: Path, log: Path, environment: Mapping[str, str] | None = None) -> None:
        """`environment` is added to this process's own."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        variables = {
            **os.environ,
            **(environment or {}),
            "DAI_HOME": str(home),
            "FLET_FORCE_WEB_SERVER": "true",
            "FLET_SERVER_IP": "127.0.0.1",
            "FLET_SERVER_PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
        }
        self._log = log.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py")],
            cwd=ROOT,
            env=variables,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._wait_until_it_listens()

    def stop(self) -> None:
        """End it as a terminal would, and whatever it started."""
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._log.close()

    def _wait_until_it_listens(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}; see {self._log.name}")
            time.sleep(0.05)
        raise RuntimeError(f"the server did not listen; see {self._log.name}")


class Screen:
    """One tab of the browser, used like a person uses it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.foreign: list[str] = []
        """Addresses outside this device that the page asked for, and that the browser did not hold back."""
        page.on("requestfinished", self._note)
        page.on("requestfailed", self._note)

    def open(self, url: str) -> None:
        """Load the app and turn its accessibility tree on."""
        self.page.goto(url)
        self.page.wait_for_selector("#loading", state="detached")
        self.page.wait_for_selector("flt-semantics-placeholder", state="attached")
        self.page.locator("flt-semantics-placeholder").evaluate("element => element.click()")
        self.page.wait_for_selector("flt-semantics-host flt-semantics", state="attached")
        self.settle()

    def settle(self) -> None:
        """Wait until the screen has not changed for a moment."""
        self.page.evaluate(_QUIET, 300)

    def part(self, identifier: str) -> Locator:
        """The parts with this identifier."""
        return self.page.locator(f'[flt-semantics-identifier="{identifier}"]')

    def shows(self, identifier: str) -> bool:
        """Whether such a part is on the screen."""
        return self.part(identifier).count() > 0

    def text(self, identifier: str | None = None) -> str:
        """The words in the last such part, or on the whole screen."""
        place = self.page.locator("flt-semantics-host") if identifier is None else self.part(identifier).last
        words: str = place.evaluate(_TEXT)
        return re.sub("[\u2066-\u2069]", "", words)

    def tap(self, identifier: str) -> None:
        """Tap the middle of a part."""
        part = self.part(identifier).last
        part.wait_for(state="attached")
        box = part.bounding_box()
        assert box is not None, f"{identifier!r} is not visible"
        self.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.settle()

    def write(self, identifier: str, text: str) -> None:
        """Write into a field as with a keyboard."""
        self.tap(identifier)
        field = self.part(identifier).locator("textarea, input").last
        field.focus()
        self.settle()
        self.page.keyboard.type(text, delay=8)
        self.settle()

    def go(self, label: str) -> None:
        """Choose a destination of the bar below."""
        tab = self.page.get_by_role("tab", name=label)
        box = tab.bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.settle()

    def choose(self, identifier: str, label: str) -> None:
        """Open a menu and choose an entry."""
        self.tap(identifier)
        # By its element: what lies over it for a moment, while the menu opens, is not meant.
        self.page.get_by_role("menuitem", name=label).click(force=True)
        self.settle()

    def choose_files(self, identifier: str, *files: Path) -> None:
        """Tap what opens the browser's file dialog, and choose files in it."""
        with self.page.expect_file_chooser() as chooser:
            self.tap(identifier)
        chooser.value.set_files(list(files))

    def until(self, condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for the screen to become as it should."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not within {seconds} s; the screen shows:\n{self.text()}"
            self.page.wait_for_timeout(50)

    def _note(self, request: Any) -> None:
        here = request.url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:"))
        if not here and request.failure != "csp":
            self.foreign.append(request.url)


@contextlib.contextmanager
def open_screen(
    browser: Browser, url: str, size: tuple[int, int] = PHONE, *, dark: bool = False
) -> Iterator[Screen]:
    """A fresh browser profile with the app open."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        locale="en-US",
    )
    context.set_default_timeout(1000 * PATIENCE_SECONDS)
    try:
        screen = Screen(context.new_page())
        screen.open(url)
        yield screen
    finally:
        context.close()
