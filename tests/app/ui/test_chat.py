"""Chat, as a person uses it."""

from __future__ import annotations

import copy
import threading
import time

import flet as ft
import pytest

from app.core.conversations import Conversations
from app.core.messages import MessageState
from engines.library import model_library
from tests.app.ui.conftest import services
from tests.engines.tiny_gguf import make_tiny_gguf


async def ask(app, question):
    await app.enter("composer", question)
    await app.tap("send")


async def ask_and_wait(app, question):
    answers = len(app.marks("regenerate"))
    await ask(app, question)
    await app.until(lambda: app.shows("stop") or app.shows("message-user"))
    await app.until(lambda: app.shows("regenerate") and not app.shows("stop"))
    assert len(app.marks("regenerate")) == max(1, answers)


async def test_without_a_model_the_first_screen_leads_to_the_models(open_app):
    async with open_app() as app:
        await app.until(lambda: app.shows("first-model"))
        await app.tap("first-others")
        assert "No models yet" in app.text()
        assert app.shows("add-first-model")


async def test_a_question_is_answered_on_the_screen_and_kept(open_app, model):
    model("The **sky** is blue.")
    async with open_app() as app:
        await ask_and_wait(app, "Why is the sky blue?")
        assert "Why is the sky blue?" in app.text("message-user")
        assert app.all(ft.Markdown)[-1].value == "The **sky** is blue."
        assert "tokens" in app.text()
        assert app.all(ft.TextField, app.mark("composer"))[0].value == ""
    async with open_app() as again:
        await again.tap("conversations")
        assert "Why is the sky blue?" in again.text()


async def test_an_example_is_asked_with_one_tap(open_app, model):
    model("Light bends in drops.")
    async with open_app() as app:
        await app.tap("example-explain")
        await app.until(lambda: "Light bends in drops." in app.text())
        assert "rainbows" in app.text("title")


async def test_nothing_is_sent_while_the_field_is_empty(open_app, model):
    model("Hello.")
    async with open_app() as app:
        await app.enter("composer", "  \n ")
        with pytest.raises(AssertionError, match="disabled"):
            await app.tap("send")
        await app.submit("composer")
        assert not app.shows("message-user")


async def test_stop_keeps_what_was_written_and_continue_goes_on(open_app, model):
    model("word ", loop=True)
    async with open_app() as app:
        await ask(app, "Talk for ever")
        await app.until(lambda: app.shows("message-assistant"))
        await app.tap("stop")
        await app.until(lambda: app.shows("message-state"))
        assert "Stopped." in app.text("message-state")
        stopped = app.all(ft.Markdown)[-1].value
        assert "word" in stopped
        await app.tap("continue")
        await app.until(lambda: app.shows("stop") and len(app.all(ft.Markdown)[-1].value) > len(stopped))
        assert app.all(ft.Markdown)[-1].value.startswith(stopped)
        await app.tap("stop")
        await app.until(lambda: app.shows("regenerate"))


async def test_an_answer_that_ends_while_its_conversation_is_read_is_shown_whole(
    open_app, model, monkeypatch
):
    model("Quick as lightning.")
    async with open_app() as app:
        opened = await services()
        read = opened.conversations.messages

        def read_slowly(conversation_id, **options):
            messages = read(conversation_id, **options)
            if threading.current_thread() is not threading.main_thread():
                end = time.monotonic() + 60
                while opened.answering.answering(conversation_id):
                    assert time.monotonic() < end, "the answer waits for the screen"
                    time.sleep(0.001)
            return messages

        await ask_and_wait(app, "What are you like?")
        # The screen reads slowly, not the answer.
        quick = copy.copy(opened.conversations)
        for part in (opened.answering, *vars(opened.answering).values()):
            if getattr(part, "_conversations", None) is opened.conversations:
                monkeypatch.setattr(part, "_conversations", quick)
        monkeypatch.setattr(opened.conversations, "messages", read_slowly)
        await app.enter("composer", "And now?")
        await app.tap("send")
        await app.until(lambda: len(app.marks("message-assistant")) == 2 and not app.shows("message-state"))
        assert app.all(ft.Markdown)[-1].value == "Quick as lightning."
        assert not app.shows("stop")


