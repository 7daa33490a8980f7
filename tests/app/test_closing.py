"""Closing the app while an answer is written: its words are kept, whether or not anybody still reads them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.core import answering
from app.core.conversations import Conversations
from app.core.events import Event, Stopped, Token
from app.core.messages import ChatMessage, MessageState
from app.core.paths import Paths
from app.core.settings import SettingsStore
from app.services import Services, open_services
from engines.library import starter
from tests.engines.tiny_gguf import make_tiny_gguf


@pytest.fixture
async def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    """With a model that goes on for ever."""
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    paths = Paths(tmp_path / "home").create()
    make_tiny_gguf(paths.models / "model.gguf", reply="word", loop=True, context=40_000)
    SettingsStore(paths.settings).change(context_tokens=32_768, max_answer_tokens=32_768)
    opened = open_services(paths)
    yield opened
    await opened.close()


def kept(services: Services) -> ChatMessage:
    """The answer as the next start of the app finds it, before it repairs anything."""
    conversations = Conversations(services.paths.conversations)
    [conversation] = conversations.list()
    answer = conversations.messages(conversation.id)[-1]
    conversations.close()
    return answer


async def test_an_answer_that_is_shown_is_stopped_and_kept_whole(services: Services) -> None:
    writes = asyncio.Event()

    async def show() -> list[Event]:
        events = []
        async for event in services.answering.ask(services.conversations.create().id, "Go on"):
            events.append(event)
            if isinstance(event, Token):
                writes.set()
        return events

    showing = asyncio.create_task(show())
    await writes.wait()
    await services.close()

    events = await showing
    answer = kept(services)
    assert events[-1] == Stopped(answer)
    assert answer.state is MessageState.STOPPED
    assert answer.text == "".join(event.text for event in events if isinstance(event, Token))


async def test_an_answer_that_nobody_reads_any_more_is_kept_and_keeps_nobody_waiting(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "_SECONDS_FOR_READERS", 0.01)
    events = services.answering.ask(services.conversations.create().id, "Go on")
    async for event in events:
        if isinstance(event, Token):
            break
    assert isinstance(event, Token)

    await services.close()

    answer = kept(services)
    assert (answer.text, answer.state) == (event.text, MessageState.STOPPED)
    await events.aclose()
    assert kept(services) == answer
