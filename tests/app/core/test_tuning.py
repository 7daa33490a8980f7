"""Which option holds for a model, what it costs in memory, and the adapters of a model."""

from __future__ import annotations

import platform
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from app.core.errors import OptionOutOfRange, OptionsConflict, OptionUnknown
from app.core.model_options import AdapterUse, AnswerOptions, ModelOptions, OptionOrigin
from app.core.models import Models
from app.core.option_store import OptionStore
from app.core.settings import SettingsStore
from app.core.tuning import Tuning
from engines.errors import AdapterUnusable, EngineCrashed, ModelFileMissing, NotEnoughMemory
from engines.flash_attention import uses_flash_attention
from engines.graphics import GraphicsCard
from engines.library import InstalledModel, ModelLibrary, starter
from engines.memory import MemoryFit
from engines.protocol import LoadOptions, LoraAdapter, Sampling
from tests.engines.tiny_gguf import make_tiny_gguf
from tests.engines.tiny_lora import make_tiny_lora


@pytest.fixture
async def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Models]:
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    (tmp_path / "models").mkdir()
    library, settings = ModelLibrary(tmp_path / "models"), SettingsStore(tmp_path / "settings.json")
    tuning = Tuning(library, settings, OptionStore(tmp_path / "model-options.json"))
    opened = Models(library, settings, tuning=tuning)
    yield opened
    await opened.unload()


@pytest.fixture
def tuning(models: Models) -> Tuning:
    return models.tuning


@pytest.fixture
def model(models: Models, tmp_path: Path) -> InstalledModel:
    make_tiny_gguf(tmp_path / "models" / "tiny.gguf", "qwen3")
    return models.installed()[0]


@pytest.fixture
def lora(tmp_path: Path, model: InstalledModel) -> Path:
    return make_tiny_lora(tmp_path / "pirate.gguf", model.path, skip_to=" a")