async def test_a_conversation_is_saved_as_a_text_with_its_title_as_name(open_app, model):
    model("First.")
    saved = {}

    def save(arguments):
        saved[arguments["file_name"]] = arguments["src_bytes"].decode()
        return "/somewhere"

    async with open_app(width=1280) as app:
        await ask_and_wait(app, "Say something")
        app.client.answers["save_file"] = save
        conversation = (await services()).conversations.list()[0]
        await app.choose(f"conversation-menu-{conversation.id}", "Save as text")
        await app.until(lambda: app.shows("notice"))
        assert saved["Say something.md"].startswith("# Say something\n")
        assert saved["Say something.md"].endswith("\n\nFirst.\n")


async def test_an_earlier_question_is_asked_differently_in_a_conversation_of_its_own(open_app, model):
    model("Indeed.")
    async with open_app() as app:
        await ask_and_wait(app, "First?")
        await app.enter("composer", "Second?")
        await app.tap("send")
        await app.until(lambda: len(app.marks("message-assistant")) == 2 and app.shows("regenerate"))
        second = app.all(ft.IconButton, app.marks("ask-differently")[1])[0]
        await app.fire(second, "click")
        await app.until(lambda: len(app.marks("message-user")) == 1)
        assert app.all(ft.TextField, app.mark("composer"))[0].value == "Second?"
        await app.enter("composer", "Other?")
        await app.tap("send")
        await app.until(lambda: len(app.marks("message-assistant")) == 2 and app.shows("regenerate"))
        conversations = (await services()).conversations
        talks = [[one.text for one in conversations.messages(it.id)] for it in conversations.list()]
        assert talks == [
            ["First?", "Indeed.", "Other?", "Indeed."],
            ["First?", "Indeed.", "Second?", "Indeed."],
        ]


async def test_the_first_question_asked_differently_begins_a_new_conversation(open_app, model):
    model("Indeed.")
    async with open_app() as app:
        await ask_and_wait(app, "First?")
        await app.tap("ask-differently")
        await app.until(lambda: not app.shows("message-user"))
        assert app.all(ft.TextField, app.mark("composer"))[0].value == "First?"
        assert len((await services()).conversations.list()) == 1


async def test_answering_again_replaces_the_answer(open_app, model):
    model("First.")
    async with open_app() as app:
        await ask_and_wait(app, "Say something")
        await app.tap("regenerate")
        await app.until(lambda: app.shows("regenerate") and not app.shows("stop"))
        assert len(app.marks("message-assistant")) == 1
        assert len(app.marks("message-user")) == 1


async def test_answering_again_in_vain_leaves_the_answer_beside_the_error(open_app, model):
    model("First.")
    async with open_app() as app:
        await ask_and_wait(app, "Say something")
        models = (await services()).models
        for installed in models.installed():
            await models.remove(installed.id)
        await app.tap("regenerate")
        await app.until(lambda: app.shows("message-error") and app.shows("regenerate"))
        assert "no model on this device" in app.text("message-error")
        assert "First." in app.text("message-assistant")


async def test_an_answer_goes_on_while_another_screen_is_shown(open_app, model):
    model("word ", loop=True)
    async with open_app() as app:
        await ask(app, "Talk for ever")
        await app.until(lambda: app.shows("message-assistant"))
        before = len(app.all(ft.Markdown)[-1].value)
        await app.go(4)
        assert "Appearance" in app.text()
        await app.go(0)
        await app.until(lambda: len(app.all(ft.Markdown)[-1].value) > before)
        await app.tap("stop")
        await app.until(lambda: app.shows("regenerate"))


