"""What a user sees of an engine that dies: its words stay, the next question works, and a warning at last."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.errors import NoModelInstalled
from app.core.events import Event, Token
from app.core.messages import MessageState
from app.core.model_options import ModelOptions
from app.core.strings import Strings
from engines.errors import EngineCrashed, EngineKeepsCrashing, ModelFileDamaged
from tests.app.core.conftest import Desk, collect
from tests.engines.child_processes import children

pytestmark = pytest.mark.desktop("a child process")


@pytest.fixture
def folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAI_ENGINE_HOST", "process")
    return folder


def install_endless(desk: Desk) -> None:
    """A model that writes for seconds, so that it cannot be done before it is killed."""
    desk.install("one two three four", loop=True, context=32_768)
    desk.models.tuning.for_now = ModelOptions(context_tokens=32_768, max_answer_tokens=30_000)


def kill_at_first_word(number: int = signal.SIGKILL) -> Callable[[Event], None]:
    killed: list[int] = []

    def kill(event: Event) -> None:
        if isinstance(event, Token) and not killed:
            [child] = children()
            killed.append(child.pid)
            child.send_signal(number)

    return kill


@pytest.mark.parametrize("name", ["SIGKILL", "SIGBUS", "SIGSEGV"])
async def test_a_crash_keeps_the_words_says_so_in_both_languages_and_can_be_continued(
    desk: Desk, name: str
) -> None:
    install_endless(desk)
    conversation = desk.new()

    kill = kill_at_first_word(getattr(signal, name))
    crashed = await collect(desk.answering.ask(conversation, "Count."), after=kill)

    answer = desk.last(conversation)
    assert isinstance(crashed.error, EngineCrashed)
    assert (answer.state, answer.error) == (MessageState.FAILED, "EngineCrashed")
    assert answer.text.startswith("one")
    assert answer.continuable
    english, persian = (Strings(language).error(crashed.error) for language in ("en", "fa"))
    assert "stopped unexpectedly" in english
    assert any("\u0600" <= letter <= "\u06ff" for letter in persian)

    desk.models.tuning.for_now = ModelOptions(max_answer_tokens=40)
    gone_on = await collect(desk.answering.continue_answer(conversation))

    assert gone_on.answer.id == answer.id
    assert gone_on.answer.text.startswith(answer.text)
    assert len(gone_on.answer.text) > len(answer.text)
    assert gone_on.answer.error is None


async def test_after_two_crashes_the_model_is_loaded_only_if_the_user_insists(desk: Desk) -> None:
    install_endless(desk)
    conversation = desk.new()
    for _ in range(2):
        await collect(desk.answering.ask(conversation, "Count."), after=kill_at_first_word())
    assert children() == []

    refused = await collect(desk.answering.ask(conversation, "Count."))

    assert isinstance(refused.error, EngineKeepsCrashing)
    assert children() == []
    assert refused.error.model == "scripted"

    model = desk.models.chosen()
    assert model is not None
    desk.models.tuning.for_now = ModelOptions(max_answer_tokens=40)
    await desk.models.load(model.id, anyway=True)
    answered = await collect(desk.answering.ask(conversation, "Count."))
    assert answered.answer.text.startswith("one two")


async def test_a_file_that_was_cut_off_under_the_app_is_not_asked_any_more(desk: Desk) -> None:
    desk.install("one two three")
    conversation = desk.new()
    await collect(desk.answering.ask(conversation, "Count."))
    path = desk.folder / "models" / "scripted.gguf"
    os.truncate(path, 100_000)

    failed = await collect(desk.answering.ask(conversation, "Again."))

    assert isinstance(failed.error, NoModelInstalled)
    [(broken, error)] = desk.models.broken()
    assert broken == path
    assert isinstance(error, ModelFileDamaged)
