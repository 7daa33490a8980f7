"""Continue and Regenerate: an answer goes on, or is replaced, and a failed attempt costs nothing."""

from __future__ import annotations

import pytest

from app.core.errors import NoModelInstalled, NothingToAnswer
from app.core.events import Event, Failed, Finished, Retrieved, Started, Stopped, Token
from app.core.messages import ChatMessage, Citation, MessageState
from engines.errors import EngineCrashed
from tests.app.core.conftest import Desk, collect

SCRIPT = "One two three four five six seven eight nine ten."


def half_written(
    desk: Desk, state: MessageState, text: str = "One two three", error: str | None = None
) -> int:
    """A conversation whose last answer ended in the middle."""
    conversation = desk.new()
    _, answer = desk.conversations.add_question(conversation, "Count")
    desk.conversations.write(answer.id, text=text, state=state, error=error)
    return conversation


@pytest.mark.parametrize(
    "state", [MessageState.STOPPED, MessageState.CUT_OFF, MessageState.INTERRUPTED, MessageState.FAILED]
)
async def test_an_unfinished_answer_goes_on_where_it_ended(desk: Desk, state: MessageState) -> None:
    desk.install(SCRIPT)
    conversation = half_written(desk, state)
    answered = await collect(desk.answering.continue_answer(conversation))
    assert answered.kinds == [Started, Token, Finished]
    assert answered.started.answer.text == "One two three"
    assert answered.text == " four five six seven eight nine ten."
    question, answer = desk.conversations.messages(conversation)
    assert answered.started.question == question
    assert (answer.text, answer.state, answer.error) == (SCRIPT, MessageState.COMPLETE, None)


async def test_an_answer_that_went_in_circles_says_so_and_offers_no_more_of_it(desk: Desk) -> None:
    desk.install("round and", loop=True, circle=True)
    answered = await collect(desk.answering.ask(desk.new(), "Go"))
    assert answered.answer.state is MessageState.REPEATING
    assert not answered.answer.continuable


async def test_an_answer_cut_off_at_the_limit_goes_on_and_adds_up_what_it_cost(desk: Desk) -> None:
    desk.install(SCRIPT)
    desk.settings.change(max_answer_tokens=16)
    desk.install("".join(f" {number}" for number in range(24)), name="long")
    conversation = desk.new()
    first = await collect(desk.answering.ask(conversation, "Count"))
    assert first.answer.state is MessageState.CUT_OFF
    second = await collect(desk.answering.continue_answer(conversation))
    assert second.answer.state is MessageState.COMPLETE
    assert second.answer.text == first.answer.text + second.text
    assert second.answer.text.endswith(" 22 23")
    assert first.answer.usage is not None
    assert second.answer.usage is not None
    assert (first.answer.usage.answer_tokens, second.answer.usage.answer_tokens) == (16, 24)


async def test_an_answer_longer_than_the_window_goes_on_all_the_same(desk: Desk) -> None:
    desk.install("word ", loop=True)
    desk.settings.change(context_tokens=512, max_answer_tokens=1024)
    conversation = desk.new()
    text = (await collect(desk.answering.ask(conversation, "Talk"))).answer.text
    for _ in range(3):
        answered = await collect(desk.answering.continue_answer(conversation))
        assert answered.answer.state is MessageState.CUT_OFF
        assert answered.answer.text == text + answered.text
        assert len(answered.text) > 500
        text = answered.answer.text


async def test_an_answer_that_has_nothing_to_add_becomes_complete(desk: Desk) -> None:
    desk.install(SCRIPT)
    conversation = half_written(desk, MessageState.STOPPED, SCRIPT)
    answered = await collect(desk.answering.continue_answer(conversation))
    assert answered.kinds == [Started, Finished]
    assert (answered.answer.text, answered.answer.state) == (SCRIPT, MessageState.COMPLETE)


async def test_a_continued_answer_keeps_its_sources_though_the_window_shrank(desk: Desk) -> None:
    desk.install("Vent it [1] through the valve [2].")
    collection, _ = desk.add_document("The documents are not asked again.")
    conversation = half_written(desk, MessageState.STOPPED, "Vent it")
    desk.conversations.set_collections(conversation, [collection])
    sources = tuple(Citation(number, number, 1, "Guide", None, None, "x" * 300) for number in (1, 2))
    desk.conversations.write(desk.last(conversation).id, sources=sources)
    desk.settings.change(context_tokens=1024)
    answered = await collect(desk.answering.continue_answer(conversation))
    assert answered.kinds == [Started, Token, Finished]
    assert desk.prompts[0].messages[-1].content.count("</source>") == 1  # more do not fit any more
    assert answered.answer.citations == sources


