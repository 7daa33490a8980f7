"""Settings of models, documents and the network, as a person uses them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.core.errors import OtherProcess
from app.core.models_folder import ModelsFolder
from app.core.settings import SettingsStore
from tests.app.ui.conftest import services
from tests.engines.tiny_gguf import make_tiny_gguf


def kept(home):
    return SettingsStore(home.settings).current


@pytest.mark.parametrize(
    ("tap", "setting", "value"),
    [
        ("idle-0", "unload_after_minutes", 0),
        ("idle-30", "unload_after_minutes", 30),
        ("length-2048", "max_answer_tokens", 2048),
        ("passages-9", "passages", 9),
    ],
)
async def test_a_choice_is_kept(open_app, home, tap, setting, value):
    async with open_app() as app:
        await app.go(4)
        await app.tap(tap)
        assert getattr(kept(home), setting) == value
        assert app.mark(tap).selected


async def test_an_unusual_value_is_one_of_the_choices(open_app, home):
    SettingsStore(home.settings).change(unload_after_minutes=7, passages=5)
    async with open_app() as app:
        await app.go(4)
        assert app.mark("idle-7").selected
        assert "7 minutes" in app.text("idle-7")
        assert app.mark("passages-5").selected


async def test_an_embedder_that_is_not_installed_any_more_is_still_shown(open_app, home):
    SettingsStore(home.settings).change(embedder="gguf:gone")
    async with open_app() as app:
        await app.go(4)
        assert app.mark("embedder-gguf:gone").selected
        await app.tap("embedder-auto")
        assert kept(home).embedder == "auto"


async def test_instructions_are_kept_when_they_are_saved(open_app, home):
    async with open_app() as app:
        await app.go(4)
        assert not app.shows("save-system_prompt")
        await app.enter("system_prompt", "Answer like a pirate.\nAlways.")
        assert kept(home).system_prompt == ""
        await app.tap("save-system_prompt")
        await app.until(lambda: not app.shows("save-system_prompt"))
        assert kept(home).system_prompt == "Answer like a pirate.\nAlways."
        await app.tap("reset-system_prompt")
        await app.until(lambda: not app.shows("reset-system_prompt"))
        assert kept(home).system_prompt == ""
        assert "pirate" not in app.text("system_prompt")


async def test_a_mirror_and_a_proxy_stand_folded_and_can_be_taken_back(open_app, home):
    async with open_app() as app:
        await app.go(4)
        assert not app.shows("proxy")
        await app.tap("network-settings")
        await app.enter("hub_endpoint", " mirror.example.org/ ")
        await app.tap("save-hub_endpoint")
        await app.until(lambda: kept(home).hub_endpoint == "https://mirror.example.org")
        await app.enter("proxy", "proxy.example.org:3128")
        await app.submit("proxy")
        await app.until(lambda: kept(home).proxy == "http://proxy.example.org:3128")
        await app.until(lambda: "http://proxy.example.org:3128" in app.text("proxy"))
    async with open_app() as later:
        await later.go(4)
        assert later.shows("proxy"), "what is not usual is not folded"
        await later.tap("reset-hub_endpoint")
        await later.tap("reset-proxy")
        await later.until(lambda: not later.shows("reset-proxy"))
        assert (kept(home).hub_endpoint, kept(home).proxy) == ("https://huggingface.co", None)


@pytest.mark.parametrize("typed", ["ftp://mirror.example.org", "two words", "https://user:secret@host"])
async def test_what_is_no_address_is_refused_below_its_field(open_app, home, typed):
    async with open_app() as app:
        await app.go(4)
        await app.tap("network-settings")
        await app.enter("hub_endpoint", typed)
        await app.tap("save-hub_endpoint")
        await app.until(lambda: "This is not an address" in app.text("hub_endpoint"))
        assert kept(home).hub_endpoint == "https://huggingface.co"
        await app.enter("hub_endpoint", "https://mirror.example.org")
        assert "This is not an address" not in app.text("hub_endpoint")


async def test_the_models_are_moved_to_a_folder_that_is_picked(open_app, home, model, tmp_path):
    model("I have moved.")
    async with open_app() as app:
        app.client.answers["get_directory_path"] = str(tmp_path / "new")
        await app.go(4)
        await app.until(lambda: app.shows("move-models"))
        assert str(home.models) in app.text("models-folder")
        assert "of models" in app.text("models-folder")
        await app.tap("move-models")
        await app.until(app.open_dialogs)
        assert str(tmp_path / "new") in app.text(app.open_dialogs()[0])
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("move-models-back"))
        assert str(tmp_path / "new") in app.text("models-folder")
        assert f"The models are in {tmp_path / 'new'} now." in app.text("notice")
        await app.go(0)
        await app.enter("composer", "Where?")
        await app.tap("send")
        await app.until(lambda: "I have moved." in app.text())
        await app.until(lambda: not app.shows("stop"))
        await app.go(4)
        await app.tap("move-models-back")
        await app.until(app.open_dialogs)
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.shows("move-models-back"))
        assert list(home.models.glob("*.gguf"))


async def test_in_a_browser_the_folder_is_typed_and_nonsense_is_refused(open_app, home, model, tmp_path):
    model("Here.")
    async with open_app(web=True) as app:
        await app.go(4)
        await app.until(lambda: app.shows("move-models"))
        await app.tap("move-models")
        await app.enter("dialog-name", "no/root")
        await app.tap("dialog-confirm")
        await app.until(lambda: "This is not a folder" in app.text("dialog-name"))
        await app.enter("dialog-name", str(home.models / "inside"))
        await app.tap("dialog-confirm")
        await app.until(lambda: "lies inside it" in app.text("dialog-name"))
        await app.enter("dialog-name", str(tmp_path / "new"))
        prompt = app.open_dialogs()[-1]
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.shows("dialog-name") and app.shows("dialog-confirm"))
        await app.fire(prompt, "dismiss")  # which a client tells when the dialog has faded away
        assert app.shows("dialog-confirm")
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("move-models-back"))
        assert (tmp_path / "new" / "scripted.gguf").exists()


async def test_a_picked_folder_that_cannot_be_is_told(open_app, home, model):
    model("Here.")
    async with open_app() as app:
        app.client.answers["get_directory_path"] = str(home.models)
        await app.go(4)
        await app.until(lambda: app.shows("move-models"))
        await app.tap("move-models")
        await app.until(lambda: app.shows("notice"))
        assert "is the folder that the models are in" in app.text("notice")
        app.client.answers["get_directory_path"] = None
        await app.tap("move-models")
        assert not app.shows("dialog-confirm")


async def test_a_move_shows_how_far_it_is_and_can_be_cancelled(open_app, home, model, tmp_path, monkeypatch):
    model("Here.")
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def move(wanted, progress) -> Path:
        progress(42, 100)
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return Path(wanted)

    async with open_app() as app:
        app.client.answers["get_directory_path"] = str(tmp_path / "new")
        monkeypatch.setattr((await services()).models_folder, "move", move)
        await app.go(4)
        await app.until(lambda: app.shows("move-models"))
        await app.tap("move-models")
        await app.until(app.open_dialogs)
        moving = asyncio.create_task(app.tap("dialog-confirm"))
        await app.until(lambda: "Moving: 42%" in app.text("models-folder"))
        assert not app.shows("move-models")
        await app.tap("cancel-move")
        await moving
        await app.until(lambda: app.shows("move-models"))
        assert cancelled.is_set()


async def test_models_in_use_elsewhere_are_not_moved(open_app, home, model, tmp_path, monkeypatch):
    model("Here.")

    async def move(wanted, progress) -> Path:
        raise OtherProcess

    async with open_app() as app:
        app.client.answers["get_directory_path"] = str(tmp_path / "new")
        monkeypatch.setattr((await services()).models_folder, "move", move)
        await app.go(4)
        await app.until(lambda: app.shows("move-models"))
        await app.tap("move-models")
        await app.until(app.open_dialogs)
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("notice"))
        assert "Another window or terminal" in app.text("notice")
        assert app.shows("move-models")


async def test_a_folder_whose_disk_is_away_is_told(open_app, home, tmp_path):
    SettingsStore(home.settings).change(models_folder=str(tmp_path / "away"))
    async with open_app() as app:
        await app.go(4)
        await app.until(lambda: app.shows("folder-missing"))
        assert str(tmp_path / "away") in app.text("models-folder")
        assert not app.shows("move-models")
        await app.go(2)
        await app.until(lambda: app.shows("folder-missing"))
        assert "Is its disk connected?" in app.text("folder-missing")
        assert not app.shows("add-first-model"), "there may be models, only not here"
        await app.tap("folder-settings")
        await app.until(lambda: app.shows("give-up-folder"))
        await app.tap("give-up-folder")
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("move-models"))
        assert str(home.models) in app.text("models-folder")
        await app.go(2)
        await app.until(lambda: app.shows("add-first-model"))
    assert not (tmp_path / "away").exists()


async def test_a_disk_that_is_connected_again_is_seen(open_app, home, tmp_path):
    SettingsStore(home.settings).change(models_folder=str(tmp_path / "disk"))
    async with open_app() as app:
        await app.go(2)
        await app.until(lambda: app.shows("look-folder"))
        (tmp_path / "disk").mkdir()
        make_tiny_gguf(tmp_path / "disk" / "back.gguf", reply="I am back.", name="Back again")
        await app.tap("look-folder")
        await app.until(lambda: "Back again" in app.text())
        assert not app.shows("folder-missing")


async def test_on_a_phone_the_folder_is_shown_and_cannot_be_moved(open_app, home, monkeypatch):
    monkeypatch.setattr(ModelsFolder, "movable", False)
    async with open_app() as app:
        await app.go(4)
        await app.until(lambda: str(home.models) in app.text("models-folder"))
        assert not app.shows("move-models")
