"""Options of a model and of a conversation, as a person sets them."""

from __future__ import annotations

import asyncio
import threading

import flet as ft
import pytest

from app.core.model_options import AdapterUse, AnswerOptions, ModelOptions
from app.core.option_store import OptionStore
from app.core.settings import SettingsStore
from app.ui import routes
from engines.graphics import GraphicsCard
from engines.library import ModelLibrary
from tests.app.ui.conftest import services
from tests.engines.tiny_lora import make_tiny_lora


@pytest.fixture
def model_id(home, model):
    model("Hello.")
    return ModelLibrary(home.models).installed()[0].id


def stored(home, model_id):
    return OptionStore(home.model_options).get(model_id)


async def open_options(app, model_id):
    await app.go(2)
    await app.until(lambda: app.shows(f"model-{model_id}"))
    await app.tap(f"model-{model_id}")
    await app.until(lambda: app.shows("model-options"))
    assert app.page.route == routes.of_model(model_id)


def field(app, name):
    return app.all(ft.TextField, app.mark(f"field-{name}"))[0]


async def leave(app, name):
    """Tap outside a field."""
    await app.fire(field(app, name), "blur")


@pytest.mark.parametrize("cards", [(), (GraphicsCard("CUDA", "A card", 8 << 30),)])
async def test_layers_on_the_graphics_card_are_shown_where_the_engine_can_use_one(
    open_app, model_id, monkeypatch, cards
):
    monkeypatch.setattr("app.services.graphics_cards", lambda: cards)
    async with open_app() as app:
        await open_options(app, model_id)
        await app.tap("advanced")
        assert app.shows("option-threads")
        assert app.shows("option-gpu_layers") == bool(cards)


async def test_each_option_says_where_its_value_comes_from(open_app, model_id):
    async with open_app() as app:
        await open_options(app, model_id)
        assert field(app, "temperature").value == "0.7"
        assert "From the model's maker" in app.text("origin-temperature")
        assert "App setting" in app.text("origin-context_tokens")
        assert not app.shows("reset-temperature")
        assert not app.shows("option-top_k"), "what hardly anybody needs is folded away"
        await app.tap("advanced")
        assert field(app, "top_k").value == "20"
        assert "Built in" in app.text("origin-dry_multiplier")
        assert (field(app, "seed").value, field(app, "seed").hint_text) == ("", "Random")


async def test_an_option_is_set_and_led_back(open_app, model_id, home):
    async with open_app() as app:
        await open_options(app, model_id)
        await app.enter("field-temperature", "0.3")
        await app.until(lambda: "This model" in app.text("origin-temperature"))
        assert stored(home, model_id) == ModelOptions(temperature=0.3)
        assert app.all(ft.Slider, app.mark("slider-temperature"))[0].value == 0.3
        assert app.all(ft.TextButton, app.mark("reset-temperature"))[0].content == "Back to 0.7"
        await app.tap("reset-temperature")
        await app.until(lambda: "From the model's maker" in app.text("origin-temperature"))
        assert field(app, "temperature").value == "0.7"
        assert stored(home, model_id) == ModelOptions()


async def test_a_slider_and_its_field_agree(open_app, model_id, home):
    async with open_app() as app:
        await open_options(app, model_id)
        await app.enter("slider-temperature", 1.25)
        await app.until(lambda: stored(home, model_id).temperature == 1.25)
        assert field(app, "temperature").value == "1.25"
        await app.enter("field-temperature", "5")
        await app.until(lambda: stored(home, model_id).temperature == 5)
        assert app.all(ft.Slider, app.mark("slider-temperature"))[0].value == 2


@pytest.mark.parametrize(
    ("written", "reason"), [("500", "Between 0 and 100."), ("hot", "This value is not possible here.")]
)
async def test_a_value_that_is_not_possible_stays_in_its_field_with_the_reason(
    open_app, model_id, home, written, reason
):
    async with open_app() as app:
        await open_options(app, model_id)
        await app.enter("field-temperature", written)
        assert not app.shows("wrong-temperature"), "it is still being written"
        await leave(app, "temperature")
        await app.until(lambda: app.shows("wrong-temperature"))
        assert reason in app.text("wrong-temperature")
        assert field(app, "temperature").value == written
        assert stored(home, model_id) == ModelOptions()
        await app.enter("field-temperature", "0.5")
        await leave(app, "temperature")
        await app.until(lambda: not app.shows("wrong-temperature"))
        assert stored(home, model_id).temperature == 0.5


async def test_an_emptied_field_is_the_default_again_once_it_is_left(open_app, model_id, home):
    async with open_app() as app:
        await open_options(app, model_id)
        await app.enter("field-max_answer_tokens", "200")
        await app.until(lambda: stored(home, model_id).max_answer_tokens == 200)
        await app.enter("field-max_answer_tokens", "")
        assert stored(home, model_id).max_answer_tokens == 200, "another number may come"
        await leave(app, "max_answer_tokens")
        await app.until(lambda: "App setting" in app.text("origin-max_answer_tokens"))
        assert field(app, "max_answer_tokens").value == "1024"