async def test_two_windows_show_the_same_answer_and_their_own_drafts(open_app, model):
    model("word ", loop=True)
    async with open_app() as first, open_app(width=1280) as second:
        await first.enter("composer", "Talk for ever")
        assert second.all(ft.TextField, second.mark("composer"))[0].value == ""
        await first.tap("send")
        await second.until(lambda: "Talk for ever" in second.text())
        conversation = (await services()).conversations.list()[0]
        await second.tap(f"conversation-{conversation.id}")
        await second.until(lambda: second.shows("stop") and second.shows("message-assistant"))
        await second.tap("stop")
        await first.until(lambda: first.shows("message-state"))
        assert not first.shows("stop")


async def test_an_answer_outlives_its_window(open_app, model):
    model("word ", loop=True)
    async with open_app() as app:
        await ask(app, "Talk for ever")
        await app.until(lambda: app.shows("message-assistant"))
    async with open_app() as later:
        conversation = (await services()).conversations.list()[0]
        await later.tap("conversations")
        await later.tap(f"conversation-{conversation.id}")
        await later.until(lambda: later.shows("stop"))
        await later.tap("stop")
        await later.until(lambda: later.shows("message-state"))


async def test_a_conversation_is_renamed(open_app, model):
    model("Hello.")
    async with open_app() as app:
        await ask_and_wait(app, "Hi there")
        conversation = (await services()).conversations.list()[0]
        await app.choose(f"conversation-menu-{conversation.id}", "Rename")
        await app.enter("dialog-name", "Greetings")
        await app.tap("dialog-confirm")
        await app.until(lambda: "Greetings" in app.text("title"))
        assert not app.open_dialogs()


async def test_a_conversation_is_deleted_only_after_a_question(open_app, model):
    model("Hello.")
    async with open_app(width=1280) as app:
        await ask_and_wait(app, "Hi there")
        conversation = (await services()).conversations.list()[0]
        await app.choose(f"conversation-menu-{conversation.id}", "Delete")
        assert "Hi there" in app.text(app.open_dialogs()[0])
        await app.tap("dialog-cancel")
        assert app.shows(f"conversation-{conversation.id}")
        await app.choose(f"conversation-menu-{conversation.id}", "Delete")
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.shows(f"conversation-{conversation.id}"))
        assert not app.shows("message-user")
        assert (await services()).conversations.list() == []


async def test_the_list_is_searched(open_app, model):
    model("Hello.")
    async with open_app(width=1280) as app:
        await ask_and_wait(app, "About apples")
        await app.tap("new-conversation")
        await ask_and_wait(app, "About pears")
        apples = next(c for c in (await services()).conversations.list() if "apples" in c.title)
        pears = next(c for c in (await services()).conversations.list() if "pears" in c.title)
        await app.enter("search-conversations", "apples")
        await app.until(lambda: not app.shows(f"conversation-{pears.id}"))
        assert app.shows(f"conversation-{apples.id}")
        await app.enter("search-conversations", "nothing like it")
        await app.until(lambda: "No conversation contains “nothing like it”" in app.text())
        assert not app.shows(f"conversation-{apples.id}")


async def test_code_is_copied_without_its_fence(open_app, model):
    model("Look:\n\n```python\nprint(1)\n```\n")
    async with open_app() as app:
        await ask_and_wait(app, "Show code")
        await app.tap("copy-code-1")
        assert ("set", {"data": "print(1)"}) in app.client.calls
        assert "Copied" in app.text("notice")


async def test_a_long_conversation_shows_its_end_first(open_app, model):
    model("Hello.")
    async with open_app() as app:
        conversations = (await services()).conversations
        conversation = conversations.create()
        for number in range(60):
            conversations.add(conversation.id, "user", f"question {number}")
            conversations.add(conversation.id, "assistant", f"answer {number}")
        await app.tap("conversations")
        await app.enter("search-conversations", "")
        await app.until(lambda: app.shows(f"conversation-{conversation.id}"))
        await app.tap(f"conversation-{conversation.id}")
        await app.until(lambda: "question 59" in app.text())
        assert "question 10" not in app.text()
        assert len(app.marks("message-user")) == 25
        await app.tap("show-earlier")
        await app.tap("show-earlier")
        assert "question 0" in app.text()
        assert not app.shows("show-earlier")


