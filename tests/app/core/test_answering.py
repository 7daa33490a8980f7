"""A question becomes an answer, and whatever happens on the way, nothing that was written is lost."""

from __future__ import annotations

import asyncio
import errno

import pytest

from app.core.errors import AlreadyAnswering, ConversationMissing, EmptyQuestion, NoModelInstalled
from app.core.events import Failed, Finished, Retrieved, Started, Stopped, Token
from app.core.messages import MessageState
from engines.errors import EngineCrashed, PromptTooLong
from rag.errors import PassageMissing
from tests.app.core.conftest import Answered, Desk, collect

BOILER = "The boiler in the cellar must be vented every October through the red valve."


async def test_an_answer_comes_event_by_event_and_is_kept(desk: Desk) -> None:
    desk.install("The sky is blue.")
    conversation = desk.new()
    answered = await collect(desk.answering.ask(conversation, "  Why is the sky blue?\n"))
    assert answered.kinds == [Started, Token, Finished]
    assert answered.text == answered.answer.text == "The sky is blue."
    question, answer = desk.conversations.messages(conversation)
    assert question.text == "Why is the sky blue?"
    assert answer == answered.answer
    assert (answer.state, answer.model, answer.error) == (MessageState.COMPLETE, "scripted", None)
    assert answer.usage is not None
    assert answer.searched is None
    assert not desk.answering.answering(conversation)


async def test_an_answer_from_documents_cites_them(desk: Desk) -> None:
    desk.install("Vent it in October [1], or ask [7].")
    collection, document = desk.add_document(BOILER)
    conversation = desk.new([collection])
    answered = await collect(desk.answering.ask(conversation, "When is the boiler vented?"))
    assert answered.kinds == [Started, Retrieved, Token, Finished]
    assert answered.events[1] == Retrieved(1, 1)
    [citation] = answered.answer.citations
    assert (citation.number, citation.document_id, citation.text) == (1, document, BOILER)
    assert BOILER in desk.prompts[0].messages[-1].content


async def test_where_the_documents_tell_nothing_the_answer_says_so_without_a_model(desk: Desk) -> None:
    collection, _ = desk.add_document(BOILER)
    conversation = desk.new([collection])  # and no model is installed
    answered = await collect(desk.answering.ask(conversation, "Who discovered quantum chromodynamics?"))
    assert answered.kinds == [Started, Retrieved, Token, Finished]
    assert answered.events[1] == Retrieved(1, 0)
    assert answered.answer.text.startswith("I searched 1 passage of your documents and found nothing")
    assert answered.answer.state is MessageState.COMPLETE
    persian = await collect(desk.answering.ask(conversation, "پایتخت فرانسه کجاست؟"))
    assert persian.answer.text.startswith("در ۱ قطعه از سندهای شما جست‌وجو کردم")


async def test_an_answer_that_rests_on_no_source_is_followed_by_what_the_documents_say(desk: Desk) -> None:
    desk.install("The answer is 3.")
    collection, document = desk.add_document(BOILER)
    answered = await collect(desk.answering.ask(desk.new([collection]), "When is the boiler vented?"))
    assert answered.answer.text == f"The answer is 3.\n\nYour documents say:\n\n> {BOILER} [1]"
    assert answered.text == answered.answer.text
    assert [citation.document_id for citation in answered.answer.citations] == [document]


async def test_without_an_embedder_the_answer_stands_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.install("The answer is 3.")
    collection, _ = desk.add_document(BOILER)

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(desk.knowledge, "quote", fail)
    answered = await collect(desk.answering.ask(desk.new([collection]), "When is the boiler vented?"))
    assert (answered.answer.text, answered.answer.state) == ("The answer is 3.", MessageState.COMPLETE)