async def test_an_answer_stopped_before_its_first_word_is_begun_again(desk: Desk) -> None:
    desk.install("Vent it.")
    collection, _ = desk.add_document("The boiler must be vented in October.")
    conversation = desk.new([collection])
    _, answer = desk.conversations.add_question(conversation, "When is the boiler vented?")
    desk.conversations.write(answer.id, thinking="Half a thou", state=MessageState.STOPPED)
    answered = await collect(desk.answering.continue_answer(conversation))
    assert answered.kinds == [Started, Retrieved, Token, Finished]
    assert (answered.answer.id, answered.answer.thinking) == (answer.id, "")
    assert answered.answer.text.startswith("Vent it.")


async def test_a_complete_answer_a_question_or_nothing_cannot_go_on(desk: Desk) -> None:
    complete, asked, empty = half_written(desk, MessageState.COMPLETE), desk.new(), desk.new()
    desk.conversations.add(asked, "user", "Anybody?")
    for conversation in (complete, asked, empty):
        with pytest.raises(NothingToAnswer):
            await collect(desk.answering.continue_answer(conversation))
    with pytest.raises(NothingToAnswer):
        await collect(desk.answering.regenerate(empty))


async def test_regenerate_replaces_the_whole_answer_in_its_place(desk: Desk) -> None:
    desk.install("Vent it in October [1].", name="old")
    collection, _ = desk.add_document("The boiler must be vented in October.")
    conversation = desk.new([collection])
    old = (await collect(desk.answering.ask(conversation, "When is the boiler vented?"))).answer
    assert old.citations
    assert old.searched == 1
    desk.conversations.set_collections(conversation, [])
    desk.install("I do not know.", name="new")
    answered = await collect(desk.answering.regenerate(conversation))
    assert answered.started.answer.text == ""
    _, new = desk.conversations.messages(conversation)
    assert (new.id, new.text, new.model) == (old.id, "I do not know.", "new")
    assert (new.citations, new.searched, new.relevant) == ((), None, None)
    assert desk.conversations.sources(new.id) == ()
    assert new.usage is not None
    assert old.usage is not None
    assert new.usage.answer_tokens < old.usage.answer_tokens * 3
    assert desk.conversations.list("October") == []


async def test_regenerate_answers_a_question_that_has_no_answer(desk: Desk) -> None:
    desk.install("Me.")
    conversation = desk.new()
    desk.conversations.add(conversation, "user", "Anybody?")
    answered = await collect(desk.answering.regenerate(conversation))
    assert [message.text for message in desk.conversations.messages(conversation)] == ["Anybody?", "Me."]
    assert answered.answer.state is MessageState.COMPLETE


async def answered_once(desk: Desk) -> tuple[int, ChatMessage]:
    desk.install("Vent it in October [1].")
    collection, _ = desk.add_document("The boiler must be vented in October.")
    conversation = desk.new([collection])
    await collect(desk.answering.ask(conversation, "When is the boiler vented?"))
    return conversation, desk.last(conversation)


async def test_an_attempt_that_fails_before_its_first_word_leaves_the_old_answer(desk: Desk) -> None:
    conversation, old = await answered_once(desk)
    model = desk.models.loaded
    assert model is not None
    await desk.models.remove(model.id)
    answered = await collect(desk.answering.regenerate(conversation))
    assert isinstance(answered.events[-1], Failed)
    assert isinstance(answered.error, NoModelInstalled)
    assert answered.answer == desk.last(conversation) == old


async def test_an_attempt_stopped_before_its_first_word_leaves_the_old_answer(desk: Desk) -> None:
    conversation, old = await answered_once(desk)

    def stop(event: Event) -> None:
        if isinstance(event, Retrieved):
            desk.answering.stop(conversation)

    answered = await collect(desk.answering.regenerate(conversation), after=stop)
    assert isinstance(answered.events[-1], Stopped)
    assert answered.answer == desk.last(conversation) == old


async def test_a_kill_before_the_first_word_leaves_the_old_answer(desk: Desk) -> None:
    conversation, old = await answered_once(desk)
    during: list[ChatMessage] = []

    def look(event: Event) -> None:
        if isinstance(event, Retrieved):
            during.append(desk.last(conversation))  # what a kill would leave

    await collect(desk.answering.regenerate(conversation), after=look)
    assert during == [old]


async def test_an_attempt_that_fails_after_its_first_words_keeps_those(desk: Desk) -> None:
    conversation, old = await answered_once(desk)
    desk.breaks_with = EngineCrashed()
    await desk.models.unload()
    answered = await collect(desk.answering.regenerate(conversation))
    kept = desk.last(conversation)
    assert (kept.id, kept.text, kept.error) == (old.id, answered.text, "EngineCrashed")
    assert kept.text != ""


async def test_a_continuation_that_fails_at_once_leaves_the_answer_as_it_was(desk: Desk) -> None:
    conversation = half_written(desk, MessageState.INTERRUPTED)
    before = desk.last(conversation)
    answered = await collect(desk.answering.continue_answer(conversation))
    assert isinstance(answered.error, NoModelInstalled)
    assert desk.last(conversation) == answered.answer == before
    desk.install(SCRIPT)
    assert (await collect(desk.answering.continue_answer(conversation))).answer.text == SCRIPT
