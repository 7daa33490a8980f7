"""What a person sees and does in the browser, on a phone's and on a desktop's window."""

from __future__ import annotations

import os
import signal

import pytest
from reportlab.pdfgen.canvas import Canvas

from app.core.settings import SettingsStore
from engines.library.starter import STARTER_PACKAGE
from engines.split_files import parts_beside
from engines.store.catalogue import Catalogue
from tests.e2e.browser import DESKTOP, Server, open_screen
from tests.engines.store.hub_server import hub_server
from tests.engines.tiny_gguf import make_tiny_gguf

pytest.importorskip("playwright", exc_type=ImportError)
psutil = pytest.importorskip("psutil", exc_type=ImportError)

pytestmark = [pytest.mark.browser, pytest.mark.desktop("a browser and the web client")]

# Scripted models are so fast that they end before anyone could press Stop; the starter model takes its time.
LONG = "Write a very long story about a robot who counts waves by the sea. Describe every wave."


def write_pdf(path):
    pages = [
        ["The office opens at eight and closes at six.", "Visitors register at the front desk."],
        ["Employees may claim up to 65 euros a day for meals on trips within Europe."],
    ]
    canvas = Canvas(str(path))
    for lines in pages:
        for number, line in enumerate(lines):
            canvas.drawString(72, 720 - 20 * number, line)
        canvas.showPage()
    canvas.save()
    return path


