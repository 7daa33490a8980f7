"""`dai models options`, and options as flags of `dai ask` and `dai chat`."""

import pytest

from app.core.conversations import Conversations
from app.core.model_options import AdapterUse, AnswerOptions, ModelOptions
from app.core.option_store import OptionStore
from engines.graphics import GraphicsCard
from engines.library import ModelLibrary
from tests.app.cli.conftest import conversations_in
from tests.engines.tiny_lora import make_tiny_lora


def stored(home):
    return OptionStore(home.model_options).get("sideloaded:scripted")


def options_of_the_last_conversation(home):
    store = Conversations(home.conversations)
    try:
        return store.list()[0].options
    finally:
        store.close()


def line(result, name):
    [found] = [line for line in result.out.splitlines() if name in line.split()[:2]]
    return " ".join(found.split())


def test_options_are_shown_with_their_origins(dai, model):
    model("Yes.")
    result = dai("models", "options", "scripted")
    assert (result.status, result.err) == (0, "")
    assert line(result, "temperature") == "temperature 0.7 From the model's maker"
    assert line(result, "context_tokens") == "context_tokens 4096 App setting"
    assert line(result, "threads") == "threads automatic Built in"
    assert "of memory · Fits" in result.out


def test_options_are_set_and_unset(dai, model, home):
    model("Yes.")
    result = dai("models", "options", "scripted", "--set", "temperature=0.3", "--set", "kv_cache_type=q8_0")
    assert line(result, "temperature") == "* temperature 0.3 This model"
    assert stored(home) == ModelOptions(temperature=0.3, kv_cache_type="q8_0")
    result = dai("models", "options", "scripted", "--unset", "temperature", "--set", "seed=7")
    assert line(result, "temperature") == "temperature 0.7 From the model's maker"
    assert stored(home) == ModelOptions(seed=7, kv_cache_type="q8_0")
    dai("models", "options", "scripted", "--reset")
    assert stored(home) == ModelOptions()


def test_layers_on_the_graphics_card_are_an_option_where_there_is_one(dai, model, monkeypatch):
    model("Yes.")
    monkeypatch.setattr("app.services.graphics_cards", tuple)
    without = dai("models", "options", "scripted")
    assert "gpu_layers" not in without.out
    assert "gpu_layers" not in dai("models", "options", "scripted", "--json").json["options"]
    set_elsewhere = dai("models", "options", "scripted", "--set", "gpu_layers=8")
    assert line(set_elsewhere, "gpu_layers") == "* gpu_layers 8 This model", "it can be taken back"
    monkeypatch.setattr("app.services.graphics_cards", lambda: (GraphicsCard("CUDA", "A card", 8 << 30),))
    result = dai("models", "options", "scripted", "--reset")
    assert line(result, "gpu_layers") == "gpu_layers automatic Built in"


def test_stop_texts_are_given_one_by_one_or_as_a_list(dai, model, home):
    model("Yes.")
    dai("models", "options", "scripted", "--set", "stop=###", "--set", "stop=END")
    assert stored(home).stop == ("###", "END")
    dai("models", "options", "scripted", "--set", 'stop=["a", "\\n"]')
    assert stored(home).stop == ("a", "\n")


def test_json_tells_values_origins_and_memory(dai, model, home):
    model("Yes.")
    found = dai("models", "options", "scripted", "--set", "top_k=5", "--json").json
    assert found["model"] == "sideloaded:scripted"
    assert found["options"]["top_k"] == {"value": 5, "origin": "model"}
    assert found["options"]["top_p"] == {"value": 0.8, "origin": "maker"}
    assert found["fit"] == "fits"
    assert found["memory_bytes"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "temperature=-1"], "“temperature” must be between 0 and 100."),
        (["--set", "temperature=hot"], "“temperature” cannot have this value."),
        (["--set", "colour=red"], "There is no option “colour” here."),
        (["--unset", "colour"], "There is no option “colour” here."),
        (["--set", "temperature"], "“temperature” sets nothing. Write it like this: temperature=0.3"),
        (
            ["--set", "adapters=x"],
            "Adapters are added with --add-adapter and removed with --remove-adapter.",
        ),
        (
            ["--set", "kv_cache_type=q8_0", "--set", "flash_attention=false"],
            "“flash_attention” does not go together with the present value of “kv_cache_type”."
            " Change that first.",
        ),
        (["--remove-adapter", "none.gguf"], "The model has no adapter named “none.gguf”."),
        (["--add-adapter", "none.gguf"], "There is no such file: none.gguf"),
    ],
)
def test_what_cannot_be_set_is_said_in_one_line_and_nothing_changes(dai, model, home, arguments, message):
    model("Yes.")
    result = dai("models", "options", "scripted", *arguments)
    assert (result.status, result.out, result.err) == (1, "", message + "\n")
    assert stored(home) == ModelOptions()