async def test_a_changed_context_tells_the_memory_and_that_the_model_is_loaded_again(
    open_app, model_id, home
):
    async with open_app() as app:
        opened = await services()
        await opened.models.engine()
        await open_options(app, model_id)
        assert "Fits" in app.text("memory-needed")
        assert not app.shows("loads-again")
        before = app.text("memory-needed")
        await app.enter("field-context_tokens", "600")
        await app.until(lambda: app.shows("loads-again"))
        assert "loaded again with the next question" in app.text("loads-again")
        assert app.text("memory-needed").splitlines()[0] != before.splitlines()[0]
        assert stored(home, model_id).context_tokens == 600
        await app.tap("window-2048")
        await app.until(lambda: stored(home, model_id).context_tokens == 2048)
        assert field(app, "context_tokens").value == "2048"
        await app.go(0)
        await app.enter("composer", "Hello?")
        await app.tap("send")
        await app.until(lambda: app.shows("regenerate") and not app.shows("stop"))
        assert (await opened.models.engine()).info.context_tokens == 2048


async def test_what_does_not_go_together_is_refused_in_words(open_app, model_id, home):
    async with open_app() as app:
        await open_options(app, model_id)
        await app.tap("advanced")
        await app.tap("kv_cache_type-q8_0")
        await app.until(lambda: stored(home, model_id).kv_cache_type == "q8_0")
        await app.enter("switch-flash_attention", value=False)
        await app.until(lambda: app.shows("wrong-flash_attention"))
        assert "“Memory of the conversation”" in app.text("wrong-flash_attention")
        assert stored(home, model_id).flash_attention is None


async def test_stop_texts_are_added_and_removed(open_app, model_id, home):
    async with open_app() as app:
        await open_options(app, model_id)
        await app.tap("advanced")
        for text in ("###", "\\nUser:"):
            await app.enter("field-stop", text)
            await app.tap("add-stop")
            await app.until(lambda: field(app, "stop").value == "")
        await app.until(lambda: stored(home, model_id).stop == ("###", "\nUser:"))
        assert "\\nUser:" in app.text("option-stop")
        await app.tap("remove-stop-0")
        await app.until(lambda: stored(home, model_id).stop == ("\nUser:",))


async def test_instructions_are_kept_as_they_are_written(open_app, model_id, home):
    SettingsStore(home.settings).change(system_prompt="Be kind.")
    async with open_app() as app:
        await open_options(app, model_id)
        assert field(app, "system_prompt").value == "Be kind."
        await app.enter("field-system_prompt", "Be brief.\n")
        await app.until(lambda: stored(home, model_id).system_prompt == "Be brief.\n")
        assert field(app, "system_prompt").value == "Be brief.\n"
        await app.enter("field-system_prompt", "")
        await app.until(lambda: stored(home, model_id).system_prompt == "")
        await app.tap("reset-system_prompt")
        await app.until(lambda: field(app, "system_prompt").value == "Be kind.")


async def test_letters_that_are_typed_while_others_are_kept_are_not_undone(
    open_app, model_id, home, monkeypatch
):
    async with open_app() as app:
        await open_options(app, model_id)
        tuning = (await services()).models.tuning
        change, may_keep, kept = tuning.change, threading.Event(), []

        def change_slowly(model, values):
            assert may_keep.wait(20)
            kept.append(values["system_prompt"])
            change(model, values)

        monkeypatch.setattr(tuning, "change", change_slowly)
        text, events = "", []
        for letter in "Be brief.":
            text += letter
            app.session.apply_patch(field(app, "system_prompt")._i, {"value": text})
            events.append(asyncio.create_task(app.fire(field(app, "system_prompt"), "change", text)))
            await app.settle()
            assert field(app, "system_prompt").value == text
        may_keep.set()
        await asyncio.gather(*events)
        await app.until(lambda: stored(home, model_id).system_prompt == "Be brief.")
        await app.until(lambda: "This model" in app.text("origin-system_prompt"))
        assert field(app, "system_prompt").value == "Be brief."
        assert kept == ["B", "Be brief."], "not letter by letter"


async def test_all_options_are_reset_only_after_a_question(open_app, model_id, home):
    async with open_app() as app:
        await open_options(app, model_id)
        assert not app.shows("reset-all")
        await app.enter("field-temperature", "0.3")
        await app.until(lambda: app.shows("reset-all"))
        await app.tap("reset-all")
        await app.tap("dialog-cancel")
        assert stored(home, model_id).temperature == 0.3
        await app.tap("reset-all")
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.shows("reset-all"))
        assert stored(home, model_id) == ModelOptions()