@pytest.mark.parametrize(("layers", "used"), [(None, True), (12, True), (0, False)])
def test_flash_attention_is_the_default_where_layers_are_on_a_graphics_card(
    models: Models, model: InstalledModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    layers: int | None, used: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    asked = []

    def find_cards() -> tuple[GraphicsCard, ...]:
        asked.append(1)
        return (GraphicsCard("Vulkan", "A card", 1 << 30),)

    settings = SettingsStore(tmp_path / "settings.json")
    library = ModelLibrary(tmp_path / "models")
    tuning = Tuning(library, settings, OptionStore(tmp_path / "model-options.json"), find_cards)
    tuning.change(model.id, {"gpu_layers": layers})
    assert tuning.resolve(model)["flash_attention"] is used
    assert tuning.without_use() == frozenset()
    assert len(asked) == 1


def test_an_engine_that_cannot_be_asked_for_cards_has_none(
    models: Models, model: InstalledModel, tmp_path: Path
) -> None:
    def find_cards() -> tuple[GraphicsCard, ...]:
        raise EngineCrashed("a driver")

    settings = SettingsStore(tmp_path / "settings.json")
    tuning = Tuning(ModelLibrary(tmp_path / "models"), settings, OptionStore(None), find_cards)
    assert tuning.without_use() == {"gpu_layers"}
    assert tuning.resolve(model)["top_k"] == 20


def test_each_value_says_where_it_comes_from(tuning: Tuning, model: InstalledModel) -> None:
    tuning.change(model.id, {"top_p": 0.5, "context_tokens": 1024, "seed": 3})
    tuning.for_now = ModelOptions(max_answer_tokens=20)
    resolved = tuning.resolve(model, AnswerOptions(seed=4))
    expected = {
        "temperature": (0.7, OptionOrigin.MAKER),
        "top_p": (0.5, OptionOrigin.MODEL),
        "seed": (4, OptionOrigin.CONVERSATION),
        "stop": ((), OptionOrigin.ENGINE),
        "dry_multiplier": (0.0, OptionOrigin.ENGINE),
        "thinking": (False, OptionOrigin.APP),
        "context_tokens": (1024, OptionOrigin.MODEL),
        "max_answer_tokens": (20, OptionOrigin.COMMAND),
        "flash_attention": (uses_flash_attention(LoadOptions()), OptionOrigin.ENGINE),
        "threads": (None, OptionOrigin.ENGINE),
    }
    assert {name: (resolved[name], resolved.origin(name)) for name in expected} == expected


def test_a_model_that_shall_think_is_sampled_as_its_maker_advises_for_that(
    tuning: Tuning, model: InstalledModel
) -> None:
    assert tuning.resolve(model)["temperature"] == 0.7
    assert tuning.resolve(model, AnswerOptions(thinking=True))["temperature"] == 0.6


def test_a_model_of_no_known_family_has_the_engines_defaults_and_what_its_file_advises(
    tuning: Tuning, models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tiny_gguf(tmp_path / "models" / "x.gguf", "llama")
    [model] = [model for model in models.installed() if model.path.stem == "x"]
    monkeypatch.setattr("engines.families.FAMILIES", ())
    resolved = tuning.resolve(model)
    assert (resolved["temperature"], resolved.origin("temperature")) == (0.8, OptionOrigin.ENGINE)
    header = models._library.header(model)
    monkeypatch.setattr(
        models._library, "header", lambda _: replace(header, sampling=Sampling(temperature=0.2))
    )
    resolved = tuning.resolve(model)
    assert (resolved["temperature"], resolved.origin("temperature")) == (0.2, OptionOrigin.MAKER)
    assert (resolved["top_k"], resolved.origin("top_k")) == (40, OptionOrigin.ENGINE)


def test_the_app_settings_hold_for_every_model_that_has_nothing_else(
    tuning: Tuning, model: InstalledModel, models: Models
) -> None:
    models._settings.change(context_tokens=2048, thinking=True, system_prompt="Be kind.")
    resolved = tuning.resolve(model)
    assert (resolved["context_tokens"], resolved["system_prompt"]) == (2048, "Be kind.")
    tuning.change(model.id, {"system_prompt": ""})
    assert tuning.resolve(model)["system_prompt"] == ""
    tuning.change(model.id, {"system_prompt": None})
    assert tuning.resolve(model)["system_prompt"] == "Be kind."
    assert models.options() == models.options(model) == LoadOptions(context_tokens=2048)


def test_several_options_are_set_together_or_not_at_all(tuning: Tuning, model: InstalledModel) -> None:
    with pytest.raises(OptionOutOfRange):
        tuning.change(model.id, {"temperature": 0.5, "top_p": 2})
    assert tuning.store.get(model.id) == ModelOptions()


def test_what_the_engine_would_refuse_together_is_refused_before(
    tuning: Tuning, model: InstalledModel
) -> None:
    with pytest.raises(OptionsConflict):
        tuning.change(model.id, {"kv_cache_type": "q8_0", "flash_attention": False})
    tuning.change(model.id, {"kv_cache_type": "q8_0"})
    with pytest.raises(OptionsConflict) as raised:
        tuning.change(model.id, {"flash_attention": False})
    assert (raised.value.option, raised.value.other) == ("flash_attention", "kv_cache_type")
    assert tuning.load_options(model).flash_attention is None


async def test_a_changed_load_option_loads_the_model_again_with_the_next_question(
    models: Models, model: InstalledModel
) -> None:
    first = await models.engine()
    models.tuning.change(model.id, {"temperature": 0.1})
    assert not models.loads_again(model)
    assert await models.engine() is first

    models.tuning.change(model.id, {"context_tokens": 1024})
    assert models.loads_again(model)
    second = await models.engine()

    assert second is not first
    assert second.info.context_tokens == 1024
    assert not models.loads_again(model)


def test_the_memory_that_is_told_follows_the_options(models: Models, model: InstalledModel) -> None:
    models.tuning.change(model.id, {"context_tokens": 1024})
    small = models.memory(model)[0].kv_cache
    models.tuning.change(model.id, {"context_tokens": 2048})
    assert models.memory(model)[0].kv_cache == 2 * small
    models.tuning.change(model.id, {"kv_cache_type": "q4_0"})
    assert models.memory(model)[0].kv_cache < small
    models.tuning.change(model.id, {"context_tokens": 65536, "kv_cache_type": None})
    assert models.memory(model)[0].kv_cache == 2 * small, "the model was trained on 2048 tokens"


async def test_a_loaded_model_that_would_not_fit_with_its_new_options_is_not_loaded_again(
    models: Models, model: InstalledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.tuning.change(model.id, {"context_tokens": 512})
    await models.engine()
    monkeypatch.setattr("app.core.model_in_memory.available_memory", lambda: 0)
    assert models.memory(model)[1] is MemoryFit.FITS, "it is in memory"
    models.tuning.change(model.id, {"context_tokens": 2048})
    assert models.memory(model)[1] is MemoryFit.TOO_LARGE
    with pytest.raises(NotEnoughMemory):
        await models.engine()


def test_what_the_user_has_chosen_is_known_without_the_models_file(
    tuning: Tuning, model: InstalledModel
) -> None:
    tuning.change(model.id, {"temperature": 0.1})
    model.path.unlink()
    chosen = tuning.chosen(model, AnswerOptions(seed=3))
    assert chosen.sampling() == Sampling(temperature=0.1, seed=3, max_tokens=1024)
    with pytest.raises(ModelFileMissing):
        tuning.resolve(model)


async def test_options_go_with_a_model_that_is_removed_and_stay_with_one_that_is_missing(
    models: Models, model: InstalledModel, lora: Path, tmp_path: Path
) -> None:
    models.tuning.change(model.id, {"temperature": 0.1})
    models.tuning.adapters.add(model, lora)
    content = model.path.read_bytes()
    model.path.unlink()
    assert models.installed() == []
    model.path.write_bytes(content)
    assert models.tuning.resolve(model)["temperature"] == 0.1

    await models.remove(model.id)

    assert models.tuning.store.all() == {}
    assert list((tmp_path / "models" / "adapters").iterdir()) == []


def test_options_of_a_servers_model_go_with_it(models: Models) -> None:
    server = models.add_server("Study", "http://127.0.0.1:9", "x")
    models.tuning.change(server.id, {"temperature": 0.1})
    resolved = models.tuning.resolve(server)
    assert (resolved["temperature"], resolved["top_k"]) == (0.1, None)


def test_an_adapter_is_copied(models: Models, model: InstalledModel, lora: Path, tmp_path: Path) -> None:
    use = models.tuning.adapters.add(model, lora)
    lora.unlink()

    assert use == AdapterUse(name="pirate.gguf")
    [adapter] = models.tuning.adapters.for_prompt(models.tuning.resolve(model)) or ()
    assert adapter == LoraAdapter(tmp_path / "models" / "adapters" / "pirate.gguf", 1.0)
    assert adapter.path.exists()
    assert models.installed() == [model], "an adapter is no model"


def test_an_adapter_is_turned_down_off_and_removed(
    tuning: Tuning, model: InstalledModel, lora: Path, tmp_path: Path
) -> None:
    tuning.adapters.add(model, lora)
    tuning.adapters.turn(model.id, "pirate.gguf", scale=0.5)
    assert tuning.adapters.of(model.id) == (AdapterUse(name="pirate.gguf", scale=0.5),)
    tuning.adapters.turn(model.id, "pirate.gguf", enabled=False)
    assert tuning.adapters.for_prompt(tuning.resolve(model)) is None
    with pytest.raises(OptionOutOfRange):
        tuning.adapters.turn(model.id, "pirate.gguf", scale=float("nan"))
    with pytest.raises(OptionUnknown):
        tuning.adapters.turn(model.id, "other.gguf", enabled=True)

    tuning.reset(model.id)
    assert tuning.adapters.of(model.id), "only removing one removes it"
    tuning.adapters.remove(model.id, "pirate.gguf")

    assert tuning.adapters.of(model.id) == ()
    assert list((tmp_path / "models" / "adapters").iterdir()) == []
    with pytest.raises(OptionUnknown):
        tuning.adapters.remove(model.id, "pirate.gguf")


def test_two_models_share_an_adapter_until_both_have_dropped_it(
    tuning: Tuning, models: Models, model: InstalledModel, lora: Path, tmp_path: Path
) -> None:
    make_tiny_gguf(tmp_path / "models" / "twin.gguf", "qwen3")
    [twin] = [other for other in models.installed() if other.id != model.id]
    folder = tmp_path / "models" / "adapters"
    assert tuning.adapters.add(model, lora).name == tuning.adapters.add(twin, lora, 0.5).name
    assert [path.name for path in folder.iterdir()] == ["pirate.gguf"]
    tuning.adapters.remove(model.id, "pirate.gguf")
    assert tuning.adapters.missing(twin.id) == []
    tuning.adapters.remove(twin.id, "pirate.gguf")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("fault", ["missing", "a model", "another architecture", "another size", "damaged"])
def test_a_file_that_is_no_adapter_for_the_model_is_refused_before_anything_is_kept(
    tuning: Tuning, model: InstalledModel, lora: Path, tmp_path: Path, fault: str
) -> None:
    wrong = tmp_path / "wrong.gguf"
    match fault:
        case "a model":
            wrong = model.path
        case "another architecture":
            make_tiny_lora(wrong, model.path, skip_to=" a", architecture="llama")
        case "another size":
            words = " ".join(str(number) for number in range(300))
            large = make_tiny_gguf(tmp_path / "large.gguf", "qwen3", words)
            make_tiny_lora(wrong, large, skip_to=" 7")
        case "damaged":
            wrong.write_bytes(lora.read_bytes()[:-200])
    with pytest.raises(AdapterUnusable) as raised:
        tuning.adapters.add(model, wrong)
    assert raised.value.path == wrong
    assert tuning.adapters.of(model.id) == ()
    assert not (tmp_path / "models" / "adapters").exists()


def test_an_adapter_whose_file_is_gone_is_told(
    tuning: Tuning, model: InstalledModel, lora: Path, tmp_path: Path
) -> None:
    tuning.adapters.add(model, lora)
    (tmp_path / "models" / "adapters" / "pirate.gguf").unlink()
    assert tuning.adapters.missing(model.id) == ["pirate.gguf"]


@pytest.mark.parametrize("name", ["../outside.gguf", "/etc/outside.gguf", "a\\b.gguf", "notes.txt", ""])
def test_an_adapter_is_never_looked_for_outside_its_folder(
    tuning: Tuning, model: InstalledModel, tmp_path: Path, name: str
) -> None:
    stored = {model.id: {"adapters": [{"name": name}], "seed": 7}}
    (tmp_path / "model-options.json").write_bytes(msgspec.json.encode(stored))
    assert tuning.store.get(model.id) == ModelOptions(seed=7)
    assert tuning.adapters.for_prompt(tuning.resolve(model)) is None
