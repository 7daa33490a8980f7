"""Options reach the engine, and change what it writes."""

from __future__ import annotations

import pytest

from app.core.errors import ConversationMissing
from app.core.model_options import AnswerOptions, ModelOptions
from engines.errors import AdapterUnusable
from engines.protocol import Priority, Sampling
from tests.app.core.conftest import Desk, collect
from tests.engines.tiny_lora import make_tiny_lora

WILD = AnswerOptions(temperature=90.0, top_k=0, top_p=1.0, min_p=0.0, max_answer_tokens=24)
"""The scripted model rolls dice with these."""


def chosen(desk: Desk) -> str:
    model = desk.models.chosen()
    assert model is not None
    return model.id


async def test_a_seed_and_a_temperature_of_a_conversation_decide_the_answer(desk: Desk) -> None:
    desk.install()
    texts = []
    for seed in (1, 1, 2):
        conversation = desk.conversations.create(options=AnswerOptions(seed=seed))
        merged = {**{name: getattr(WILD, name) for name in WILD.__struct_fields__}, "seed": seed}
        desk.conversations.set_options(conversation.id, AnswerOptions(**merged))
        texts.append((await collect(desk.answering.ask(conversation.id, "What is the sky like?"))).text)
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]
    plain = await collect(desk.answering.ask(desk.new(), "What is the sky like?"))
    assert plain.text == "The sky is blue."
    assert desk.times_loaded == 1, "no option of a conversation loads the model again"


async def test_options_of_model_and_conversation_are_what_the_engine_is_asked_for(desk: Desk) -> None:
    desk.install()
    desk.settings.change(system_prompt="Be kind.", max_answer_tokens=500)
    desk.models.tuning.change(
        chosen(desk), {"temperature": 0.2, "top_p": 0.9, "stop": ("###",), "system_prompt": "Be brief."}
    )
    conversation = desk.conversations.create(options=AnswerOptions(temperature=0.4, thinking=True, seed=5))

    await collect(desk.answering.ask(conversation.id, "Why?"))

    [prompt] = desk.prompts
    assert prompt.sampling == Sampling(temperature=0.4, top_p=0.9, seed=5, max_tokens=500)
    assert (prompt.stop, prompt.thinking) == (("###",), True)
    assert prompt.messages[0].content == "Be brief."
    assert (prompt.priority, prompt.group) == (Priority.USER, str(conversation.id))
    assert prompt.adapters is None


async def test_without_options_the_familys_advice_is_left_to_the_engine(desk: Desk) -> None:
    desk.install()
    await collect(desk.answering.ask(desk.new(), "Why?"))
    [prompt] = desk.prompts
    assert prompt.sampling == Sampling(max_tokens=desk.settings.current.max_answer_tokens)
    assert [message.role for message in prompt.messages] == ["user"]


async def test_an_answer_ends_before_a_stop_string(desk: Desk) -> None:
    desk.install("The sky is blue and wide.")
    conversation = desk.conversations.create(options=AnswerOptions(stop=(" and",)))
    assert (await collect(desk.answering.ask(conversation.id, "Sky?"))).text == "The sky is blue"


async def test_a_command_decides_for_as_long_as_it_runs(desk: Desk) -> None:
    desk.install()
    desk.models.tuning.for_now = ModelOptions(context_tokens=1024, max_answer_tokens=3)
    answered = await collect(desk.answering.ask(desk.new(), "Why?"))
    assert answered.answer.usage is not None
    assert answered.answer.usage.answer_tokens == 3
    assert desk.engine is not None
    assert desk.engine.info.context_tokens == 1024


async def test_an_adapter_changes_answers_without_loading_the_model_again(desk: Desk) -> None:
    desk.install("Hello from a tiny model!", architecture="llama")
    model = desk.models.installed()[0]
    lora = make_tiny_lora(desk.folder / "short.gguf", model.path, skip_to=" a")
    adapters = desk.models.tuning.adapters

    async def answer() -> str:
        return (await collect(desk.answering.ask(desk.new(), "Who are you?"))).text

    before = await answer()
    adapters.add(model, lora)
    within = await answer()
    adapters.turn(model.id, "short.gguf", enabled=False)
    after = await answer()

    assert [before, within, after] == [
        "Hello from a tiny model!",
        " a tiny model!",
        "Hello from a tiny model!",
    ]
    assert desk.times_loaded == 1


async def test_an_adapter_that_is_gone_fails_the_answer_by_name_until_it_is_turned_off(desk: Desk) -> None:
    desk.install("Hello from a tiny model!", architecture="llama")
    model = desk.models.installed()[0]
    adapters = desk.models.tuning.adapters
    adapters.add(model, make_tiny_lora(desk.folder / "short.gguf", model.path, skip_to=" a"))
    (desk.folder / "models" / "adapters" / "short.gguf").unlink()

    failed = await collect(desk.answering.ask(desk.new(), "Who are you?"))

    assert isinstance(failed.error, AdapterUnusable)
    assert failed.error.name == "short.gguf"
    adapters.turn(model.id, "short.gguf", enabled=False)
    assert (await collect(desk.answering.ask(desk.new(), "And now?"))).text == "Hello from a tiny model!"


def test_options_are_kept_with_their_conversation_and_go_with_it(desk: Desk) -> None:
    options = AnswerOptions(temperature=0.4, stop=("a", "b"), thinking=False, system_prompt="")
    first = desk.conversations.create(options=options)
    second = desk.conversations.create()
    assert desk.conversations.get(first.id).options == options
    assert {each.id: each.options for each in desk.conversations.list()} == {
        first.id: options,
        second.id: AnswerOptions(),
    }
    desk.conversations.set_options(first.id, AnswerOptions())
    assert desk.conversations.get(first.id).options == AnswerOptions()
    desk.conversations.delete(first.id)
    with pytest.raises(ConversationMissing):
        desk.conversations.set_options(first.id, options)


@pytest.mark.parametrize("stored", ['{"temperature": "hot", "seed": 5}', '{"seed": 5, "newer": 1}'])
def test_an_option_that_cannot_be_used_costs_only_itself(desk: Desk, stored: str) -> None:
    conversation = desk.conversations.create()
    with desk.conversations._database.write() as connection:
        connection.execute("UPDATE conversations SET options = ?", (stored,))
    assert desk.conversations.get(conversation.id).options == AnswerOptions(seed=5)


@pytest.mark.parametrize("stored", ["", "{", "[1]", "null"])
def test_options_that_cannot_be_read_are_none(desk: Desk, stored: str) -> None:
    conversation = desk.conversations.create()
    with desk.conversations._database.write() as connection:
        connection.execute("UPDATE conversations SET options = ?", (stored,))
    assert desk.conversations.get(conversation.id).options == AnswerOptions()
