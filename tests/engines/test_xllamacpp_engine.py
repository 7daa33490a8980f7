"""The second engine for GGUF files: the common suite, and what only it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from engines.errors import (
    EngineCrashed,
    EngineUnavailable,
    ModelFileDamaged,
    OptionRejected,
    PromptTooLong,
)
from engines.llama_cpp.messages import Event, Progress, Text
from engines.opening import open_engine
from engines.protocol import (
    Engine,
    Finish,
    Grammar,
    JsonSchema,
    LoadOptions,
    LoraAdapter,
    Message,
    Priority,
    Prompt,
)
from engines.xllamacpp.answer import RunningAnswer
from engines.xllamacpp.engine import XllamacppEngine
from tests.engines.asking import Answer, ask, question
from tests.engines.capabilities import Capabilities
from tests.engines.child_processes import XLLAMACPP, children
from tests.engines.conformance import EngineConformance
from tests.engines.tiny_gguf import make_tiny_gguf

pytest.importorskip("xllamacpp")

pytestmark = [pytest.mark.desktop("xllamacpp and a child process"), pytest.mark.slow]


@pytest.fixture
async def open_file() -> AsyncIterator[Any]:
    """Opens a model's file with the engine that is tested."""
    engines: list[Engine] = []

    async def open_(path: Path, **options: Any) -> Engine:
        engines.append(await open_engine(path, LoadOptions(**options), engine="xllamacpp"))
        return engines[-1]

    yield open_
    for engine in engines:
        await engine.close()


class TestXllamacppEngine(EngineConformance):
    capabilities = Capabilities(one_at_a_time=False, puts_bytes_together=False)


def child() -> Any:
    """The engine's process; there must be exactly one."""
    [process] = children(XLLAMACPP)
    return process


async def test_a_crash_costs_one_answer(open_file, tmp_path: Path) -> None:
    engine = await open_file(make_tiny_gguf(tmp_path / "model.gguf", reply="for ever and", loop=True))
    answer = Answer()
    victims = [child()]

    with pytest.raises(EngineCrashed):
        await ask(engine, answer=answer, after_each=lambda: victims.pop().kill() if victims else None)

    assert answer.text.startswith("for")
    assert (await ask(engine, question(max_tokens=3))).text == "for ever and"


async def test_one_of_several_answers_is_ended_by_leaving_it(open_file, tmp_path: Path) -> None:
    engine = await open_file(make_tiny_gguf(tmp_path / "model.gguf", reply="for ever and", loop=True))
    left, stays = engine.stream(question("One?")), engine.stream(question("Two?", max_tokens=40))
    await anext(left)
    rest = [await anext(stays)]

    await left.aclose()
    rest += [delta async for delta in stays]

    assert Answer(rest).finish is Finish.MAX_TOKENS


async def test_more_prompts_than_places_are_all_answered(open_file, tmp_path: Path) -> None:
    engine = await open_file(make_tiny_gguf(tmp_path / "model.gguf", reply="one two three"))

    answers = await asyncio.gather(*(ask(engine, f"Question {number}") for number in range(12)))

    assert [answer.text for answer in answers] == ["one two three"] * 12


async def test_answers_that_fill_the_window_together_end_as_if_alone(open_file, tmp_path: Path) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", reply="for ever and", loop=True, context=256)
    engine = await open_file(path)

    answers = await asyncio.gather(*(ask(engine, f"Question {number}") for number in range(4)))

    assert {answer.finish for answer in answers} == {Finish.CONTEXT_FULL}
    assert (await ask(engine, question(max_tokens=3))).text == "for ever and"


async def test_prompts_that_do_not_fit_beside_each_other_wait_for_room(open_file, tmp_path: Path) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", reply="for ever and", loop=True, context=256)
    engine = await open_file(path)
    long = "word " * 30
    taken = await engine.count_tokens([Message("user", long)])
    assert 256 / 3 < taken < 256, "three of them are too many for the window, one is not"

    answers = await asyncio.gather(*(ask(engine, question(long, max_tokens=20)) for _ in range(8)))

    assert {(answer.finish, answer.usage.answer_tokens) for answer in answers} == {(Finish.MAX_TOKENS, 20)}


async def test_an_answer_without_a_limit_cuts_no_other_short(open_file, tmp_path: Path) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", reply="for ever and", loop=True, context=256)
    engine = await open_file(path)

    endless, limited = await asyncio.gather(ask(engine, "Talk"), ask(engine, question(max_tokens=150)))

    assert (endless.finish, limited.finish) == (Finish.CONTEXT_FULL, Finish.MAX_TOKENS)


async def test_a_prompt_that_can_never_fit_is_refused_while_others_are_answered(
    open_file, tmp_path: Path
) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", reply="for ever and", loop=True, context=256)
    engine = await open_file(path)

    async with aclosing(engine.stream(question("Talk"))) as running:
        await anext(running)
        with pytest.raises(PromptTooLong) as caught:
            await ask(engine, "word " * 300)

    assert caught.value.context_tokens == 256


