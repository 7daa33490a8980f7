"""The model store, as a person uses it; the hub is a local server that speaks its protocol."""

from __future__ import annotations

import pytest

from app.core.settings import SettingsStore
from engines.store.catalogue import Catalogue
from tests.app.ui.conftest import services
from tests.engines.store.hub_server import hub_server
from tests.engines.tiny_gguf import make_tiny_gguf

FREE = next(model for model in Catalogue.load().models if not model.needs_acceptance)
BOUND = next(model for model in Catalogue.load().models if model.needs_acceptance)


@pytest.fixture
def hub(home, monkeypatch, tmp_path):
    """The hub of the settings; has the recommended file of two models."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with hub_server() as server:
        SettingsStore(home.settings).change(hub_endpoint=server.hub)
        for number, model in enumerate((FREE, BOUND)):
            content = make_tiny_gguf(tmp_path / f"{number}.gguf", reply=f"I am {number}.").read_bytes()
            server.files[f"{model.repository}/{model.files[0].name}"] = content
        yield server


async def test_a_recommended_model_is_downloaded_and_answers(open_app, hub):
    async with open_app() as app:
        await app.go(2)
        assert "No models yet" in app.text()
        await app.until(lambda: app.shows(f"get-{FREE.id}"))
        assert hub.bodies == []
        await app.tap(f"get-{FREE.id}")
        await app.until(lambda: app.shows("unload"))  # the first model goes into memory by itself
        [model] = (await services()).models.installed()
        assert app.shows(f"model-{model.id}")
        assert not app.shows(f"get-{FREE.id}"), "what is here is not recommended any more"
        await app.go(0)
        await app.enter("composer", "Who are you?")
        await app.tap("send")
        await app.until(lambda: "I am 0." in app.text())


async def test_terms_are_agreed_to_before_anything_is_downloaded(open_app, hub):
    async with open_app() as app:
        await app.go(2)
        await app.until(lambda: app.shows(f"get-{BOUND.id}"))
        await app.tap(f"get-{BOUND.id}")
        await app.until(lambda: app.shows("dialog-confirm"))
        assert BOUND.licence.url in app.text()
        await app.tap("dialog-cancel")
        assert hub.bodies == []
        await app.tap(f"get-{BOUND.id}")
        await app.until(lambda: app.shows("dialog-confirm"))
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("unload"))


async def test_without_a_network_the_reason_is_told(open_app, home):
    SettingsStore(home.settings).change(hub_endpoint="http://127.0.0.1:9")
    async with open_app() as app:
        await app.go(2)
        await app.until(lambda: app.shows(f"get-{FREE.id}"))
        await app.tap(f"get-{FREE.id}")
        await app.until(lambda: app.shows("problem"))
        assert "127.0.0.1 does not answer" in app.text(f"catalogue-{FREE.id}")
        assert app.shows(f"get-{FREE.id}")
