"""The real app on real parts: scripted tiny models, real stores, the real knowledge base."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from app import services as composition
from app.core.paths import Paths
from app.core.settings import SettingsStore
from app.main import main
from app.services import Services
from app.ui import process
from engines.library import ModelLibrary, starter
from tests.app.ui.driver import App
from tests.app.ui.word_embedder import WordEmbedder
from tests.engines.tiny_gguf import make_tiny_gguf

OpenApp = Callable[..., App]


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Paths]:
    """An own data folder without any model; everything is closed at the end."""
    monkeypatch.setenv("DAI_HOME", str(tmp_path / "home"))
    for variable in ("HOME", "USERPROFILE"):  # where models of other programs are looked for
        monkeypatch.setenv(variable, str(tmp_path / "user"))
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    monkeypatch.setattr(composition, "open_embedder", lambda *_, **__: WordEmbedder())
    paths = Paths.default().create()
    SettingsStore(paths.settings).change(language="en", theme="light")
    yield paths
    await process.close_process()


@pytest.fixture
def open_app(home: Paths) -> OpenApp:
    """Opens one more window of the app."""

    def open_(**client: Any) -> App:
        return App(main, **client)

    return open_


@pytest.fixture
def model(home: Paths) -> Callable[..., None]:
    """Installs a model that says exactly what a test wants, and lets it answer."""

    def install(reply: str, name: str = "scripted", **properties: Any) -> None:
        make_tiny_gguf(home.models / f"{name}.gguf", reply=reply, **properties)
        installed = {model.path.stem: model.id for model in ModelLibrary(home.models).installed()}
        SettingsStore(home.settings).change(model_id=installed[name])

    return install


async def services() -> Services:
    """The services behind the open windows."""
    return (await process.process()).services
