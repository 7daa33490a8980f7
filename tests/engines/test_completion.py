"""Going on with plain text, without a chat template: all that a base model can do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from engines.errors import NoChatTemplate, OptionRejected, PromptTooLong
from engines.protocol import Engine, Finish, LoadOptions, Prompt, Sampling
from engines.remote.address import read_address
from engines.remote.engine import RemoteEngine
from tests.engines.asking import ask
from tests.engines.tiny_gguf import make_tiny_gguf

HOSTS = [pytest.param("process", marks=pytest.mark.desktop("child processes")), "thread"]
Opened = Callable[..., Awaitable[Engine]]


def completion(text: str, **rest: object) -> Prompt:
    return Prompt((), Sampling(temperature=0.0, max_tokens=32), completion=text, **rest)


@pytest.mark.parametrize("host", HOSTS)
async def test_a_base_model_goes_on_with_a_text(tmp_path: Path, opened: Opened, host: str) -> None:
    base = make_tiny_gguf(tmp_path / "base.gguf", reply="and so on.", chat_template=None)
    engine = await opened(base, host=host)
    answer = await ask(engine, completion("Once upon a time:"))
    assert (answer.text, answer.finish) == ("and so on.", Finish.END_OF_TURN)
    again = await ask(engine, completion("Once upon a time: and", answer_start=" so:"))
    assert again.text == "and so on."
    assert again.usage.reused_tokens > 10


@pytest.mark.parametrize("architecture", ["qwen3", "llama", "gemma3"])
async def test_no_text_at_all_is_a_beginning_too(tmp_path: Path, opened: Opened, architecture: str) -> None:
    base = make_tiny_gguf(tmp_path / "base.gguf", architecture, chat_template=None)
    answer = await ask(await opened(base, host="thread"), completion(""))
    assert answer.usage.prompt_tokens == 1


async def test_a_text_is_only_text(tmp_path: Path, opened: Opened) -> None:
    """A thought's mark is no thought, a control token's name no control token."""
    model = make_tiny_gguf(tmp_path / "model.gguf", reply="<think> is a word.")
    engine = await opened(model, host="thread")
    answer = await ask(engine, completion("<|im_start|>:", thinking=True))
    assert (answer.thought, answer.text) == ("", "<think> is a word.")
    [counted] = await engine.count_texts(["<|im_start|>:"])
    assert answer.usage.prompt_tokens == counted > 2


async def test_a_text_longer_than_the_window_is_refused(tmp_path: Path, opened: Opened) -> None:
    engine = await opened(make_tiny_gguf(tmp_path / "model.gguf"), host="thread", context_tokens=256)
    with pytest.raises(PromptTooLong):
        await ask(engine, completion("x" * 300))


async def test_a_real_base_model_goes_on_but_does_not_chat(gemma_base: Path, opened: Opened) -> None:
    engine = await opened(gemma_base, host="thread", context_tokens=256)
    with pytest.raises(NoChatTemplate):
        await ask(engine)
    answer = await ask(engine, completion("One, two, three, four, five,"))
    assert answer.usage.answer_tokens > 1
    assert answer.text


async def test_a_server_is_not_asked_to(opened: Opened) -> None:
    engine = RemoteEngine(read_address("http://127.0.0.1:1"), "any", LoadOptions())
    with pytest.raises(OptionRejected) as refused:
        await ask(engine, completion("Once upon a time"))
    assert refused.value.option == "completion"
    await engine.close()
