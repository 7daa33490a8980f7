"""Servers that all speak "the OpenAI protocol", each in its own way."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from engines.errors import OptionRejected, RemoteAnswerBroken
from engines.protocol import Finish, Grammar, JsonSchema, LoraAdapter, Message, Prompt
from engines.remote.address import read_address
from engines.remote.models import list_models
from tests.engines.asking import Answer, ask, question
from tests.engines.remote.conftest import OpenRemote
from tests.engines.remote.scripted_server import Client, Received, ScriptedServer


async def answered(
    server: ScriptedServer, engine_at: OpenRemote, stream: str | bytes, **prompt: Any
) -> Answer:
    """The answer that a stream is understood as."""

    async def script(client: Client, _: Received) -> None:
        await client.head()
        await client.send(stream)

    server.script = script
    return await ask(await engine_at(server.url), question(**prompt))


def event(**delta: Any) -> str:
    finish = delta.pop("finish", None)
    return f"data: {json.dumps({'choices': [{'delta': delta, 'finish_reason': finish}]})}\n\n"


HELLO = event(content="Hello")
END = event(finish="stop")
DONE = "data: [DONE]\n\n"

STREAMS = {
    "as documented": HELLO + END + DONE,
    "no end mark": HELLO + END,
    "no reason to end": HELLO + DONE,
    "no line break at the end": HELLO + END.rstrip(),
    "lines end with both characters": (HELLO + END + DONE).replace("\n", "\r\n"),
    "lines end with carriage returns": (HELLO + END + DONE).replace("\n", "\r"),
    "comments as signs of life": f": ping\n\n{HELLO}: OPENROUTER PROCESSING\n\n{END}{DONE}",
    "no space behind the colon": (HELLO + END + DONE).replace("data: ", "data:"),
    "named and numbered events": f"event: message\nid: 1\nretry: 10\n{HELLO}{END}{DONE}",
    "data over two lines": 'data: {"choices": [{"delta":\ndata: {"content": "Hello"}}]}\n\n' + END + DONE,
    "a role first, without words": event(role="assistant", content=None) + HELLO + END + DONE,
    "an empty beginning": event(role="assistant", content="") + HELLO + END + DONE,
    "the last words come with the reason": event(content="Hel") + event(content="lo", finish="stop") + DONE,
    "Azure's empty first chunk": 'data: {"choices": [], "prompt_filter_results": []}\n\n'
    + HELLO
    + END
    + DONE,
    "null where lists are": 'data: {"choices": null, "usage": null}\n\n' + HELLO + END + DONE,
    "parts instead of a text": event(content=[{"type": "text", "text": "Hello"}]) + END + DONE,
    "nonsense after the end": HELLO + END + "data: oops\n\n",
}


@pytest.mark.parametrize("case", STREAMS)
async def test_every_way_to_stream_is_understood(
    server: ScriptedServer, engine_at: OpenRemote, case: str
) -> None:
    answer = await answered(server, engine_at, STREAMS[case])

    assert (answer.text, answer.finish) == ("Hello", Finish.END_OF_TURN)


async def test_text_cut_at_every_byte_arrives_whole(server: ScriptedServer, engine_at: OpenRemote) -> None:
    words = "سلام 😀"
    stream = (
        event(content="x") + f'data: {{"choices":[{{"delta":{{"content":"{words}"}}}}]}}\r\n\r\n'
    ).encode()

    async def script(client: Client, _: Received) -> None:
        await client.head()
        for byte in stream + END.encode():
            await client.send(bytes([byte]))
            await asyncio.sleep(0)

    server.script = script

    assert (await ask(await engine_at(server.url))).text == f"x{words}"


async def test_a_server_that_does_not_stream_is_heard_too(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    async def script(client: Client, _: Received) -> None:
        await client.json(
            {
                "choices": [
                    {"message": {"content": "Hello.", "reasoning_content": "Hm."}, "finish_reason": "stop"}
                ],
                "usage": {"prompt_tokens": 9, "completion_tokens": 2},
            }
        )

    server.script = script

    answer = await ask(await engine_at(server.url))

    assert (answer.text, answer.thought, answer.usage.answer_tokens) == ("Hello.", "Hm.", 2)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
async def test_thoughts_have_two_names(server: ScriptedServer, engine_at: OpenRemote, name: str) -> None:
    answer = await answered(server, engine_at, event(**{name: "Hm."}) + HELLO + END + DONE)

    assert (answer.thought, answer.text) == ("Hm.", "Hello")


async def test_thoughts_between_tags_are_told_from_the_answer(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    stream = "".join(event(content=piece) for piece in ("<thi", "nk>\nHm.", "\n</th", "ink>\n\nHel", "lo"))

    answer = await answered(server, engine_at, stream + END + DONE)

    assert (answer.thought, answer.text) == ("Hm.", "Hello")


async def test_counts_come_from_the_server(server: ScriptedServer, engine_at: OpenRemote) -> None:
    usage = {"prompt_tokens": 40, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 30}}

    answer = await answered(
        server, engine_at, HELLO + END + f'data: {{"choices": [], "usage": {json.dumps(usage)}}}\n\n' + DONE
    )

    counted = answer.usage
    assert (counted.prompt_tokens, counted.reused_tokens, counted.answer_tokens) == (40, 30, 7)


async def test_without_counts_they_are_estimated(server: ScriptedServer, engine_at: OpenRemote) -> None:
    answer = await answered(server, engine_at, HELLO + HELLO + END + DONE)

    assert answer.usage.answer_tokens == 2
    assert answer.usage.prompt_tokens > 0


@pytest.mark.parametrize(
    ("usage", "finish"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 5}, Finish.MAX_TOKENS),
        ({"prompt_tokens": 508, "completion_tokens": 4}, Finish.CONTEXT_FULL),
        (None, Finish.MAX_TOKENS),
    ],
)
async def test_an_answer_that_is_cut_off_says_by_what(
    server: ScriptedServer, engine_at: OpenRemote, usage, finish: Finish
) -> None:
    async def script(client: Client, _: Received) -> None:
        await client.head()
        await client.words("Once")
        await client.end("length", usage)

    server.script = script
    engine = await engine_at(server.url, context_tokens=512)

    assert (await ask(engine, question(max_tokens=5))).finish is finish


async def test_a_stop_string_is_found_here_and_ends_the_request(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    noticed = asyncio.Event()

    async def script(client: Client, _: Received) -> None:
        await client.head()
        await client.words("one ", "tw", "o three")
        await client.gone.wait()
        noticed.set()

    server.script = script
    engine = await engine_at(server.url)

    answer = await ask(engine, question(stop=("two",)))

    assert (answer.text, answer.finish) == ("one ", Finish.STOP_STRING)
    await asyncio.wait_for(noticed.wait(), 60)
    assert "stop" not in server.asked[0].body


async def test_all_that_was_chosen_is_sent_and_nothing_else(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    await answered(server, engine_at, HELLO + END + DONE, temperature=0.5, top_k=20, seed=3, max_tokens=9)

    assert server.asked[0].body == {
        "model": "tiny",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [{"role": "user", "content": "hello"}],
        "temperature": 0.5,
        "top_k": 20,
        "seed": 3,
        "max_tokens": 9,
        "chat_template_kwargs": {"enable_thinking": False},
    }
    assert "authorization" not in server.asked[0].headers


async def test_neither_opening_nor_counting_sends_a_word(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    engine = await engine_at(server.url)
    counted = await engine.count_texts(["the words of the person", "", "واژه‌های من"])
    await engine.count_tokens([Message("user", "the words of the person")])

    assert [(request.method, request.path) for request in server.received] == [("GET", "/v1/models")]
    assert counted[1] == 0
    assert min(counted[0], counted[2]) >= 5


async def test_what_a_server_has_counted_makes_later_estimates_higher(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    async def script(client: Client, _: Received) -> None:
        await client.head()
        await client.words("Hello")
        await client.end(usage={"prompt_tokens": 1000, "completion_tokens": 1})

    server.script = script
    engine = await engine_at(server.url)
    words = "سلام " * 150
    before = await engine.count_tokens([Message("user", words)])

    await ask(engine, words)

    assert before < 1000
    assert await engine.count_tokens([Message("user", words)]) == 1000


async def test_openai_which_knows_few_options_is_asked_in_its_words(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    async def script(client: Client, request: Received) -> None:
        known = {"model", "stream", "stream_options", "messages", "seed", "top_p", "max_completion_tokens"}
        for name in request.body:
            if name == "max_tokens":
                message = (
                    "Unsupported parameter: 'max_tokens' is not supported with this model. "
                    "Use 'max_completion_tokens' instead."
                )
                await client.json({"error": {"message": message, "param": "max_tokens"}}, 400)
                return
            if name not in known:
                await client.json(
                    {"error": {"message": f"Unrecognized request argument supplied: {name}"}}, 400
                )
                return
        await client.head()
        await client.words("Hello")
        await client.end()

    server.script = script
    engine = await engine_at(server.url)
    prompt = question(temperature=0.5, top_k=20, repeat_penalty=1.1, seed=3, max_tokens=9)

    first, asked = await ask(engine, prompt), len(server.asked)
    second = await ask(engine, prompt)

    assert (first.text, second.text) == ("Hello", "Hello")
    assert len(server.asked) == asked + 1  # it remembers
    assert server.asked[-1].body["max_completion_tokens"] == 9
    assert server.asked[-1].body["seed"] == 3


async def test_a_server_that_refuses_without_a_reason_gets_the_plainest_request(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    async def script(client: Client, request: Received) -> None:
        if "chat_template_kwargs" in request.body:
            await client.json({"detail": [{"msg": "extra fields not permitted"}]}, 422)
        else:
            await client.head()
            await client.words("Hello")
            await client.end()

    server.script = script

    assert (await ask(await engine_at(server.url))).text == "Hello"
    assert len(server.asked) == 2


async def test_a_model_without_a_system_role_gets_the_instructions_in_the_first_question(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    async def script(client: Client, request: Received) -> None:
        if any(message["role"] == "system" for message in request.body["messages"]):
            await client.json({"error": {"message": "System role not supported"}}, 400)
        else:
            await client.head()
            await client.words("Hello")
            await client.end()

    server.script = script
    engine = await engine_at(server.url)
    messages = (Message("system", "Be brief."), Message("user", "One."), Message("user", "Two."))

    assert (await ask(engine, Prompt(messages))).text == "Hello"
    assert server.asked[-1].body["messages"] == [{"role": "user", "content": "Be brief.\n\nOne.\n\nTwo."}]


async def test_a_server_that_begins_again_instead_of_going_on_is_not_repeated(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    start = "Once upon a time there was"

    stream = event(content="Once upon a ") + event(content="time there was a fox.") + END + DONE
    answer = await answered(server, engine_at, stream, answer_start=start)

    assert answer.text == " a fox."
    sent = server.asked[0].body
    assert sent["messages"][-1] == {"role": "assistant", "content": start}
    assert sent["continue_final_message"] is True


async def test_a_server_that_goes_on_is_left_as_it_is(server: ScriptedServer, engine_at: OpenRemote) -> None:
    stream = event(content=" a fox.") + END + DONE

    answer = await answered(server, engine_at, stream, answer_start="Once upon a time there was")

    assert answer.text == " a fox."


async def test_an_answer_that_goes_in_circles_is_ended(server: ScriptedServer, engine_at: OpenRemote) -> None:
    async def script(client: Client, _: Received) -> None:
        await client.head()
        while True:
            await client.words("round ", "and ")

    server.script = script

    answer = await ask(await engine_at(server.url))

    assert answer.finish is Finish.REPEATING


@pytest.mark.parametrize(
    ("listed", "window"),
    [
        ({"id": "tiny", "meta": {"n_ctx": 1024}}, 1024),
        ({"id": "tiny", "max_model_len": 2048}, 2048),
        ({"id": "tiny", "context_length": 131072}, 4096),
        ({"id": "tiny", "context_length": "lots", "meta": [1]}, 4096),
        ({"id": "tiny"}, 4096),
        ({"id": "another"}, 4096),
    ],
)
async def test_the_window_is_the_servers_where_that_is_smaller(
    server: ScriptedServer, engine_at: OpenRemote, listed, window: int
) -> None:
    server.models = [listed]

    assert (await engine_at(server.url)).info.context_tokens == window


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        ({"object": "list", "data": [{"id": "a"}, {"id": "b", "owned_by": "me"}]}, ["a", "b"]),
        ([{"id": "a"}], ["a"]),
        ({"object": "list", "data": None}, []),
        ({"data": [{"id": ""}, {"id": "two\nlines"}, {"id": "a"}]}, ["a"]),
    ],
)
async def test_lists_of_models_have_several_forms(server: ScriptedServer, listed, names: list[str]) -> None:
    server.models = None

    async def script(client: Client, _: Received) -> None:
        await client.json(listed)

    server.listing = script

    assert [model.id for model in await list_models(read_address(server.url))] == names


async def test_counts_that_cannot_be_are_not_believed(server: ScriptedServer, engine_at: OpenRemote) -> None:
    usage = {"prompt_tokens": -5, "completion_tokens": 2**60, "prompt_tokens_details": {"cached_tokens": -1}}

    answer = await answered(
        server, engine_at, HELLO + END + f'data: {{"choices": [], "usage": {json.dumps(usage)}}}\n\n' + DONE
    )

    assert 0 < answer.usage.prompt_tokens < 100
    assert (answer.usage.answer_tokens, answer.usage.reused_tokens) == (1, 0)


async def test_a_server_without_a_list_of_models_is_used_all_the_same(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    server.models = None

    answer = await answered(server, engine_at, HELLO + END + DONE)

    assert answer.text == "Hello"


async def test_an_error_in_words_within_an_answer_breaks_it(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    with pytest.raises(RemoteAnswerBroken):
        await answered(server, engine_at, HELLO + 'data: {"error": "out of memory"}\n\n')


async def test_a_server_on_this_device_leaves_nothing_to_tell(engine_at: OpenRemote) -> None:
    here = await engine_at("http://127.0.0.1:11434", opened=False)
    there = await engine_at("https://api.example.com", opened=False)

    assert here.info.host is None
    assert there.info.host == "api.example.com"


SCHEMA = JsonSchema('{"type": "object"}')


@pytest.mark.parametrize(("text", "whole"), [('{"a": 1}', True), ('{"a":', False), ("I cannot.", False)])
async def test_an_answer_of_a_form_says_whether_it_has_it(
    server: ScriptedServer, engine_at: OpenRemote, text: str, whole: bool
) -> None:
    answer = await answered(server, engine_at, event(content=text) + END + DONE, response=SCHEMA)

    assert (answer.text, answer.done.whole) == (text, whole)
    assert server.asked[0].body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": {"type": "object"}},
    }


async def test_a_server_that_does_not_take_a_form_is_not_asked_without_it(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    async def script(client: Client, _: Received) -> None:
        await client.json({"error": {"message": "response_format is not supported"}}, 400)

    server.script = script
    engine = await engine_at(server.url)

    with pytest.raises(OptionRejected) as caught:
        await ask(engine, question(response=SCHEMA))

    assert caught.value.option == "response"
    assert all("response_format" in request.body for request in server.asked)


@pytest.mark.parametrize(
    "prompt",
    [
        {"response": Grammar('root ::= "a"')},
        {"response": JsonSchema("{")},
        {"response": JsonSchema('"\\ud800"')},
        {"completion": "Once"},
        {"adapters": (LoraAdapter(Path("adapter.gguf")),)},
    ],
)
async def test_what_no_server_can_do_is_refused_before_a_word_is_sent(
    server: ScriptedServer, engine_at: OpenRemote, prompt: dict[str, Any]
) -> None:
    engine = await engine_at(server.url)

    with pytest.raises(OptionRejected) as caught:
        await ask(engine, question(**prompt))

    assert caught.value.option == next(iter(prompt))
    assert server.asked == []
