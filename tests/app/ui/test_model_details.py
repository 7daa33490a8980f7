"""The page of one model, as a person uses it."""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading

import flet as ft
import pytest
from msgspec.structs import replace

from app.ui import routes
from app.ui.state.model_details import in_catalogue
from engines.library import ModelLibrary, ModelSource, model_library
from engines.store.catalogue import Catalogue
from tests.app.ui.conftest import services
from tests.engines.tiny_gguf import make_tiny_gguf

KNOWN = Catalogue.load().models[0]
SOURCE = ModelSource(
    repository=KNOWN.repository, revision="c0ffee", file=KNOWN.files[0].name, bytes=1, sha256="ab" * 32
)


@pytest.fixture
def model_id(home, model):
    model("Hello.")
    return ModelLibrary(home.models).installed()[0].id


@pytest.fixture
def downloaded(home, tmp_path):
    """A model that looks as if it came from the catalogue; returns its id."""
    arrived = make_tiny_gguf(tmp_path / "arrived.gguf", reply="Hi.")
    source = replace(SOURCE, bytes=arrived.stat().st_size)
    return ModelLibrary(home.models).adopt(arrived, KNOWN.name, source).id


async def test_a_tap_on_a_card_opens_the_models_page_and_the_arrow_leads_back(open_app, model_id):
    async with open_app() as app:
        await app.go(2)
        await app.tap(f"model-{model_id}")
        await app.until(lambda: "Free memory now" in app.text())
        assert app.page.route == routes.of_model(model_id)
        page = app.text("about-model")
        for expected in ("Fits", "Added by you", "Memory", "Free memory now", "Quantisation", "Family"):
            assert expected in page
        assert "scripted.gguf" in page
        await app.tap("back")
        await app.until(lambda: app.shows(f"model-{model_id}"))
        assert not app.shows("about-model")


async def test_the_keyboard_reaches_the_page_by_a_button_of_its_own(open_app, model_id):
    async with open_app() as app:
        await app.go(2)
        assert "Details of" in app.text("open-details")
        await app.tap("open-details")
        await app.until(lambda: app.shows("about-model"))


async def test_an_odd_file_name_survives_the_address(open_app, home):
    make_tiny_gguf(home.models / "50% off? #1 مدل.gguf", reply="Hi.")
    [model] = ModelLibrary(home.models).installed()
    async with open_app() as app:
        await app.go(2)
        await app.tap(f"model-{model.id}")
        await app.until(lambda: app.shows("about-model"))
        assert "50% off? #1 مدل.gguf" in app.text("about-model")


@pytest.mark.parametrize(
    "model_id", ["starter:A-1.5B.Q4_1", "x~2e y", "50% off? #1 مدل.gguf", "a/b", "\udcff"]
)
def test_an_address_holds_any_id_in_characters_that_nobody_changes_on_the_way(model_id):
    route = routes.of_model(model_id)
    assert re.fullmatch("/models/installed/[A-Za-z0-9_~-]+", route)
    assert routes.model_of(route) == model_id
    assert routes.model_of(f"{route}/?x=1") == model_id


async def test_the_page_loads_and_unloads(open_app, model_id):
    async with open_app() as app:
        app.page.navigate(routes.of_model(model_id))
        await app.until(lambda: app.shows("load"))
        await app.tap("load")
        await app.until(lambda: app.shows("unload"))
        assert "In memory" in app.text("about-model")
        await app.tap("unload")
        await app.until(lambda: app.shows("load"))


async def test_a_model_that_is_removed_says_so_and_leads_back(open_app, model_id):
    async with open_app() as app:
        app.page.navigate(routes.of_model(model_id))
        await app.until(lambda: app.shows("remove-model"))
        assert "frees" in str(app.all(ft.TextButton, app.mark("remove-model"))[0].content)
        await app.tap("remove-model")
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("gone-back"))
        assert "not here any more" in app.text()
        await app.tap("gone-back")
        await app.until(lambda: app.shows("add-first-model"))


async def test_a_model_that_another_program_deletes_disappears_in_the_open(open_app, model_id, home):
    async with open_app() as app:
        app.page.navigate(routes.of_model(model_id))
        await app.until(lambda: app.shows("about-model"))
        (home.models / "scripted.gguf").unlink()
        (await services()).models.look_again()
        await app.until(lambda: app.shows("gone-back"))


async def test_an_address_of_no_model_says_so(open_app, model_id):
    async with open_app() as app:
        app.page.navigate(routes.of_model("sideloaded:never"))
        await app.until(lambda: app.shows("gone-back"))


