"""Stop ends an answer in whatever it does, keeps its text, and leaves the model free for the next one."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing

import pytest

from app.core.events import Event, Finished, Retrieved, Started, Stopped, Token
from app.core.messages import ChatMessage, MessageState
from tests.app.core.conftest import Answered, Desk, collect
from tests.app.ui.word_embedder import WordEmbedder


class ThinkingEmbedder(WordEmbedder):
    """Takes its time with questions: until the test lets it go on."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.may_go_on = threading.Event()

    def embed_query(self, text: str):
        if threading.current_thread() is not threading.main_thread() and text.endswith("?"):
            self.asked.set()
            self.may_go_on.wait(60)
        return super().embed_query(text)


async def stopped_answer(desk: Desk, conversation: int, running: asyncio.Task[Answered]) -> ChatMessage:
    """Press Stop, and return what is kept."""
    desk.answering.stop(conversation)
    answered = await running
    assert isinstance(answered.events[-1], Stopped)
    assert desk.last(conversation) == answered.answer
    assert not desk.answering.answering(conversation)
    return answered.answer


async def assert_next_question_is_answered(desk: Desk) -> None:
    async with asyncio.timeout(60):
        answered = await collect(desk.answering.ask(desk.new(), "And now?"))
    assert isinstance(answered.events[-1], Finished)


async def test_stop_during_the_search(desk: Desk) -> None:
    desk.install("Vent it.")
    collection, _ = desk.add_document("The boiler must be vented in October.")
    embedder = desk.embedder = ThinkingEmbedder()
    desk.knowledge._search._embedder._opened = embedder
    conversation = desk.new([collection])
    running = asyncio.create_task(collect(desk.answering.ask(conversation, "When is the boiler vented?")))
    await asyncio.to_thread(embedder.asked.wait, 60)
    answer = await stopped_answer(desk, conversation, running)
    assert (answer.text, answer.state) == ("", MessageState.STOPPED)
    embedder.may_go_on.set()
    await assert_next_question_is_answered(desk)
    assert len(desk.prompts) == 1


async def test_stop_while_the_model_is_loaded_lets_the_loading_serve_the_next_question(desk: Desk) -> None:
    desk.install("Here I am.")
    desk.may_load.clear()
    loading = asyncio.Event()
    desk.models.subscribe(lambda: loading.set() if desk.models.loading else None)
    conversation = desk.new()
    running = asyncio.create_task(collect(desk.answering.ask(conversation, "Hello?")))
    await loading.wait()
    answer = await stopped_answer(desk, conversation, running)
    assert (answer.text, answer.state) == ("", MessageState.STOPPED)
    assert desk.models.loading is not None
    desk.may_load.set()
    await assert_next_question_is_answered(desk)
    assert desk.times_loaded == 1


async def test_stop_while_the_prompt_is_read(desk: Desk) -> None:
    desk.install("Too late.", context=16384)
    desk.settings.change(context_tokens=16384)
    await desk.models.engine()
    assert desk.engine is not None
    conversation = desk.new()
    running = asyncio.create_task(collect(desk.answering.ask(conversation, "x" * 15000)))
    await desk.engine.asked.wait()
    answer = await stopped_answer(desk, conversation, running)
    assert (answer.text, answer.state, answer.model) == ("", MessageState.STOPPED, "scripted")
    assert answer.usage is not None
    assert answer.usage.answer_tokens == 0
    await assert_next_question_is_answered(desk)


async def test_stop_while_it_writes_keeps_the_text(desk: Desk) -> None:
    desk.install("word ", loop=True)
    conversation = desk.new()

    def stop(event: Event) -> None:
        if isinstance(event, Token):
            desk.answering.stop(conversation)

    answered = await collect(desk.answering.ask(conversation, "Talk"), after=stop)
    assert answered.kinds == [Started, Token, Stopped]
    kept = desk.last(conversation)
    assert kept.text == answered.text != ""
    assert (kept.state, kept.continuable) == (MessageState.STOPPED, True)
    assert kept.usage is not None
    assert kept.usage.answer_tokens < 900  # of 1024
    await assert_ends(desk)


async def assert_ends(desk: Desk) -> None:
    desk.settings.change(max_answer_tokens=16)
    await assert_next_question_is_answered(desk)


