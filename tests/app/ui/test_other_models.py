"""Models of other programs on the models screen, as a person uses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.library import ModelLibrary, found
from tests.app.ui.conftest import services
from tests.engines.tiny_gguf import make_tiny_gguf

pytestmark = pytest.mark.desktop("models of other programs")


@pytest.fixture
def studio(home, tmp_path) -> Path:
    """The folder of another program, with one model."""
    folder = tmp_path / "user/.lmstudio/models/someone/Tiny"
    folder.mkdir(parents=True)
    return make_tiny_gguf(folder / "tiny.gguf", reply="I lie elsewhere.", name="Tiny of another")


async def test_a_model_of_another_program_is_used_where_it_lies(open_app, home, studio):
    async with open_app() as app:
        await app.go(2)
        await app.until(lambda: app.shows("found-tiny.gguf"))
        card = app.text("found-tiny.gguf")
        assert "Tiny of another" in card
        assert "LM Studio" in card
        assert "someone/Tiny" in card
        assert "Fits" in card
        await app.tap("use-found")
        await app.until(lambda: not app.shows("found-tiny.gguf") and app.shows("load"))
        assert "Tiny of another is in the list" in app.text("notice")
        [model] = ModelLibrary(home.models).installed()
        assert (model.path, model.origin) == (studio, "linked")
        assert list(home.models.glob("*.gguf")) == []
        await app.go(0)
        await app.enter("composer", "Where are you?")
        await app.tap("send")
        await app.until(lambda: "I lie elsewhere." in app.text())


async def test_a_model_that_is_removed_from_the_list_is_offered_again_and_stays_where_it_is(
    open_app, home, studio
):
    ModelLibrary(home.models).add(studio, link=True)
    async with open_app() as app:
        await app.go(2)
        await app.until(lambda: app.shows("load"))
        assert not app.shows("found-tiny.gguf")
        opened = await services()
        await opened.models.remove(opened.models.installed()[0].id)
        await app.until(lambda: app.shows("found-tiny.gguf"))
        assert studio.exists()


async def test_a_hidden_model_stays_hidden_until_all_are_shown(open_app, studio):
    async with open_app() as app:
        await app.go(2)
        await app.until(lambda: app.shows("hide-found"))
        await app.tap("hide-found")
        await app.until(lambda: not app.shows("found-tiny.gguf"))
        assert app.shows("show-hidden")
    async with open_app() as later:
        await later.go(2)
        await later.until(lambda: later.shows("show-hidden"))
        assert not later.shows("found-tiny.gguf")
        await later.tap("show-hidden")
        await later.until(lambda: later.shows("found-tiny.gguf"))


async def test_what_another_program_brings_later_is_found_on_request(open_app, studio):
    async with open_app() as app:
        await app.go(2)
        await app.until(lambda: app.shows("look-found"))
        make_tiny_gguf(studio.with_name("second.gguf"), reply="Second.", name="Second")
        await app.tap("look-found")
        await app.until(lambda: app.shows("found-second.gguf"))


async def test_a_model_that_has_gone_meanwhile_is_told(open_app, studio):
    async with open_app() as app:
        await app.go(2)
        await app.until(lambda: app.shows("use-found"))
        studio.unlink()
        await app.tap("use-found")
        await app.until(lambda: app.shows("notice"))
        assert "moved or deleted" in app.text("notice")


async def test_where_nothing_is_found_nothing_is_said(open_app):
    async with open_app() as app:
        await app.go(2)
        assert "Found on this device" not in app.text()


async def test_on_a_phone_there_is_no_such_section(open_app, studio, monkeypatch):
    monkeypatch.setattr(found, "programs_possible", lambda platform: False)
    async with open_app() as app:
        await app.go(2)
        assert "Found on this device" not in app.text()