async def test_marks_in_the_users_own_words_cite_nothing(desk: Desk) -> None:
    desk.install("The boiler in the cellar is vented in October.")
    collection, _ = desk.add_document(BOILER)
    conversation = desk.new([collection])
    answered = await collect(desk.answering.ask(conversation, "[1] When is the boiler vented? [1]"))
    assert "[1]" not in answered.answer.text
    assert answered.started.question.citations == ()
    assert desk.conversations.messages(conversation)[0].citations == ()


async def test_a_document_deleted_meanwhile_is_still_cited_with_its_text(desk: Desk) -> None:
    desk.install("Vent it in October [1].")
    collection, document = desk.add_document(BOILER)

    def delete(event: object) -> None:
        if isinstance(event, Retrieved):
            desk.knowledge.delete_document(document)

    answered = await collect(
        desk.answering.ask(desk.new([collection]), "When is the boiler vented?"), after=delete
    )
    [citation] = answered.answer.citations
    assert (citation.document_title, citation.text) == ("guide.txt", BOILER)
    with pytest.raises(PassageMissing):
        desk.knowledge.passage(citation.passage_id)


@pytest.mark.parametrize("text", ["", " \n\t"])
async def test_nothing_is_not_a_question(desk: Desk, text: str) -> None:
    conversation = desk.new()
    with pytest.raises(EmptyQuestion):
        await collect(desk.answering.ask(conversation, text))
    assert desk.conversations.messages(conversation) == []
    assert not desk.answering.answering(conversation)


async def test_a_deleted_conversation_is_not_answered(desk: Desk) -> None:
    conversation = desk.new()
    desk.conversations.delete(conversation)
    with pytest.raises(ConversationMissing):
        await collect(desk.answering.ask(conversation, "Hello?"))
    assert not desk.answering.answering(conversation)


async def test_a_second_question_waits_until_the_first_is_answered(desk: Desk) -> None:
    desk.install("word ", loop=True)
    conversation = desk.new()
    refused: list[Exception] = []

    async def ask_again() -> None:
        for events in (
            desk.answering.ask(conversation, "And?"),
            desk.answering.regenerate(conversation),
            desk.answering.continue_answer(conversation),
        ):
            with pytest.raises(AlreadyAnswering) as caught:
                await anext(events)
            refused.append(caught.value)

    events = desk.answering.ask(conversation, "Talk")
    async for event in events:
        if isinstance(event, Token) and not refused:
            await ask_again()
            desk.answering.stop(conversation)
    assert len(refused) == 3
    assert len(desk.conversations.messages(conversation)) == 2
    desk.install("Done.", name="other")
    assert (await collect(desk.answering.ask(conversation, "And?"))).answer.text == "Done."


async def test_the_next_question_may_be_asked_at_the_last_event(desk: Desk) -> None:
    desk.install("Yes.")
    conversation = desk.new()
    async for event in desk.answering.ask(conversation, "One?"):
        if isinstance(event, Finished):
            assert (await collect(desk.answering.ask(conversation, "Two?"))).answer.text == "Yes."


async def test_two_conversations_asked_at_once_are_answered_one_after_the_other(desk: Desk) -> None:
    desk.install("One two three four five six.")
    order: list[tuple[int, type]] = []
    conversations = [desk.new(), desk.new()]

    async def ask(conversation: int) -> Answered:
        events = desk.answering.ask(conversation, "Count")
        return await collect(events, after=lambda event: order.append((conversation, type(event))))

    both = await asyncio.gather(*map(ask, conversations))
    assert [answered.answer.text for answered in both] == ["One two three four five six."] * 2
    # Their searches run side by side, so that either may be the first at the model.
    first, second = sorted(conversations, key=lambda one: order.index((one, Token)))
    assert order.index((second, Started)) < order.index((first, Token))
    assert order.index((first, Finished)) < order.index((second, Token))


