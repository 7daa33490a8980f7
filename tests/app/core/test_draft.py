"""What is written of an answer is in the store half a second later, and a full device does not end it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core.conversations import Conversations
from app.core.draft import PERSIST_SECONDS, Draft
from app.core.messages import MessageState
from engines.protocol import Usage


@dataclass
class Clock:
    """The event loop's time, which passes only when the test says so."""

    now: float = 1000.0

    async def advance(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)  # the loop looks at its clock,
        await asyncio.sleep(0)  # and has called what was due


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock.now)
    return clock


@pytest.fixture
def conversations(tmp_path: Path) -> Iterator[Conversations]:
    opened = Conversations(tmp_path / "conversations.db")
    yield opened
    opened.close()


@pytest.fixture
def draft(conversations: Conversations) -> Draft:
    _, answer = conversations.add_question(conversations.create().id, "Why?")
    return Draft(conversations, answer)


def stored(conversations: Conversations, draft: Draft) -> tuple[str, str, MessageState]:
    kept = conversations.message(draft.beginning.id)
    return kept.text, kept.thinking, kept.state


async def test_a_kill_loses_half_a_second_at_most(
    conversations: Conversations, draft: Draft, clock: Clock
) -> None:
    assert PERSIST_SECONDS <= 0.5
    draft.think("Hm. ")
    await clock.advance(0.2)
    draft.write("Because ")
    await clock.advance(0.2)
    draft.write("of ")
    assert stored(conversations, draft) == ("", "", MessageState.STREAMING)
    await clock.advance(0.1)
    assert stored(conversations, draft) == ("Because of ", "Hm. ", MessageState.STREAMING)
    draft.write("light")
    await clock.advance(0.5)
    assert stored(conversations, draft)[0] == "Because of light"


async def test_an_answer_that_pauses_is_written_once(
    conversations: Conversations, draft: Draft, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[int] = []
    write = conversations.write
    monkeypatch.setattr(
        conversations, "write", lambda number, **changes: writes.append(write(number, **changes))
    )
    for _ in range(100):
        draft.write("word ")
    for _ in range(4):
        await clock.advance(0.5)
    assert len(writes) == 1


async def test_nothing_is_written_after_the_end(
    conversations: Conversations, draft: Draft, clock: Clock
) -> None:
    draft.write("Because.")
    draft.done(MessageState.COMPLETE, Usage(1, 0, 1, 0.1, 0.1))
    draft.finish()
    conversations.write(draft.beginning.id, text="changed by somebody else")
    draft.close()
    await clock.advance(1)
    assert stored(conversations, draft)[0] == "changed by somebody else"


async def test_a_device_that_is_full_for_a_while_costs_nothing(
    conversations: Conversations, draft: Draft, clock: Clock
) -> None:
    writer = conversations._database._writer
    limit = writer.pragma("max_page_count", writer.pragma("page_count"))
    draft.write("word " * 20_000)
    await clock.advance(0.5)
    assert stored(conversations, draft)[0] == ""
    writer.pragma("max_page_count", limit * 1000)
    draft.write("and more")
    await clock.advance(0.5)
    assert stored(conversations, draft)[0] == "word " * 20_000 + "and more"
    draft.done(MessageState.COMPLETE)
    assert draft.finish().state is MessageState.COMPLETE


async def test_what_cannot_be_stored_at_the_end_is_told_but_not_lost_on_the_screen(
    conversations: Conversations, draft: Draft
) -> None:
    writer = conversations._database._writer
    writer.pragma("max_page_count", writer.pragma("page_count"))
    draft.write("word " * 20_000)
    draft.done(MessageState.COMPLETE)
    with pytest.raises(OSError, match="space") as caught:
        draft.finish()
    answer = draft.fail(caught.value)
    assert (answer.text, answer.state, answer.error) == ("word " * 20_000, MessageState.FAILED, "OSError")
