"""Takes the README's pictures: `python docs/screenshots.py`. Needs Chromium.

The real app with the starter model and its embedder, real documents, nothing staged: a picture
shows what a newcomer sees, the small model's answer included.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app.core.paths import Paths  # noqa: E402
from app.core.settings import SettingsStore  # noqa: E402
from tests.e2e.browser import ARGUMENTS, CHROMIUM, DESKTOP, PHONE, Screen, Server, open_screen  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
COLOURS = 160

HANDBOOK = """# Travel

Employees may claim up to 65 euros a day for meals on trips within Europe. Receipts are needed for
any single expense above 20 euros.

# Working from home

Up to three days a week may be worked from home. Tuesday is the day for meetings in the office.

# Holidays

Everyone has 30 days of paid holiday a year. Days that are left in December can be taken until the
end of March.
"""

GARDEN = """# آبیاری

گیاهان آپارتمانی را وقتی آب بدهید که دو سانتی‌متر بالای خاک خشک شده باشد. آبیاری زیاد ریشه‌ها را
می‌پوساند.

# نور

پوتوس و سانسوریا در نور کم هم زنده می‌مانند، اما کاکتوس هر روز چند ساعت آفتاب می‌خواهد.

# کوددهی

در بهار و تابستان هر دو هفته یک بار کود مایع بدهید و در زمستان کود ندهید.
"""


def ask_documents(screen: Screen, folder: Path) -> None:
    """A question to a handbook, answered with its source."""
    file = folder / "Handbook.md"
    file.write_text(HANDBOOK, encoding="utf-8")
    add_document(screen, file, "Documents", "passages")
    screen.go("Chat")
    screen.tap("sources")
    screen.until(lambda: screen.shows("source-1"))
    screen.tap("source-1")
    screen.page.keyboard.press("Escape")
    screen.until(lambda: not screen.shows("source-1"))
    ask(screen, "How many days a week may be worked from home?")


def ask_freely(screen: Screen, folder: Path) -> None:
    """A question to the model alone."""
    screen.tap("example-code")
    wait_for_answer(screen)


def search_in_persian(screen: Screen, folder: Path) -> None:
    """A search in Persian documents."""
    file = folder / "گیاهان خانگی.md"
    file.write_text(GARDEN, encoding="utf-8")
    add_document(screen, file, "سندها", "قطعه")
    screen.write("search-documents", "کی باید به گیاهان آب داد؟")
    screen.until(lambda: screen.shows("found-1"))


def look_around_in_persian(screen: Screen, folder: Path) -> None:
    """The first screen in Persian."""
    screen.until(lambda: screen.shows("example-explain"))


def look_at_models(screen: Screen, folder: Path) -> None:
    """The installed models."""
    screen.go("Models")
    screen.until(lambda: screen.shows("load"))


def ask_a_circle(screen: Screen, folder: Path) -> None:
    """A question to another device of a circle, which answers from a document it shares."""
    with circle(folder):
        screen.open(screen.page.url)  # it has a router and a circle now
        screen.tap("level")
        screen.until(lambda: screen.shows("level-circle"))
        screen.tap("level-circle")
        screen.write("composer", "How many days a week may be worked from home?")
        screen.tap("send")
        screen.until(lambda: screen.shows("departure-send"))
        screen.tap("departure-send")
        wait_for_answer(screen)
        screen.tap("origin")


@contextlib.contextmanager
def circle(folder: Path) -> Iterator[None]:
    """A router, and a device that belongs to the same circle as the one in the picture."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    host, port = address.split(":")
    file = folder / "Handbook.md"
    file.write_text(HANDBOOK, encoding="utf-8")
    with contextlib.ExitStack() as running:
        router = ("router", "--host", host, "--port", port, "--open", "--name", "Office")
        running.enter_context(keeps_running(folder / "router", "owner's page", *router))
        other = folder / "other"
        run(other, "network", "add", address)
        run(other, "network", "name", "Maryam's laptop")
        run(other, "network", "create", "Colleagues")
        run(folder / "home", "network", "add", address)
        code = run(other, "network", "code", "Colleagues")
        run(folder / "home", "network", "join", "Colleagues", given=code)
        run(other, "kb", "add", file, "--kb", "Handbook")
        run(other, "kb", "share", "Handbook", "circle")
        running.enter_context(keeps_running(other, "Ready", "worker", "--group", "Colleagues"))
        yield


