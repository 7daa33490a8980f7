"""Models, as a person uses them."""

from __future__ import annotations

import flet as ft
import pytest

from app.core import model_in_memory
from engines.errors import EngineCrashed
from engines.library import ModelLibrary
from engines.split_files import parts_beside
from tests.app.ui.conftest import services
from tests.engines.tiny_gguf import make_tiny_gguf


@pytest.fixture
def model_id(home, model):
    model("Hello.")
    return ModelLibrary(home.models).installed()[0].id


async def test_a_model_shows_what_it_is_and_needs(open_app, model_id):
    async with open_app() as app:
        await app.go(2)
        card = app.text(f"model-{model_id}")
        for expected in ("Memory", "File", "Quantisation", "Context", "Fits", "Answers your questions"):
            assert expected in card
        assert not app.shows("add-first-model")


async def test_the_list_tells_what_models_take_and_what_is_free(open_app, model_id):
    async with open_app() as app:
        await app.go(2)
        await app.until(lambda: app.shows("disk-space"))
        assert "of models" in app.text("disk-space")
        assert "free" in app.text("disk-space")
        assert not app.shows("search-models"), "one model is found without"


async def test_where_no_model_takes_room_only_what_is_free_is_told(open_app, home):
    outside = make_tiny_gguf(home.data / "linked.gguf", reply="Yes.")
    ModelLibrary(home.models).add(outside, link=True)
    async with open_app() as app:
        await app.go(2)
        await app.until(lambda: app.shows("disk-space"))
        assert app.text("disk-space").endswith("free for models")


async def test_one_of_many_models_is_found_by_words(open_app, home):
    names = ("Alpha Chat", "Beta Chat", "Gamma", "Delta", "Epsilon", "Zeta")
    for name in names:
        make_tiny_gguf(home.models / f"{name}.gguf", reply="Yes.", name=name)
    shown = {model.name: f"model-{model.id}" for model in ModelLibrary(home.models).installed()}
    async with open_app() as app:
        await app.go(2)
        await app.until(lambda: app.shows("search-models"))
        await app.enter("search-models", "CHAT bet")
        await app.until(lambda: not app.shows(shown["Gamma"]))
        assert [name for name in names if app.shows(shown[name])] == ["Beta Chat"]
        await app.enter("search-models", "nothing like it")
        await app.until(lambda: app.shows("no-such-model"))
        assert not app.shows("add-first-model"), "there are models"
        await app.go(0)
        await app.go(2)
        assert app.all(ft.TextField, app.mark("search-models"))[0].value == "nothing like it"
        await app.enter("search-models", "")
        await app.until(lambda: all(app.shows(mark) for mark in shown.values()))


async def test_a_model_is_loaded_and_unloaded(open_app, model_id):
    async with open_app() as app:
        await app.go(2)
        await app.tap("load")
        await app.until(lambda: app.shows("unload"))
        assert "In memory" in app.text(f"model-{model_id}")
        await app.tap("unload")
        await app.until(lambda: app.shows("load"))
        assert (await services()).models.loaded is None


async def test_a_model_that_does_not_fit_is_loaded_only_after_a_question(open_app, model_id, monkeypatch):
    monkeypatch.setattr(model_in_memory, "available_memory", lambda: 1000)
    async with open_app() as app:
        await app.go(2)
        assert "Too large" in app.text(f"model-{model_id}")
        await app.tap("load")
        await app.until(app.open_dialogs)
        assert "1 kB are free" in app.text(app.open_dialogs()[0])
        await app.tap("dialog-cancel")
        assert (await services()).models.loaded is None
        await app.tap("load")
        await app.until(app.open_dialogs)
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("unload"))


async def test_a_model_that_crashed_twice_is_loaded_only_after_a_question(open_app, model_id):
    async with open_app() as app:
        await app.go(2)
        models = (await services()).models
        await models.load(model_id)
        for _ in range(2):
            with pytest.raises(EngineCrashed), models.in_use():
                raise EngineCrashed("scripted", 11)
        await models.unload()
        await app.until(lambda: app.shows("load"))
        await app.tap("load")
        await app.until(app.open_dialogs)
        assert "twice in a row" in app.text(app.open_dialogs()[0])
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("unload"))


async def test_a_question_to_a_model_that_does_not_fit_says_so_in_the_conversation(
    open_app, model_id, monkeypatch
):
    monkeypatch.setattr(model_in_memory, "available_memory", lambda: 1000)
    async with open_app() as app:
        await app.enter("composer", "Hello?")
        await app.tap("send")
        await app.until(lambda: app.shows("message-error"))
        assert "needs" in app.text("message-error")
        assert "1 kB are free" in app.text("message-error")
        monkeypatch.undo()
        await app.tap("regenerate")
        await app.until(
            lambda: "Hello." in app.text("message-assistant") if app.shows("message-assistant") else 0
        )


async def test_a_model_file_is_added_and_answers_at_once(open_app, tmp_path):
    file = make_tiny_gguf(tmp_path / "brought.gguf", reply="I am new here.")
    async with open_app() as app:
        app.client.answers["pick_files"] = [{"id": 0, "name": file.name, "size": 1, "path": str(file)}]
        await app.go(2)
        await app.tap("add-first-model")
        await app.until(lambda: app.shows("load"))
        assert file.exists()
        await app.go(0)
        await app.enter("composer", "Who are you?")
        await app.tap("send")
        await app.until(lambda: "I am new here." in app.text())