async def test_without_a_model_the_answer_fails_and_the_question_is_kept(desk: Desk) -> None:
    conversation = desk.new()
    answered = await collect(desk.answering.ask(conversation, "Hello?"))
    assert isinstance(answered.error, NoModelInstalled)
    question, answer = desk.conversations.messages(conversation)
    assert question.text == "Hello?"
    assert (answer.state, answer.error) == (MessageState.FAILED, "NoModelInstalled")


@pytest.mark.parametrize("error", [EngineCrashed("", 9), RuntimeError("not foreseen by anybody")])
async def test_a_failure_in_the_middle_keeps_the_text_beside_the_error(desk: Desk, error: Exception) -> None:
    desk.breaks_with = error
    desk.install("word ", loop=True)
    conversation = desk.new()
    answered = await collect(desk.answering.ask(conversation, "Talk"))
    assert answered.kinds == [Started, Token, Failed]
    assert answered.error is error
    kept = desk.last(conversation)
    assert kept == answered.answer
    assert kept.text == answered.text != ""
    assert (kept.state, kept.error, kept.continuable) == (MessageState.FAILED, type(error).__name__, True)
    assert not desk.answering.answering(conversation)


@pytest.mark.desktop("child processes")
async def test_an_engine_that_dies_costs_one_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAI_ENGINE_HOST", "process")
    desk.install("word ", loop=True)
    conversation = desk.new()
    killed: list[int] = []

    def kill(event: object) -> None:
        if isinstance(event, Token) and not killed:
            assert desk.engine is not None
            process = desk.engine.real._channel._process  # type: ignore[attr-defined]
            killed.append(process.pid)
            process.kill()

    answered = await collect(desk.answering.ask(conversation, "Talk"), after=kill)
    assert isinstance(answered.error, EngineCrashed)
    assert desk.last(conversation).text == answered.text != ""
    desk.settings.change(max_answer_tokens=16)
    again = await collect(desk.answering.ask(conversation, "Again"))
    assert again.answer.state is MessageState.CUT_OFF


async def test_a_conversation_deleted_while_it_is_answered_stays_deleted(desk: Desk) -> None:
    desk.install("unmistakable ", loop=True)
    desk.settings.change(max_answer_tokens=300)
    conversation = desk.new()

    def delete(event: object) -> None:
        if isinstance(event, Token):
            desk.conversations.delete(conversation)

    answered = await collect(desk.answering.ask(conversation, "Talk"), after=delete)
    assert isinstance(answered.events[-1], Finished)
    assert answered.answer.text == answered.text
    assert desk.conversations.list() == []
    assert desk.conversations.list("unmistakable") == []
    assert desk.conversations.messages(conversation) == []


async def test_a_conversation_deleted_before_the_search_fails_plainly(desk: Desk) -> None:
    conversation = desk.new()

    def delete(event: object) -> None:
        desk.conversations.delete(conversation)

    answered = await collect(desk.answering.ask(conversation, "Talk"), after=delete)
    assert isinstance(answered.error, ConversationMissing)


async def test_settings_changed_in_the_middle_hold_from_the_next_question_on(desk: Desk) -> None:
    desk.install("word ", loop=True)
    desk.settings.change(max_answer_tokens=200, context_tokens=1024)
    conversation = desk.new()

    def change(event: object) -> None:
        if isinstance(event, Token):
            desk.settings.change(max_answer_tokens=20, context_tokens=512, system_prompt="Be brief.")

    answered = await collect(desk.answering.ask(conversation, "Talk"), after=change)
    assert answered.answer.usage is not None
    assert answered.answer.usage.answer_tokens == 200
    again = await collect(desk.answering.ask(conversation, "Talk again"))
    assert again.answer.usage is not None
    assert again.answer.usage.answer_tokens == 20
    assert desk.engine is not None
    assert desk.engine.info.context_tokens == 512
    assert desk.prompts[1].messages[0].content == "Be brief."