def run(home: Path, *arguments: object, given: str = "") -> str:
    """What a command of `dai` prints."""
    return subprocess.run(  # noqa: S603 - a command of this checkout
        dai(*arguments), env=at(home), input=given, text=True, check=True, stdout=subprocess.PIPE
    ).stdout


@contextlib.contextmanager
def keeps_running(home: Path, sign: str, *arguments: object) -> Iterator[None]:
    """A command of `dai` that runs until it is told to end; waits for a sign in what it says."""
    with subprocess.Popen(  # noqa: S603 - a command of this checkout
        dai(*arguments), env=at(home), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            if not any(sign in line for line in process.stdout or ()):
                raise SystemExit(f"{arguments[0]} has ended")
            yield
        finally:
            process.terminate()


def dai(*arguments: object) -> list[str]:
    """A command of this checkout."""
    return [sys.executable, "-m", "app.cli", *map(str, arguments)]


def at(home: Path) -> dict[str, str]:
    """The environment of a device of its own, which leaves the keyring of whoever runs this alone."""
    keyring = "keyring.backends.null.Keyring"
    return os.environ | {"DAI_HOME": str(home), "PYTHON_KEYRING_BACKEND": keyring, "PYTHONUNBUFFERED": "1"}


def add_document(screen: Screen, file: Path, destination: str, sign: str) -> None:
    """Add a file and wait until it is read."""
    screen.go(destination)
    screen.choose_files("add-files", file)
    screen.until(lambda: sign in screen.text())


def ask(screen: Screen, question: str) -> None:
    """Ask and wait for the whole answer."""
    screen.write("composer", question)
    screen.tap("send")
    wait_for_answer(screen)


def wait_for_answer(screen: Screen) -> None:
    """Wait until the answer is written."""
    screen.until(lambda: screen.shows("regenerate"), seconds=180)


SHOTS: dict[str, tuple[dict[str, str], tuple[int, int], Callable[[Screen, Path], None]]] = {
    "answer-with-source": ({"language": "en", "theme": "light"}, PHONE, ask_documents),
    "circle": ({"language": "en", "theme": "light"}, PHONE, ask_a_circle),
    "models": ({"language": "en", "theme": "light"}, PHONE, look_at_models),
    "persian": ({"language": "fa", "theme": "dark"}, PHONE, look_around_in_persian),
    "persian-search": ({"language": "fa", "theme": "light"}, PHONE, search_in_persian),
    "desktop": ({"language": "en", "theme": "light"}, DESKTOP, ask_freely),
}


def take(browser: Browser, name: str) -> None:
    """One picture, in a home of its own."""
    settings, size, use = SHOTS[name]
    with tempfile.TemporaryDirectory() as folder:
        paths = Paths(Path(folder) / "home").create()
        SettingsStore(paths.settings).change(**settings)
        server = Server(paths.data, Path(folder) / "server.log", at(paths.data))
        try:
            with open_screen(browser, server.url, size, dark=settings["theme"] == "dark") as screen:
                use(screen, Path(folder))
                screen.page.mouse.move(2, size[1] // 2)
                screen.page.wait_for_timeout(1500)  # tooltips and ripples fade
                target = PICTURES / f"{name}.png"
                screen.page.screenshot(path=target)
        finally:
            server.stop()
    Image.open(target).convert("RGB").quantize(COLOURS).save(target, optimize=True)


def main() -> None:
    """Take all pictures, or those named on the command line."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name in sys.argv[1:] or SHOTS:
            take(browser, name)
        browser.close()


if __name__ == "__main__":
    main()
