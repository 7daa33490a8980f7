from __future__ import annotations

from pathlib import Path

import pytest

from engines.errors import AdapterUnusable, OptionRejected
from engines.protocol import LoraAdapter
from tests.engines.asking import ask, question
from tests.engines.tiny_gguf import make_tiny_gguf
from tests.engines.tiny_lora import make_tiny_lora

REPLY = "Hello from a tiny model!"


@pytest.fixture(params=[pytest.param("process", marks=pytest.mark.desktop("child processes")), "thread"])
def host(request) -> str:
    return str(request.param)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_tiny_gguf(tmp_path / "model.gguf", "llama", REPLY)


@pytest.fixture
def adapter(tmp_path: Path, model: Path) -> LoraAdapter:
    return LoraAdapter(make_tiny_lora(tmp_path / "lora é.gguf", model, skip_to=" a"))


async def test_an_adapter_changes_the_answers(opened, model, adapter, host) -> None:
    engine = await opened(model, host=host, adapters=(adapter,))

    assert (await ask(engine)).text == " a tiny model!"


async def test_adapters_are_swapped_between_prompts(opened, model, adapter, host) -> None:
    engine = await opened(model, host=host)
    long = "Tell me about adapters, and then everything that you know of models. " * 2

    without = await ask(engine, long)
    within = await ask(engine, question(long, adapters=(adapter,)))
    without_again = await ask(engine, long)
    within_again = await ask(engine, question(long, adapters=(adapter,)))

    assert [each.text for each in (without, within, without_again, within_again)] == [
        REPLY,
        " a tiny model!",
        REPLY,
        " a tiny model!",
    ]
    # What was read with other adapters is not taken for the same; each comes back from its own.
    assert within.usage.reused_tokens == 0
    assert without_again.usage.reused_tokens > 50
    assert within_again.usage.reused_tokens > 50


async def test_an_adapter_can_be_turned_off_and_down_for_one_prompt(opened, model, adapter) -> None:
    engine = await opened(model, adapters=(adapter,))
    turned_down = LoraAdapter(adapter.path, 0.0)

    assert (await ask(engine, question(adapters=()))).text == REPLY
    assert (await ask(engine, question(adapters=(turned_down,)))).text == REPLY
    assert (await ask(engine)).text == " a tiny model!"


@pytest.mark.parametrize("fault", ["missing", "a model", "another architecture", "damaged", "no GGUF"])
async def test_a_file_that_is_no_adapter_for_the_model_is_refused(
    opened, tmp_path: Path, model: Path, adapter: LoraAdapter, fault: str, host
) -> None:
    path = tmp_path / "wrong.gguf"
    match fault:
        case "a model":
            path = model
        case "another architecture":
            make_tiny_lora(path, model, skip_to=" a", architecture="qwen3")
        case "damaged":
            path.write_bytes(adapter.path.read_bytes()[:-200])
        case "no GGUF":
            path.write_text("no adapter")
    engine = await opened(model, host=host)

    with pytest.raises(AdapterUnusable) as at_prompt:
        await ask(engine, question(adapters=(LoraAdapter(path),)))
    with pytest.raises(AdapterUnusable) as at_load:
        await opened(model, host=host, adapters=(LoraAdapter(path),))

    assert at_prompt.value.path == at_load.value.path == path
    assert (await ask(engine)).text == REPLY


async def test_a_senseless_scale_is_refused(opened, model: Path, adapter: LoraAdapter) -> None:
    engine = await opened(model)

    with pytest.raises(OptionRejected):
        await ask(engine, question(adapters=(LoraAdapter(adapter.path, float("nan")),)))
