"""Other devices answer on the screen: a real router, real workers, the real app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from app.core.provenance import PrivacyLevel
from network.protocol.content import AnswerCitation
from tests.app.ui.conftest import services
from tests.network.small_world import ScriptedAnswerer

pytestmark = pytest.mark.desktop("a server")

QUESTION = "Shall I write to anna@mail.example?"


@asynccontextmanager
async def others(*answers: str | tuple[object, ...]) -> AsyncIterator[list[ScriptedAnswerer]]:
    """Strangers that say this, at a router that the app knows."""
    from tests.network.http_router import whole_router
    from tests.network.router.devices import working

    said = [(answer,) if isinstance(answer, str) else answer for answer in answers]
    answerers = [ScriptedAnswerer(words) for words in said]
    async with AsyncExitStack() as stack:
        router = await stack.enter_async_context(whole_router(name="Home"))
        for answerer in answerers:
            await stack.enter_async_context(working(router.address, answerer))
        network = (await services()).network
        network.asking.chance = lambda: 1.0
        await network.routers.add(router.address)
        yield answerers
        await network.asking.close()


async def go_public(app):
    await app.tap("level")
    await app.until(lambda: app.shows("level-public"))
    await app.tap("level-public")
    await app.until(lambda: not app.shows("level-public"))


async def ask(app, question) -> asyncio.Task[None]:
    """Send a question; it waits for the user's word."""
    await app.enter("composer", question)
    sending = asyncio.create_task(app.tap("send"))
    await app.until(lambda: app.shows("departure-send"))
    return sending


async def test_strangers_answer_after_a_look_at_what_leaves(open_app, model):
    model("I know it myself.")
    async with open_app() as app, others("Yes, do.", "Yes, do.", "No.") as asked:
        await go_public(app)
        assert "Strangers" in app.text("privacy")
        sending = await ask(app, QUESTION)
        assert "[MAIL-1]" in app.text("departure-words")
        assert "1 text hidden" in app.text("departure-amounts")
        await app.tap("departure-send")
        await sending
        await app.until(lambda: app.shows("origin"))
        assert "Yes, do." in app.text("message-assistant")
        assert "2 of 3 agree" in app.text("origin")
        await app.tap("origin")
        await app.until(lambda: app.shows("origin-left"))
        assert "says something else" in app.text()
        assert "Home" in app.text()
        assert {one.questions[0].turns[-1].text for one in asked} == {"Shall I write to [MAIL-1]?"}


async def test_who_does_not_agree_keeps_the_question_and_sends_nothing(open_app, model):
    model("I know it myself.")
    async with open_app() as app, others("Yes.") as asked:
        await go_public(app)
        sending = await ask(app, QUESTION)
        await app.tap("departure-cancel")
        await sending
        await app.until(lambda: not app.shows("departure-send"))
        await app.until(lambda: QUESTION in app.text("composer"))
        assert not app.shows("message-user")
        assert asked[0].questions == []
        assert (await services()).conversations.list() == []


async def test_what_shall_not_be_hidden_leaves_as_it_is(open_app, model):
    model("I know it myself.")
    async with open_app() as app, others("Yes.") as asked:
        await go_public(app)
        sending = await ask(app, QUESTION)
        await app.enter("departure-hide", value=False)
        await app.until(lambda: "anna@mail.example" in app.text("departure-words"))
        await app.tap("departure-send")
        await sending
        await app.until(lambda: app.shows("origin"))
        assert asked[0].questions[0].turns[-1].text == QUESTION


async def test_who_hides_something_is_asked_again_next_time(open_app, model):
    """Nobody hides it then: what leaves has to be looked at."""
    model("I know it myself.")
    opened = await services()
    conversation = opened.conversations.create(level=PrivacyLevel.CIRCLE)
    opened.conversations.add(conversation.id, "user", "Hello")
    async with open_app() as app, others():
        await app.tap("conversations")
        await app.tap(f"conversation-{conversation.id}")
        await app.until(lambda: app.shows("level"))
        sending = await ask(app, QUESTION)
        await app.enter("departure-remember", value=True)
        await app.enter("departure-hide", value=True)
        await app.until(lambda: "[MAIL-1]" in app.text("departure-words"))
        await app.tap("departure-send")
        await sending
        await app.until(lambda: "I know it myself." in app.text())
        assert opened.conversations.get(conversation.id).consent is PrivacyLevel.DEVICE


async def test_without_a_router_the_choice_leads_to_the_network(open_app, model):
    model("I know it myself.")
    async with open_app() as app:
        await app.tap("level")
        await app.until(lambda: app.shows("open-network"))
        with pytest.raises(AssertionError, match="can be tapped"):
            await app.tap("level-public")
        await app.tap("open-network")
        await app.until(lambda: not app.shows("composer"))