def test_an_adapter_is_added_used_and_removed(dai, model, home, tmp_path):
    model("Hello from a tiny model!", architecture="llama")
    lora = make_tiny_lora(tmp_path / "pirate.gguf", home.models / "scripted.gguf", skip_to=" a")
    result = dai("models", "options", "scripted", "--add-adapter", lora, "--scale", "1.0")
    assert "Adapter pirate.gguf · strength 1 · on" in result.out.replace("\u2068", "").replace("\u2069", "")
    assert stored(home).adapters == (AdapterUse(name="pirate.gguf"),)
    assert dai("ask", "Who are you?").out == " a tiny model!\n"
    dai("models", "options", "scripted", "--remove-adapter", "pirate.gguf")
    assert dai("ask", "Who are you?").out == "Hello from a tiny model!\n"


def test_a_file_that_is_no_adapter_is_refused(dai, model, home):
    model("Yes.")
    result = dai("models", "options", "scripted", "--add-adapter", home.models / "scripted.gguf")
    assert result.status == 1
    assert "is not an adapter for this model" in result.err
    assert stored(home) == ModelOptions()


def test_a_servers_model_has_options_of_answers_only(dai, home):
    dai("models", "add-server", "http://127.0.0.1:9", "--model", "x", "--name", "Study")
    result = dai("models", "options", "Study", "--set", "temperature=0.5")
    assert line(result, "temperature") == "* temperature 0.5 This model"
    assert "context_tokens" not in result.out
    result = dai("models", "options", "Study", "--set", "context_tokens=1024")
    assert result.status == 1
    assert "its server" in result.err


def test_options_of_a_removed_model_are_forgotten(dai, model, home):
    model("Yes.")
    dai("models", "options", "scripted", "--set", "seed=7")
    dai("models", "remove", "scripted")
    assert stored(home) == ModelOptions()


def test_flags_of_a_question_hold_for_its_conversation(dai, model, home):
    model("The sky is blue.")
    result = dai(
        "ask", "Sky?", "--temperature", "0", "--seed", "7", "--max-tokens", "2", "--system", "Be brief.",
        "--stop", "END", "--no-thinking", "--top-p", "0.5", "--top-k", "9",
    )  # fmt: skip
    assert result.out == "The sky\n"
    assert options_of_the_last_conversation(home) == AnswerOptions(
        temperature=0.0,
        seed=7,
        max_answer_tokens=2,
        system_prompt="Be brief.",
        stop=("END",),
        thinking=False,
        top_p=0.5,
        top_k=9,
    )
    assert stored(home) == ModelOptions()


def test_a_context_holds_for_one_command(dai, model, home):
    model("Yes.", context=8192)
    long = "word " * 700
    result = dai("ask", long, "--context", "512")
    assert result.status == 1
    assert "512" in result.err
    assert dai("ask", long).out == "Yes.\n"
    assert stored(home) == ModelOptions()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--temperature", "200"], "“temperature” must be between 0 and 100."),
        (["--max-tokens", "0"], "“max_answer_tokens” must be between 1 and 2,147,483,648."),
        (["--context", "10"], "“context_tokens” must be between 512 and 16,777,216."),
    ],
)
def test_a_flag_out_of_range_is_refused_before_anything_is_asked(dai, model, home, flags, message):
    model("Yes.")
    result = dai("ask", "Is it?", *flags)
    assert (result.status, result.out, result.err) == (1, "", message + "\n")
    assert conversations_in(home) == []


def test_a_conversation_that_goes_on_keeps_its_options_unless_told_otherwise(dai, model, home):
    model("Yes.")
    dai("chat", "--seed", "7", "--temperature", "0.5", stdin="One?\n")
    dai("chat", "--continue", "--temperature", "0.1", stdin="Two?\n")
    assert options_of_the_last_conversation(home) == AnswerOptions(seed=7, temperature=0.1)
    assert len(conversations_in(home)) == 1


def test_persian_names_the_origins(dai, model, home, persian):
    model("بله.")
    assert ModelLibrary(home.models).installed()
    assert "از سازندهٔ مدل" in dai("models", "options", "scripted").out
