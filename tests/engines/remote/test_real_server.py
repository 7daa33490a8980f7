"""llama.cpp's own server, over HTTP, with scripted and with real models."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

import pytest

from engines.errors import PromptTooLong, RemoteAnswerBroken, RemoteRefused
from engines.gguf import read_header
from engines.protocol import Engine, Finish, JsonSchema, Message, Prompt, TextDelta
from engines.remote.address import read_address
from engines.remote.connection import ServerAccess
from engines.remote.models import list_models
from tests.engines.asking import ask, question
from tests.engines.capabilities import Capabilities
from tests.engines.conformance import EngineConformance
from tests.engines.remote.conftest import OpenRemote
from tests.engines.remote.real_server import llama_server
from tests.engines.tiny_gguf import make_tiny_gguf

pytest.importorskip("xllamacpp")

pytestmark = [pytest.mark.desktop("a server of its own"), pytest.mark.slow]


@pytest.fixture
async def open_file(engine_at: OpenRemote):
    """Opens a model's file in a server of its own."""
    async with AsyncExitStack() as servers:

        async def open_(path: Path, **options: Any) -> Engine:
            context = min(options.get("context_tokens", 4096), read_header(path).trained_context)
            url = await servers.enter_async_context(llama_server(path, context=context))
            return await engine_at(url, str(path), **options)

        yield open_


class TestRemoteEngine(EngineConformance):
    capabilities = Capabilities(
        counts_exactly=False,
        knows_the_file=False,
        renders_the_template=False,
        puts_bytes_together=False,
        one_at_a_time=False,
    )


async def test_the_key_opens_the_door(engine_at: OpenRemote, tmp_path: Path) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", reply="Hello.")

    async with llama_server(path, key="secret") as url:
        assert (await ask(await engine_at(url, str(path), key="secret"))).text == "Hello."
        with pytest.raises(RemoteRefused):
            await ask(await engine_at(url, str(path), key="wrong"))
        [model] = await list_models(read_address(url), ServerAccess("secret"))

    assert (model.id, model.context_tokens) == (str(path), 2048)


async def test_a_real_model_answers_and_goes_on(engine_at: OpenRemote, smollm2: Path) -> None:
    async with llama_server(smollm2, context=1024) as url:
        engine = await engine_at(url, smollm2.name, context_tokens=1024)
        first = await ask(engine, question("Tell me a story.", max_tokens=16, temperature=0.0))
        rest = await ask(
            engine, question("Tell me a story.", answer_start=first.text, max_tokens=8, temperature=0.0)
        )
        with pytest.raises(PromptTooLong) as caught:
            await ask(engine, "word " * 3000)

    assert first.finish is rest.finish is Finish.MAX_TOKENS
    assert (first.usage.answer_tokens, rest.usage.answer_tokens) == (16, 8)
    assert caught.value.context_tokens == 1024
    assert caught.value.prompt_tokens > 2000


async def test_estimates_are_not_below_the_truth(engine_at: OpenRemote, smollm2: Path) -> None:
    english = "The harbour was quiet, and only a few gulls were to be seen above the water. " * 8
    async with llama_server(smollm2, context=2048) as url:
        engine = await engine_at(url, smollm2.name)
        messages = (Message("system", english), Message("user", english))
        answer = await ask(engine, Prompt(messages, question(max_tokens=1).sampling))

    assert await engine.count_tokens(messages) >= answer.usage.prompt_tokens


async def test_a_server_that_dies_within_an_answer_keeps_its_beginning(
    engine_at: OpenRemote, tmp_path: Path
) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", reply="for ever and", loop=True)

    async with AsyncExitStack() as running:
        url = await running.enter_async_context(llama_server(path))
        engine = await engine_at(url, str(path))
        async with aclosing(engine.stream(question())) as deltas:
            assert isinstance(await anext(deltas), TextDelta)
            await running.aclose()
            with pytest.raises(RemoteAnswerBroken):
                [delta async for delta in deltas]


async def test_a_real_model_keeps_to_a_schema(engine_at: OpenRemote, smollm2: Path) -> None:
    async with llama_server(smollm2, context=1024) as url:
        engine = await engine_at(url, smollm2.name)
        answer = await ask(
            engine,
            question("Is the sky blue?", max_tokens=20, response=JsonSchema('{"enum": ["yes", "no"]}')),
        )

    assert answer.text in ('"yes"', '"no"')
    assert answer.done.whole