async def test_a_downloaded_model_tells_where_it_came_from_and_under_which_terms(open_app, downloaded):
    async with open_app() as app:
        app.page.navigate(routes.of_model(downloaded))
        await app.until(lambda: app.shows("read-licence"))
        page = app.text("about-model")
        for expected in (
            KNOWN.repository,
            "c0ffee",
            KNOWN.licence.name,
            KNOWN.description.en,
            "Persian, by our reading\nfair",
        ):
            assert expected in page
        assert SOURCE.sha256 not in page


async def test_an_altered_file_is_told_as_such(open_app, downloaded):
    async with open_app() as app:
        app.page.navigate(routes.of_model(downloaded))
        await app.until(lambda: app.shows("check-file"))
        await app.tap("check-file")
        await app.until(lambda: "is not what was downloaded" in app.text("notice"))
        assert not app.shows("file-checked")


async def test_a_sound_file_is_told_as_such_with_its_hash(open_app, home, tmp_path):
    arrived = make_tiny_gguf(tmp_path / "arrived.gguf", reply="Hi.")
    content = arrived.read_bytes()
    hash_ = hashlib.sha256(content).hexdigest()
    source = replace(SOURCE, bytes=len(content), sha256=hash_)
    model = ModelLibrary(home.models).adopt(arrived, KNOWN.name, source)
    async with open_app() as app:
        app.page.navigate(routes.of_model(model.id))
        await app.until(lambda: app.shows("check-file"))
        await app.tap("check-file")
        await app.until(lambda: app.shows("file-checked"))
        assert "to the last bit" in app.text("file-checked")
        await app.tap("copy-hash")
        assert ("set", {"data": hash_}) in app.client.calls


async def test_a_file_that_nobody_knows_has_its_hash_shown(open_app, model_id, home):
    async with open_app() as app:
        app.page.navigate(routes.of_model(model_id))
        await app.until(lambda: app.shows("check-file"))
        await app.tap("check-file")
        await app.until(lambda: app.shows("file-checked"))
        assert "Nobody has noted" in app.text("file-checked")
        content = (home.models / "scripted.gguf").read_bytes()
        assert hashlib.sha256(content).hexdigest() in app.text("about-model")


async def test_a_check_can_be_stopped(open_app, model_id, monkeypatch):
    waiting = threading.Event()

    def read_for_ever(_model, progress):
        while True:
            progress(1, 2)
            waiting.wait(0.01)

    monkeypatch.setattr(model_library, "check_content", read_for_ever)
    async with open_app() as app:
        app.page.navigate(routes.of_model(model_id))
        await app.until(lambda: app.shows("check-file"))
        checking = asyncio.create_task(app.tap("check-file"))
        await app.until(lambda: app.shows("stop-check"))
        await app.until(lambda: "50%" in app.text("about-model"))
        await app.tap("stop-check")
        await checking
        await app.until(lambda: app.shows("check-file"))
        assert not app.shows("file-checked")


async def test_the_path_is_copied(open_app, model_id, home):
    async with open_app() as app:
        app.page.navigate(routes.of_model(model_id))
        await app.until(lambda: app.shows("copy-path"))
        await app.tap("copy-path")
        assert ("set", {"data": str(home.models / "scripted.gguf")}) in app.client.calls


async def test_a_base_model_says_in_plain_words_that_it_does_not_chat(open_app, home):
    make_tiny_gguf(home.models / "base.gguf", reply="on and on", chat_template=None)
    [model] = ModelLibrary(home.models).installed()
    async with open_app() as app:
        app.page.navigate(routes.of_model(model.id))
        await app.until(lambda: app.shows("about-model"))
        assert "does not chat" in app.text("about-model")


async def test_the_page_is_persian_and_mirrored(open_app, downloaded, home):
    async with open_app() as app:
        await app.go(4)
        await app.tap("language-fa")
        app.page.navigate(routes.of_model(downloaded))
        await app.until(lambda: app.shows("read-licence"))
        page = app.text("about-model")
        assert KNOWN.description.fa in page
        assert "انگلیسی، فارسی، عربی" in page


def test_only_a_sure_match_takes_facts_from_the_catalogue(home, downloaded):
    [model] = ModelLibrary(home.models).installed()
    catalogue = Catalogue.load()
    assert in_catalogue(catalogue, model) == KNOWN
    make_tiny_gguf(home.models / f"{KNOWN.name}.gguf", reply="Hi.")
    others = [other for other in ModelLibrary(home.models).installed() if other.id != model.id]
    assert [in_catalogue(catalogue, other) for other in others] == [None] * len(others)