async def test_an_interrupted_answer_says_so_and_can_go_on(open_app, model, home):
    model(" and an end.")
    async with open_app() as app:
        conversations = (await services()).conversations
        conversation = conversations.create()
        conversations.add(conversation.id, "user", "Tell a story")
        answer = conversations.add(conversation.id, "assistant", "A beginning", MessageState.INTERRUPTED)
        await app.tap("conversations")
        await app.enter("search-conversations", "")
        await app.until(lambda: app.shows(f"conversation-{conversation.id}"))
        await app.tap(f"conversation-{conversation.id}")
        await app.until(lambda: app.shows("message-state"))
        assert "Interrupted" in app.text("message-state")
        await app.tap("continue")
        await app.until(lambda: not app.shows("stop") and not app.shows("message-state"))
        assert conversations.message(answer.id).text.startswith("A beginning")
        assert conversations.message(answer.id).state is MessageState.COMPLETE


async def test_the_starter_model_says_what_it_is_and_leads_to_a_better_one(open_app, home, monkeypatch):
    starter = make_tiny_gguf(home.data / "starter.gguf", reply="Hello.")
    monkeypatch.setattr(model_library, "find_starter", lambda: starter)
    async with open_app() as app:
        await app.until(lambda: app.shows("better-model"))
        assert "tiny" in app.text()
        await app.tap("better-model")
        assert "Starter model" in app.text()


async def test_a_model_of_the_users_own_is_not_talked_down(open_app, model):
    model("Hello.")
    async with open_app() as app:
        assert app.shows("example-explain")
        assert not app.shows("better-model")


async def test_a_link_is_followed_only_after_a_look_at_where_it_leads(open_app, model):
    model("See [this](https://example.org/a?b=c).")
    async with open_app() as app:
        await ask_and_wait(app, "Where can I read on?")
        await app.fire(app.all(ft.Markdown)[-1], "tap_link", "https://example.org/a?b=c")
        assert "https://example.org/a?b=c" in app.text()
        await app.tap("dialog-cancel")
        assert not [call for call in app.client.calls if call[0] == "launch_url"]
        await app.fire(app.all(ft.Markdown)[-1], "tap_link", "https://example.org/a?b=c")
        await app.tap("dialog-confirm")
        await app.until(lambda: [call for call in app.client.calls if call[0] == "launch_url"])


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "file:///etc/passwd", "citation:x", "citation:99", ""]
)
async def test_an_odd_address_leads_nowhere(open_app, model, address):
    model("See [this](x).")
    async with open_app() as app:
        await ask_and_wait(app, "Where can I read on?")
        await app.fire(app.all(ft.Markdown)[-1], "tap_link", address)
        assert not app.open_dialogs()


async def test_a_button_leads_back_to_the_end_from_further_up(open_app, home):
    store = Conversations(home.conversations)
    conversation = store.create()
    for number in range(60):
        store.add(conversation.id, "user", f"Question {number}")
    store.close()
    async with open_app() as app:

        def shown():
            return next(column for column in app.all(ft.Column) if column.on_scroll)

        async def scroll(pixels):
            extent = {"min_scroll_extent": 0.0, "max_scroll_extent": 4000.0, "viewport_dimension": 600.0}
            await app.fire(shown(), "scroll", {"event_type": "update", "pixels": pixels, **extent})

        await app.tap("conversations")
        await app.until(lambda: app.shows("conversation-1"))
        await app.tap("conversation-1")
        await app.until(lambda: app.shows("message-user"))
        await scroll(3900.0)
        assert not app.shows("to-end")
        await scroll(1000.0)
        await app.tap("show-earlier")
        assert not shown().auto_scroll
        before = shown().key
        await app.tap("to-end")
        assert shown().auto_scroll
        assert shown().key != before, "a list that is shown anew begins at its end"
        assert not app.shows("to-end")
        await scroll(1000.0)
        await app.tap("new-conversation")
        assert not app.shows("to-end")