async def test_persian_writes_and_reads_its_own_digits(open_app, model_id, home):
    SettingsStore(home.settings).change(language="fa")
    async with open_app() as app:
        await open_options(app, model_id)
        assert field(app, "temperature").value == "۰٫۷"
        await app.enter("field-temperature", "۰٫۲۵")
        await app.until(lambda: stored(home, model_id).temperature == 0.25)
        assert field(app, "temperature").rtl
        assert "این مدل" in app.text("origin-temperature")


async def test_an_adapter_is_added_turned_down_off_and_removed(open_app, model_id, home, tmp_path):
    lora = make_tiny_lora(tmp_path / "pirate.gguf", home.models / "scripted.gguf", skip_to=".")
    async with open_app() as app:
        app.client.answers["pick_files"] = [{"id": 0, "name": lora.name, "size": 1, "path": str(lora)}]
        await open_options(app, model_id)
        await app.tap("add-adapter")
        await app.until(lambda: app.shows("adapter-pirate.gguf"))
        assert (home.models / "adapters" / "pirate.gguf").exists()
        await app.enter("adapter-scale", "0.5")
        await app.submit("adapter-scale")
        await app.until(
            lambda: stored(home, model_id).adapters == (AdapterUse(name="pirate.gguf", scale=0.5),)
        )
        await app.enter("adapter-scale", "1000")
        await app.submit("adapter-scale")
        await app.until(lambda: "Between -100 and 100." in app.text("adapter-pirate.gguf"))
        await app.enter("adapter-enabled", value=False)
        await app.until(lambda: not stored(home, model_id).adapters[0].enabled)
        await app.tap("remove-adapter")
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.shows("adapter-pirate.gguf"))
        assert not (home.models / "adapters" / "pirate.gguf").exists()


async def test_a_file_that_is_no_adapter_for_the_model_is_refused(open_app, model_id, home):
    path = home.models / "scripted.gguf"
    async with open_app() as app:
        app.client.answers["pick_files"] = [{"id": 0, "name": path.name, "size": 1, "path": str(path)}]
        await open_options(app, model_id)
        await app.tap("add-adapter")
        await app.until(lambda: app.shows("notice"))
        assert "scripted.gguf is not an adapter for this model" in app.text("notice")
        assert stored(home, model_id) == ModelOptions()


async def test_options_of_a_conversation_hold_there_alone(open_app, model_id):
    async with open_app() as app:
        opened = await services()
        opened.models.tuning.change(model_id, {"top_p": 0.5})
        await app.tap("conversation-options-button")
        await app.until(lambda: app.shows("option-temperature"))
        assert not app.shows("option-context_tokens"), "a conversation never loads the model again"
        await app.enter("field-max_answer_tokens", "1")
        await app.until(lambda: "This conversation" in app.text("origin-max_answer_tokens"))
        await app.tap("advanced")
        assert "This model" in app.text("origin-top_p")
        await app.dismiss()
        await app.enter("composer", "Hello?")
        await app.tap("send")
        await app.until(lambda: app.shows("regenerate") and not app.shows("stop"))
        assert "Cut off" in app.text()
        [conversation] = opened.conversations.list()
        assert conversation.options == AnswerOptions(max_answer_tokens=1)
        assert app.mark("conversation-options-button").selected

        await app.tap("new-conversation")
        assert not app.mark("conversation-options-button").selected
        await app.tap("conversation-options-button")
        await app.until(lambda: "App setting" in app.text("origin-max_answer_tokens"))


async def test_options_of_an_earlier_conversation_are_there_again(open_app, model_id):
    async with open_app(width=1280) as app:
        opened = await services()
        conversation = opened.conversations.create(options=AnswerOptions(temperature=0.3))
        opened.conversations.add(conversation.id, "user", "Why?")
        await app.resize(1281)
        await app.tap("new-conversation")
        await app.until(lambda: app.shows("composer"))
        await app.enter("search-conversations", "Why")
        await app.until(lambda: app.shows(f"conversation-{conversation.id}"))
        await app.tap(f"conversation-{conversation.id}")
        await app.until(lambda: app.mark("conversation-options-button").selected)
        await app.choose(f"conversation-menu-{conversation.id}", "Options")
        await app.until(lambda: app.shows("reset-all"))
        assert field(app, "temperature").value == "0.3"
        await app.tap("reset-all")
        await app.until(lambda: not app.shows("reset-all"))
        assert opened.conversations.get(conversation.id).options == AnswerOptions()


async def test_what_a_server_decides_is_left_to_it(open_app, model_id):
    async with open_app() as app:
        opened = await services()
        server = opened.models.add_server("Study", "http://127.0.0.1:9/v1", "x")
        opened.settings.change(model_id=server.id)
        await app.tap("conversation-options-button")
        await app.until(lambda: app.shows("option-temperature"))
        assert "Left to the server" in app.text("origin-temperature")
        assert field(app, "temperature").value == ""
        assert not app.shows("slider-temperature"), "nobody knows where it would stand"
        await app.enter("field-temperature", "0.5")
        await app.until(lambda: "This conversation" in app.text("origin-temperature"))