async def test_a_router_that_was_removed_meanwhile_leads_there_too(open_app, model):
    model("I know it myself.")
    opened = await services()
    conversation = opened.conversations.create(level=PrivacyLevel.CIRCLE)
    opened.conversations.add(conversation.id, "user", "Hello")
    async with open_app() as app:
        await app.tap("conversations")
        await app.tap(f"conversation-{conversation.id}")
        await app.until(lambda: app.shows("level"))
        await app.enter("composer", QUESTION)
        await app.tap("send")
        await app.until(lambda: app.shows("dialog-confirm"))
        assert "router" in app.text()
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.shows("composer"))


@pytest.mark.slow
async def test_a_model_of_others_and_one_answer_of_all_are_chosen_in_the_conversation(open_app, model):
    model("Yes, or no.")
    async with open_app() as app, others("Yes, do.", "Yes, do.", "No.") as asked:
        await go_public(app)
        await app.tap("level")
        await app.until(lambda: app.shows("wished-model-qwen3-1.7b"))
        await app.tap("wished-model-qwen3-1.7b")
        await app.tap("joining-fuse")
        await app.until(lambda: "stays readable" in app.text())
        await app.tap("dialog-close")
        sending = await ask(app, QUESTION)
        await app.tap("departure-send")
        await sending
        await app.until(lambda: app.shows("origin"))
        assert "Yes, or no." in app.text("message-assistant")
        assert "from 3 answers" in app.text("origin")
        assert {one.questions[0].model for one in asked} == {"qwen3-1.7b"}
        await app.tap("origin")
        await app.until(lambda: app.shows("origin-left"))
        assert app.text().count("Yes, do.") == 2
        [conversation] = (await services()).conversations.list()
        assert (conversation.wishes.model, conversation.wishes.joining) == ("qwen3-1.7b", "fuse")


@pytest.mark.slow
async def test_passages_of_others_tell_whose_they_are(open_app, model):
    model("I know it myself.")
    source = AnswerCitation(number=3, title="Manual of the boiler", page=7, quote="Open it slowly.")
    async with open_app() as app, others(("Slowly [3].", source)):
        await go_public(app)
        sending = await ask(app, QUESTION)
        await app.tap("departure-send")
        await sending
        await app.until(lambda: app.shows("citation-3"))
        await app.tap("origin")
        await app.until(lambda: app.shows("given-3"))
        assert "Volunteer" in app.text("given-3")
        await app.tap("given-3")
        await app.until(lambda: app.shows("passage-note"))
        assert "It is not on this device" in app.text("passage-note")
        assert "Open it slowly." in app.text("passage")


async def test_what_is_hidden_in_a_question_is_seen_before_it_leaves(open_app, model):
    model("I know it myself.")
    async with open_app() as app, others("Yes."):
        await go_public(app)
        sending = await ask(app, "Pay\u202e\U000e0041 me")
        assert "Pay[U+202E][U+E0041] me" in app.text("departure-words")
        await app.tap("departure-cancel")
        await sending


async def test_a_window_that_is_closed_before_anybody_agrees_leaves_no_conversation(open_app, model):
    model("I know it myself.")
    async with open_app() as app, others("Yes."):
        await go_public(app)
        sending = await ask(app, QUESTION)
        conversations = (await services()).conversations
        assert len(conversations.list()) == 1
    await sending
    assert conversations.list() == []


@pytest.mark.slow
async def test_who_does_not_want_to_wait_lets_this_device_answer(open_app, model):
    model("I know it myself.")
    async with open_app() as app, others("") as asked:
        asked[0].gate = asyncio.Event()
        await go_public(app)
        sending = await ask(app, QUESTION)
        await app.tap("departure-send")
        await sending
        await app.until(lambda: app.shows("answer-here"))
        await app.tap("answer-here")
        await app.until(lambda: "as you wished" in app.text())
        assert "I know it myself." in app.text("message-assistant")
        assert not app.shows("ask-others"), "nobody else has answered"


@pytest.mark.slow
async def test_others_can_be_asked_the_same_again(open_app, model):
    model("I know it myself.")
    async with open_app() as app, others("Yes, do.", "No, don't.") as asked:
        (await services()).settings.change(network_answers=1)
        await go_public(app)
        sending = await ask(app, QUESTION)
        await app.tap("departure-send")
        await sending
        await app.until(lambda: app.shows("ask-others"))
        first = app.text("message-assistant")
        again = asyncio.create_task(app.tap("ask-others"))
        await app.until(lambda: app.shows("departure-send"))
        await app.tap("departure-send")
        await again
        await app.until(lambda: app.shows("ask-others") and app.text("message-assistant") != first)
        assert sorted(len(one.questions) for one in asked) == [1, 1]