@pytest.mark.parametrize("at", [Started, Retrieved])
async def test_stop_between_two_events(desk: Desk, at: type[Event]) -> None:
    desk.install("Vent it.")
    collection, _ = desk.add_document("The boiler must be vented in October.")
    conversation = desk.new([collection])

    def stop(event: Event) -> None:
        if isinstance(event, at):
            desk.answering.stop(conversation)

    answered = await collect(desk.answering.ask(conversation, "When is the boiler vented?"), after=stop)
    assert isinstance(answered.events[-1], Stopped)
    assert desk.prompts == []
    await assert_next_question_is_answered(desk)


async def test_stopping_a_question_that_waits_leaves_the_running_answer_alone(desk: Desk) -> None:
    desk.install("word ", loop=True)
    desk.settings.change(max_answer_tokens=300)
    writing, waiting = desk.new(), desk.new()
    tasks: list[asyncio.Task[Answered]] = []

    def ask_another_and_stop_it(event: Event) -> None:
        if isinstance(event, Token):
            if not tasks:
                tasks.append(asyncio.create_task(collect(desk.answering.ask(waiting, "Me too"))))
            desk.answering.stop(waiting)

    answered = await collect(desk.answering.ask(writing, "Talk"), after=ask_another_and_stop_it)
    assert answered.answer.state is MessageState.CUT_OFF
    assert answered.answer.usage is not None
    assert answered.answer.usage.answer_tokens == 300
    other = await tasks[0]
    assert isinstance(other.events[-1], Stopped)
    assert other.answer.text == ""


async def test_stopping_where_nothing_is_written_does_nothing(desk: Desk) -> None:
    desk.install("Yes.")
    conversation = desk.new()
    desk.answering.stop(conversation)
    assert (await collect(desk.answering.ask(conversation, "Well?"))).answer.text == "Yes."
    desk.answering.stop(conversation)
    assert desk.last(conversation).state is MessageState.COMPLETE


@pytest.mark.parametrize("at", [Started, Token])
async def test_leaving_early_stops_the_answer_and_the_engine(desk: Desk, at: type[Event]) -> None:
    desk.install("word ", loop=True)
    conversation = desk.new()
    async with aclosing(desk.answering.ask(conversation, "Talk")) as events:
        async for event in events:
            if isinstance(event, at):
                break
    kept = desk.last(conversation)
    assert kept.state is MessageState.STOPPED
    assert bool(kept.text) == (at is Token)
    assert not desk.answering.answering(conversation)
    await assert_ends(desk)


async def test_a_cancelled_task_keeps_the_text_and_frees_the_model(desk: Desk) -> None:
    desk.install("word ", loop=True)
    conversation = desk.new()
    answered = Answered()
    first_words = asyncio.Event()
    running = asyncio.create_task(
        collect(
            desk.answering.ask(conversation, "Talk"),
            after=lambda event: isinstance(event, Token) and first_words.set(),
            into=answered,
        )
    )
    await first_words.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert desk.last(conversation).state is MessageState.STOPPED
    assert desk.last(conversation).text == answered.text
    await assert_ends(desk)


@pytest.mark.parametrize("how", ["stop", "cancel"])
@pytest.mark.parametrize("steps", range(4))
async def test_whoever_gives_up_as_its_turn_comes_passes_it_on(desk: Desk, how: str, steps: int) -> None:
    desk.install("Yes.")
    await desk.models.engine()
    first, second = desk.new(), desk.new()
    begun = asyncio.Event()
    waiting: list[asyncio.Task[Answered]] = []

    def ask_another(event: Event) -> None:
        if isinstance(event, Token) and not waiting:
            events = desk.answering.ask(second, "Me too")
            waiting.append(asyncio.create_task(collect(events, after=lambda _: begun.set())))

    await collect(desk.answering.ask(first, "Talk"), after=ask_another)
    for _ in range(steps):
        await asyncio.sleep(0)
    if how == "stop":
        desk.answering.stop(second)
    else:
        waiting[0].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not desk.answering.answering(second)
    await assert_next_question_is_answered(desk)


async def test_several_answers_may_be_stopped_at_the_same_time(desk: Desk) -> None:
    desk.install("word ", loop=True)
    conversations = [desk.new() for _ in range(4)]

    def stop_all(event: Event) -> None:
        if isinstance(event, Token):
            for each in conversations:
                desk.answering.stop(each)

    answers = [collect(desk.answering.ask(each, "Talk"), after=stop_all) for each in conversations]
    for answered in await asyncio.gather(*answers):
        assert isinstance(answered.events[-1], Stopped)
    assert len(desk.prompts) == 1