async def test_the_parts_of_a_split_model_are_chosen_together_and_become_one(open_app, tmp_path):
    first = make_tiny_gguf(tmp_path / "split.gguf", reply="I am in parts.", tensors_per_part=9)
    parts = sorted(parts_beside(first), reverse=True)
    whole = make_tiny_gguf(tmp_path / "whole.gguf", reply="I am whole.", architecture="gemma3")
    async with open_app() as app:
        app.client.answers["pick_files"] = [
            {"id": number, "name": path.name, "size": path.stat().st_size, "path": str(path)}
            for number, path in enumerate([*parts, whole])
        ]
        await app.go(2)
        await app.tap("add-first-model")
        await app.until(lambda: len(app.marks("load")) == 2)
        opened = (await services()).models
        assert sorted(model.parts for model in opened.installed()) == [1, 3]
        assert not opened.broken()


async def test_a_part_that_was_not_brought_along_is_told_by_its_name(open_app, tmp_path):
    first = make_tiny_gguf(tmp_path / "split.gguf", tensors_per_part=9)
    parts_beside(first)[2].unlink()
    async with open_app() as app:
        app.client.answers["pick_files"] = [{"id": 1, "name": first.name, "size": 1, "path": str(first)}]
        await app.go(2)
        await app.tap("add-first-model")
        await app.until(lambda: app.shows("notice"))
        assert "“split-00003-of-00003.gguf” is missing" in app.text("notice")


async def test_a_file_that_is_no_model_is_refused_with_the_reason(open_app, tmp_path):
    file = tmp_path / "notes.gguf"
    file.write_text("these are notes")
    async with open_app() as app:
        app.client.answers["pick_files"] = [{"id": 0, "name": file.name, "size": 15, "path": str(file)}]
        await app.go(2)
        await app.tap("add-first-model")
        await app.until(lambda: app.shows("notice"))
        assert "“notes.gguf” is not a GGUF model." in app.text("notice")
        assert app.shows("add-first-model")


async def test_a_cancelled_choice_changes_nothing(open_app):
    async with open_app() as app:
        app.client.answers["pick_files"] = []
        await app.go(2)
        await app.tap("add-first-model")
        assert app.shows("add-first-model")
        assert not app.open_dialogs()


async def test_a_broken_file_is_listed_with_the_reason(open_app, home):
    (home.models / "half.gguf").write_bytes(b"GGUF\x03\x00\x00\x00")
    async with open_app() as app:
        await app.go(2)
        assert "half.gguf" in app.text("broken-model")
        assert "damaged or incomplete" in app.text("broken-model")
        assert app.shows("add-first-model"), "the way on is still there"


async def test_a_broken_file_can_be_removed(open_app, home):
    file = home.models / "half.gguf"
    file.write_bytes(b"GGUF\x03\x00\x00\x00")
    async with open_app() as app:
        await app.go(2)
        await app.tap("remove-broken")
        assert "half.gguf cannot be used. Removing it frees 8 bytes." in app.text()
        await app.tap("dialog-cancel")
        assert file.exists()
        await app.tap("remove-broken")
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.shows("broken-model"))
        assert not file.exists()
        assert "8 bytes freed" in app.text("notice")


async def test_a_model_is_removed_only_after_a_question(open_app, model_id, home):
    async with open_app() as app:
        await app.go(2)
        await app.tap("remove-model")
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("notice"))
        assert "freed" in app.text("notice")
        await app.until(lambda: not app.shows(f"model-{model_id}"))
        assert not list(home.models.glob("*.gguf"))
        await app.go(0)
        assert "First, a model" in app.text()


async def test_persian_names_every_part(open_app, model_id, home):
    async with open_app() as app:
        await app.go(4)
        await app.tap("language-fa")
        await app.go(2)
        await app.until(lambda: "جا می‌شود" in app.text(f"model-{model_id}"))
        assert app.all(ft.FilledButton, app.mark("load"))[0].content == "بارگذاری"


async def test_a_servers_model_tells_everywhere_where_questions_go(open_app, model_id):
    async with open_app() as app:
        opened = await services()
        server = opened.models.add_server("Study", "http://192.168.7.7:8080/v1", "qwen3")
        await app.until(lambda: app.shows("example-explain"))
        assert "Stays on this device" in app.text("privacy")
        await app.go(2)
        await app.until(lambda: app.shows(server.id))
        assert "Goes to 192.168.7.7:8080" in app.text(server.id)
        assert "not encrypted" in app.text(server.id)
        opened.settings.change(model_id=server.id)
        await app.go(0)
        await app.until(lambda: "Goes to 192.168.7.7:8080, not encrypted" in app.text("privacy"))
        assert "Study" in app.text()
        assert "Nothing you type leaves it" not in app.text()


async def test_a_servers_model_is_forgotten_only_after_a_question(open_app, model_id):
    async with open_app() as app:
        opened = await services()
        server = opened.models.add_server("Study", "https://example.org/v1", "qwen3")
        await app.go(2)
        await app.until(lambda: app.shows(server.id))
        await app.tap("remove-server")
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.shows(server.id))
        assert opened.models.servers.added() == []