async def test_stop_ends_the_users_answer_and_leaves_those_in_the_background(
    open_file, tmp_path: Path
) -> None:
    engine = await open_file(make_tiny_gguf(tmp_path / "model.gguf", reply="for ever and", loop=True))
    background = question("Work", max_tokens=40, priority=Priority.BACKGROUND)
    async with aclosing(engine.stream(background)) as worked, aclosing(engine.stream(question())) as asked:
        rest = [await anext(worked)]
        seen = [await anext(asked)]
        engine.cancel()
        seen += [delta async for delta in asked]
        rest += [delta async for delta in worked]

    assert Answer(seen).finish is Finish.CANCELLED
    assert Answer(rest).finish is Finish.MAX_TOKENS


async def test_an_answer_keeps_to_a_schema(open_file, smollm2: Path) -> None:
    engine = await open_file(smollm2, context_tokens=512)
    prompt = question("Is the sky blue?", max_tokens=20)
    schema = JsonSchema('{"enum": ["yes", "no"]}')

    answer = await ask(engine, Prompt(prompt.messages, prompt.sampling, response=schema))

    assert answer.text in ('"yes"', '"no"')
    assert answer.done.whole


@pytest.mark.parametrize("response", [Grammar("root ::= nonsense ("), JsonSchema("{"), JsonSchema("\ud800")])
async def test_a_senseless_form_is_refused_and_harms_nobody(open_file, tmp_path: Path, response) -> None:
    engine = await open_file(make_tiny_gguf(tmp_path / "model.gguf", reply="Fine."))

    with pytest.raises(OptionRejected) as caught:
        await ask(engine, Prompt((Message("user", "hello"),), response=response))

    assert caught.value.option == "response"
    assert (await ask(engine)).text == "Fine."


async def test_adapters_are_refused_by_name(open_file, tmp_path: Path) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf")

    with pytest.raises(OptionRejected) as caught:
        await open_file(path, adapters=(LoraAdapter(tmp_path / "adapter.gguf"),))

    assert caught.value.option == "adapters"


async def test_a_broken_file_is_told_by_the_servers_log(open_file, tmp_path: Path) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", without_tensor="blk.1.ffn_up.weight")

    with pytest.raises(ModelFileDamaged, match=r"blk\.1\.ffn_up\.weight"):
        await open_file(path)


@pytest.mark.parametrize(
    "option", [{"flash_attention": False}, {"use_mmap": False}, {"kv_cache_type": "q8_0"}]
)
async def test_options_do_not_change_what_is_said(open_file, tmp_path: Path, option) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", reply="The same.")

    assert (await ask(await open_file(path, **option))).text == "The same."


async def test_the_port_is_closed_to_who_has_no_key(open_file, tmp_path: Path) -> None:
    httpx = pytest.importorskip("httpx")
    await open_file(make_tiny_gguf(tmp_path / "model.gguf"))
    [address] = {
        connection.laddr for connection in child().net_connections("tcp") if connection.status == "LISTEN"
    }

    async with httpx.AsyncClient(base_url=f"http://{address.ip}:{address.port}") as client:
        answer = await client.post("/completion", json={"prompt": "hello"})

    assert address.ip == "127.0.0.1"
    assert answer.status_code == 401


async def test_it_runs_models_where_llama_cpp_python_is_missing(monkeypatch, tmp_path: Path) -> None:
    async def unavailable(*_: object) -> Engine:
        raise EngineUnavailable("llama-cpp-python")

    monkeypatch.setattr("engines.opening._open_file", unavailable)
    engine = await open_engine(make_tiny_gguf(tmp_path / "model.gguf", reply="Hello."))

    assert isinstance(engine, XllamacppEngine)
    assert (await ask(engine)).text == "Hello."
    await engine.close()


async def test_a_base_model_goes_on_with_a_text(open_file, tmp_path: Path) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", reply="and so on", chat_template=None)
    engine = await open_file(path)

    assert (await ask(engine, Prompt((), completion="Once upon a time.\n"))).text == "and so on"


async def test_the_environment_chooses_it(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DAI_ENGINE", "xllamacpp")
    engine = await open_engine(make_tiny_gguf(tmp_path / "model.gguf", reply="Hello."))

    assert isinstance(engine, XllamacppEngine)
    await engine.close()


async def test_an_engine_that_does_not_exist_is_told_by_its_name(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DAI_ENGINE", "nonsense")

    with pytest.raises(EngineUnavailable) as caught:
        await open_engine(make_tiny_gguf(tmp_path / "model.gguf"))

    assert caught.value.package == "nonsense"


def test_a_piece_of_text_is_one_message_and_silent_work_is_told() -> None:
    told: list[Event] = []
    running = RunningAnswer(7, Prompt((), completion=""), 3, None, inside_thought=False, deliver=told.append)

    running.take({"prompt_progress": {"cache": 0}})
    running.take({"choices": [{"text": "Hello"}]})
    running.take({"choices": [{"text": ""}]})

    assert told == [Progress(), Text(7, "Hello"), Progress()]