async def test_unloading_the_model_stops_its_answer(desk: Desk) -> None:
    desk.install("word ", loop=True)
    conversation = desk.new()
    unloading: list[asyncio.Task[None]] = []

    def unload(event: object) -> None:
        if isinstance(event, Token) and not unloading:
            unloading.append(asyncio.create_task(desk.models.unload()))

    answered = await collect(desk.answering.ask(conversation, "Talk"), after=unload)
    await unloading[0]
    assert isinstance(answered.events[-1], Stopped)
    assert answered.answer.text == answered.text


async def test_in_a_tiny_window_the_oldest_turns_go_and_sources_and_question_stay(desk: Desk) -> None:
    desk.install("Vent it [1].")
    desk.settings.change(context_tokens=1024, max_answer_tokens=64)
    collection, _ = desk.add_document(BOILER)
    conversation = desk.new()
    for number in range(8):
        desk.conversations.add(conversation, "user", f"Question {number}? " + "x" * 60)
        desk.conversations.add(conversation, "assistant", f"Answer {number}. " + "y" * 60)
    desk.conversations.set_collections(conversation, [collection])
    question = "When is the boiler vented?"
    answered = await collect(desk.answering.ask(conversation, question))
    assert answered.answer.state is MessageState.COMPLETE
    *history, last = desk.prompts[0].messages
    assert BOILER in last.content
    assert question in last.content
    assert 0 < len(history) < 16
    assert history[0].role == "user"
    assert history[-1].content.startswith("Answer 7.")
    assert answered.answer.usage is not None
    assert answered.answer.usage.prompt_tokens <= 1024 - 64


async def test_a_question_longer_than_the_window_is_refused_with_numbers_and_kept(desk: Desk) -> None:
    desk.install("Yes.")
    desk.settings.change(context_tokens=512)
    conversation = desk.new()
    answered = await collect(desk.answering.ask(conversation, "x" * 3000))
    assert isinstance(answered.error, PromptTooLong)
    assert answered.error.prompt_tokens > answered.error.context_tokens == 512
    assert len(desk.conversations.messages(conversation)[0].text) == 3000
    assert (await collect(desk.answering.ask(conversation, "Shorter?"))).answer.text == "Yes."


async def test_on_a_full_device_no_half_of_a_question_is_stored(desk: Desk) -> None:
    conversation = desk.new()
    fill(desk)
    with pytest.raises(OSError, match="space") as caught:
        await collect(desk.answering.ask(conversation, "Why? " * 5000))
    assert caught.value.errno == errno.ENOSPC
    assert desk.conversations.messages(conversation) == []
    assert not desk.answering.answering(conversation)


async def test_a_device_that_fills_up_in_the_middle_fails_the_answer_with_its_text(desk: Desk) -> None:
    desk.install("a rather long piece of text " * 20, loop=True)
    desk.settings.change(max_answer_tokens=2000)
    conversation = desk.new()

    def fill_up(event: object) -> None:
        if isinstance(event, Started):
            fill(desk)

    answered = await collect(desk.answering.ask(conversation, "Talk"), after=fill_up)
    assert isinstance(answered.error, OSError)
    assert answered.error.errno == errno.ENOSPC
    assert answered.answer.text == answered.text != ""
    assert answered.answer.state is MessageState.FAILED
    assert not desk.answering.answering(conversation)


def fill(desk: Desk) -> None:
    """From now on the store of conversations cannot grow."""
    writer = desk.conversations._database._writer
    writer.pragma("max_page_count", writer.pragma("page_count"))


async def test_a_conversation_whose_collections_were_all_deleted_asks_the_model_alone(desk: Desk) -> None:
    desk.install("The sky is blue.")
    collection, _ = desk.add_document(BOILER)
    conversation = desk.new([collection])
    desk.knowledge.delete_collection(collection)
    answered = await collect(desk.answering.ask(conversation, "When is the boiler vented?"))
    assert answered.kinds == [Started, Token, Finished]
    assert answered.answer.searched is None
