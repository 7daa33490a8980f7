"""Servers, other programs' models and the models' folder, as a person uses them in the browser."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.browser import ROOT
from tests.engines.tiny_gguf import make_tiny_gguf

pytest.importorskip("playwright", exc_type=ImportError)

pytestmark = [pytest.mark.browser, pytest.mark.desktop("a browser and the web client")]

TALL = (390, 1500)
"""So that a whole form is on the screen."""


@pytest.fixture
def llama_server(tmp_path: Path) -> Iterator[str]:
    """Another maker's server with one model; yields its address."""
    pytest.importorskip("xllamacpp", exc_type=ImportError)
    model = make_tiny_gguf(tmp_path / "served.gguf", reply="I am another program.")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.engines.remote.real_server", str(model), "2048", "the-key"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    yield process.stdout.readline().decode().strip()
    process.communicate(b"")


def test_a_server_is_added_with_its_key_tried_and_answers(screen, model, llama_server):
    model("I am the model here.")
    phone = screen(size=TALL)
    phone.go("Models")
    phone.choose("add-model", "Connect to a server")
    phone.write("server-address", llama_server)
    phone.until(lambda: "nothing leaves it" in phone.text("server-where"))
    phone.write("server-key", "the-key")
    phone.tap("look-models")
    phone.until(lambda: "served.gguf" in phone.text())
    phone.tap("try-server")
    phone.until(lambda: phone.shows("server-works") or phone.shows("server-problem"))
    assert phone.shows("server-works"), phone.text("server-problem")
    phone.tap("save-server")
    phone.until(lambda: phone.shows("use-server"))
    phone.tap("use-server")
    phone.until(lambda: not phone.shows("use-server"))
    phone.go("Chat")
    phone.write("composer", "Who are you?")
    phone.tap("send")
    phone.until(lambda: phone.shows("regenerate"))
    assert "I am another program." in phone.text("message-assistant")


def test_the_models_are_moved_to_a_folder_that_is_typed(screen, model, home, tmp_path):
    model("I have moved.")
    phone = screen(size=(390, 2600))
    phone.go("Settings")
    phone.until(lambda: phone.shows("move-models"))
    phone.tap("move-models")
    phone.write("dialog-name", str(tmp_path / "elsewhere"))
    phone.tap("dialog-confirm")
    phone.until(lambda: "will be moved to" in phone.text())
    phone.tap("dialog-confirm")
    phone.until(lambda: phone.shows("move-models-back"))
    assert [path.name for path in (tmp_path / "elsewhere").glob("*.gguf")] == ["scripted.gguf"]
    assert list(home.data.glob("models/*.gguf")) == []
    phone.until(lambda: not phone.shows("notice"))  # which lies over the composer for a while
    phone.go("Chat")
    phone.write("composer", "Where are you?")
    phone.tap("send")
    phone.until(lambda: phone.shows("regenerate"))
    assert "I have moved." in phone.text("message-assistant")
