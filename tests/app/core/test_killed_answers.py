"""A kill -9 leaves an interrupted answer that goes on; an answer that somebody writes is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app import services as composition
from app.core.errors import AlreadyAnswering
from app.core.events import Event, Finished, Token
from app.core.instance import WritersLock
from app.core.messages import MessageState
from app.core.paths import Paths
from app.services import open_services
from tests.app.core.conftest import Desk, collect
from tests.app.ui.word_embedder import WordEmbedder

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = "One two three four five six seven eight nine ten."


@contextmanager
def answering_in_another_process(folder: Path) -> Iterator[int]:
    """Another process writes an answer in this block, and is killed at its end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.app.core.answer_for_ever", str(folder)],
        cwd=ROOT,
        env=os.environ | {"DAI_ENGINE_HOST": "thread"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.desktop("child processes")
async def test_after_a_kill_the_answer_is_interrupted_and_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "open_embedder", lambda *_, **__: WordEmbedder())
    desk = Desk(folder)
    desk.install(SCRIPT, loop=True)
    with answering_in_another_process(folder) as conversation:
        beside = open_services(Paths(folder))
        assert beside.conversations.messages(conversation)[-1].state is MessageState.STREAMING
        await beside.close()
    desk.install(SCRIPT)  # the same words, but they end
    opened = open_services(Paths(folder))
    interrupted = opened.conversations.messages(conversation)[-1]
    assert interrupted.state is MessageState.INTERRUPTED
    assert interrupted.text.startswith("One two")
    assert [found.id for found in opened.conversations.list("three")] == [conversation]
    answered = await collect(opened.answering.continue_answer(conversation))
    await opened.close()
    assert isinstance(answered.events[-1], Finished)
    kept = desk.last(conversation)
    assert (kept.id, kept.state) == (interrupted.id, MessageState.COMPLETE)
    assert kept.text == interrupted.text + answered.text
    assert kept.text.endswith("ten.")
    await desk.close()


async def test_an_answer_being_written_is_not_taken_for_one_that_a_kill_left(desk: Desk) -> None:
    desk.install("word ", loop=True)
    desk.settings.change(max_answer_tokens=200)
    conversation = desk.new()
    other = WritersLock(desk.folder / "writers.lock")
    recovered: list[bool] = []

    def recover(event: Event) -> None:
        if isinstance(event, Token):
            recovered.append(other.if_nobody_writes(desk.conversations.recover))
            assert desk.last(conversation).state is MessageState.STREAMING

    await collect(desk.answering.ask(conversation, "Talk"), after=recover)
    assert set(recovered) == {False}
    assert other.if_nobody_writes(desk.conversations.recover)
    assert desk.last(conversation).state is MessageState.CUT_OFF


async def test_what_another_process_writes_is_not_written_twice_and_goes_on_once_that_is_killed(
    desk: Desk,
) -> None:
    desk.install(SCRIPT)
    conversation = desk.new()
    _, answer = desk.conversations.add_question(conversation, "Count")
    desk.conversations.write(answer.id, text="One two three", state=MessageState.STREAMING)
    other = WritersLock(desk.folder / "writers.lock")
    with other.shared():
        for events in (
            desk.answering.ask(conversation, "And?"),
            desk.answering.regenerate(conversation),
            desk.answering.continue_answer(conversation),
        ):
            with pytest.raises(AlreadyAnswering):
                await collect(events)
    answered = await collect(desk.answering.continue_answer(conversation))
    assert answered.answer.text == SCRIPT


def test_several_may_write_at_once_and_nobody_while_a_kill_is_repaired(tmp_path: Path) -> None:
    lock = WritersLock(tmp_path / "writers.lock")
    called: list[str] = []
    with lock.shared():
        with lock.shared():
            assert not lock.if_nobody_writes(lambda: called.append("two write"))
        assert not lock.if_nobody_writes(lambda: called.append("one writes"))
    assert lock.if_nobody_writes(lambda: called.append("nobody writes"))
    assert called == ["nobody writes"]