def test_a_question_is_answered_in_the_browser_without_the_internet(screen, model):
    model("The **sky** is blue.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    phone = screen()
    phone.write("composer", "Why is the sky blue?")
    phone.tap("send")
    phone.until(lambda: phone.shows("regenerate"))
    assert "Why is the sky blue?" in phone.text("message-user")
    assert "The sky is blue." in phone.text("message-assistant")
    assert "tokens" in phone.text()
    assert phone.foreign == []


def test_no_answer_makes_the_browser_load_a_picture_from_somewhere(screen, model):
    model("Look ![one](http://tracker.invalid/1.png) `![two](http://tracker.invalid/2.png)` done.")
    phone = screen()
    phone.write("composer", "Show me a picture")
    phone.tap("send")
    phone.until(lambda: phone.shows("regenerate"))
    phone.settle()
    assert "done." in phone.text("message-assistant")
    assert phone.foreign == []


def test_the_page_can_ask_no_other_server(screen, model):
    model("unused")
    phone = screen()
    ask = "address => fetch(address, {mode: 'no-cors'}).then(() => 'answered', () => 'failed')"
    with hub_server() as other:
        assert phone.page.evaluate(ask, f"{other.hub}/api/models") == "failed"
        assert other.seen == [], "held back by the browser, and not refused by the server"
    assert phone.page.evaluate(ask, phone.page.url) == "answered"


def test_a_pdf_is_added_and_a_citation_opens_its_page(screen, model, tmp_path):
    model("Up to 65 euros a day [1].")
    phone = screen()
    phone.go("Documents")
    phone.choose_files("add-files", write_pdf(tmp_path / "travel policy.pdf"))
    phone.until(lambda: "2 pages" in phone.text())
    phone.go("Chat")
    phone.tap("sources")
    phone.until(lambda: phone.shows("source-1"))
    phone.tap("source-1")
    phone.page.keyboard.press("Escape")
    phone.until(lambda: not phone.shows("source-1"))
    phone.write("composer", "How many euros a day may employees claim for meals?")
    phone.tap("send")
    phone.until(lambda: phone.shows("citation-1"))
    phone.tap("citation-1")
    phone.until(lambda: phone.shows("passage"))
    assert "65 euros a day for meals" in phone.text("passage")
    assert "Page 2" in phone.text()


def test_files_that_cannot_be_read_say_why_and_do_not_keep_the_others_waiting(screen, model, tmp_path):
    model("unused")
    empty, notes = tmp_path / "خالی 🙂.pdf", tmp_path / "notes.md"
    empty.touch()
    notes.write_text("Bats hear with their ears and find their way by echo.", encoding="utf-8")
    phone = screen()
    phone.go("Documents")
    phone.choose_files("add-files", empty, notes)
    phone.until(lambda: "1 passage" in phone.text())
    assert empty.name in phone.text()
    phone.until(lambda: phone.shows("document-state-1") and "holds no text" in phone.text("document-state-1"))


def test_stop_ends_an_answer_and_keeps_its_text(screen):
    phone = screen()
    phone.write("composer", LONG)
    phone.tap("send")
    phone.until(lambda: phone.shows("message-assistant") and len(phone.text("message-assistant")) > 20)
    phone.tap("stop")
    phone.until(lambda: phone.shows("message-state"))
    assert "Stopped." in phone.text("message-state")
    assert len(phone.text("message-assistant")) > 20
    assert phone.shows("send")


def test_persian_mirrors_the_screen(screen, model):
    model("سلام دنیا")
    phone = screen()
    phone.go("Settings")
    phone.tap("language-fa")
    phone.until(lambda: phone.page.get_by_role("tab", name="گفت‌وگو").count() == 1)
    places = [phone.page.get_by_role("tab", name=name).bounding_box()["x"] for name in ("گفت‌وگو", "تنظیمات")]
    assert places[0] > places[1]
    phone.go("گفت‌وگو")
    phone.until(lambda: phone.shows("composer"))
    send, sources = phone.part("send").bounding_box(), phone.part("sources").bounding_box()
    assert send["x"] < sources["x"]


def test_a_killed_engine_is_told_and_the_next_answer_comes(screen):
    desktop = screen(size=DESKTOP)
    desktop.write("composer", LONG)
    desktop.tap("send")
    desktop.until(lambda: desktop.shows("message-assistant") and len(desktop.text("message-assistant")) > 20)
    [app] = [child for child in psutil.Process().children() if "main.py" in " ".join(child.cmdline())]
    engines = [child for child in app.children(recursive=True) if "engines" in " ".join(child.cmdline())]
    for engine in engines or app.children(recursive=True):
        os.kill(engine.pid, signal.SIGKILL)
    desktop.until(lambda: desktop.shows("message-error"))
    assert "stopped unexpectedly" in desktop.text("message-error")
    assert len(desktop.text("message-assistant")) > 20
    desktop.tap("regenerate")
    desktop.until(lambda: desktop.shows("stop") and desktop.shows("message-assistant"))
    desktop.tap("stop")
    desktop.until(lambda: desktop.shows("message-state"))


@pytest.fixture
def bare_server(home, tmp_path):
    """The app where no starter model is installed, and a hub on this device that has the best model."""
    hidden = tmp_path / "hidden" / STARTER_PACKAGE
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").touch()  # found before the real one, and holds no model
    environment = {"PYTHONPATH": str(hidden.parent), "HF_HOME": str(tmp_path / "nobody"), "HF_TOKEN": ""}
    content = make_tiny_gguf(tmp_path / "tiny.gguf", reply="Hello from your own device.").read_bytes()
    with hub_server() as hub:
        for model in Catalogue.load().models:
            for file in model.files:
                hub.files[f"{model.repository}/{file.name}"] = content
        SettingsStore(home.settings).change(hub_endpoint=hub.hub)
        app = Server(home.data, tmp_path / "server.log", environment)
        yield app
        app.stop()


def test_from_no_model_to_the_first_answer_in_one_flow(browser, bare_server):
    with open_screen(browser, bare_server.url) as phone:
        phone.until(lambda: phone.shows("get-first-model"))
        phone.write("composer", "Who are you?")
        phone.tap("get-first-model")
        phone.until(lambda: phone.shows("dialog-confirm") or not phone.shows("first-model"))
        if phone.shows("dialog-confirm"):
            phone.tap("dialog-confirm")
        phone.until(lambda: phone.shows("example-write"))
        assert "Who are you?" in phone.text("composer"), "what was typed has waited"
        phone.tap("send")
        phone.until(lambda: phone.shows("regenerate"))
        assert "Hello from your own device." in phone.text("message-assistant")
        assert phone.foreign == []


def test_the_parts_of_a_split_model_are_sent_by_the_browser_and_answer(browser, bare_server, home, tmp_path):
    first = make_tiny_gguf(tmp_path / "split.gguf", reply="I am in parts.", tensors_per_part=9)
    with open_screen(browser, bare_server.url) as phone:
        phone.until(lambda: phone.shows("first-file"))
        phone.choose_files("first-file", *parts_beside(first))
        phone.until(lambda: phone.shows("example-write"))
        phone.write("composer", "What are you?")
        phone.tap("send")
        phone.until(lambda: phone.shows("regenerate"))
        assert "I am in parts." in phone.text("message-assistant")
        assert list(home.uploads.iterdir()) == []


def test_a_model_is_found_on_the_hub_and_answers(browser, bare_server):
    repository = Catalogue.load().get("qwen3-0.6b").repository
    with open_screen(browser, bare_server.url) as phone:
        phone.tap("first-find")
        phone.write("find-text", repository)
        phone.tap("find-search")
        phone.until(lambda: phone.shows("get-Q8_0"))
        assert "Best for this device" in phone.text("file-Q8_0")
        phone.tap("get-Q8_0")
        phone.until(lambda: phone.shows("here-Q8_0"))
        phone.go("Chat")
        phone.until(lambda: phone.shows("example-write"))
        phone.write("composer", "Hello")
        phone.tap("send")
        phone.until(lambda: phone.shows("regenerate"))
        assert "Hello from your own device." in phone.text("message-assistant")
