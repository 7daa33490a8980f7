"""However the program ends, the engine's process ends with it, and no word that was written is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.core.conversations import Conversations
from app.core.messages import MessageState
from app.core.paths import Paths
from app.core.settings import SettingsStore
from engines.library import ModelLibrary
from tests.engines.child_processes import LLAMA_CPP
from tests.engines.tiny_gguf import make_tiny_gguf

pytestmark = [pytest.mark.desktop("child processes, psutil"), pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SECONDS = 60
WORDS = "One two three four. "
PROGRAMS = {
    "ask": ["-m", "app.cli", "ask", "Go on"],
    "chat": ["-m", "app.cli", "chat"],
    "web": ["-m", "tests.app.web_with_a_model"],
}
ENDS = [signal.SIGTERM, signal.SIGINT, signal.SIGKILL]
ENDS += [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []


@pytest.fixture
def home(tmp_path: Path) -> Paths:
    """A model that goes on for ever."""
    paths = Paths(tmp_path / "home").create()
    path = make_tiny_gguf(paths.models / "model.gguf", reply=WORDS, loop=True, context=40_000)
    model = next(model for model in ModelLibrary(paths.models).installed() if model.path == path)
    SettingsStore(paths.settings).change(
        language="en", model_id=model.id, context_tokens=32_768, max_answer_tokens=32_768
    )
    return paths


@contextmanager
def answering(home: Paths, name: str) -> Iterator[tuple[subprocess.Popen[bytes], Any]]:
    """A program that writes an answer, and its engine's process."""
    psutil = pytest.importorskip("psutil")
    environment = os.environ | {"DAI_HOME": str(home.data), "DAI_ENGINE_HOST": "process"}
    process = subprocess.Popen(
        [sys.executable, *PROGRAMS[name]],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if name == "chat":
            process.stdin.write(b"Go on\n")
        assert process.stdout.read(1)
        children = psutil.Process(process.pid).children(recursive=True)
        [engine] = [child for child in children if LLAMA_CPP in child.cmdline()]
        yield process, engine
    finally:
        process.kill()
        process.communicate()


def has_ended(process: Any) -> bool:
    """Whether it ends soon; one that nobody has buried yet has ended, too."""
    psutil = pytest.importorskip("psutil")
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.name)
def test_no_engine_outlives_the_program_and_its_words_are_kept(
    home: Paths, name: str, end: signal.Signals
) -> None:
    with answering(home, name) as (program, engine):
        program.send_signal(end)
        _, errors = program.communicate(timeout=SECONDS)

        assert has_ended(engine)
        assert b"Traceback" not in errors
        if name == "web" and end is signal.SIGINT:
            assert program.returncode in (0, 130)
        elif name == "chat" and end is signal.SIGINT:  # stops the answer; then the piped questions are over
            assert program.returncode == 0
        else:
            assert program.returncode == (-end if end is signal.SIGKILL else 128 + end)

    conversations = Conversations(home.conversations)
    conversations.recover()
    [conversation] = conversations.list()
    answer = conversations.messages(conversation.id)[-1]
    conversations.close()
    assert answer.state in (MessageState.STOPPED, MessageState.INTERRUPTED)
    if end is not signal.SIGKILL:
        assert answer.text.startswith("One")
