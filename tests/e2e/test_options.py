"""Options in the browser: what only a real client shows, in which people type on while the app works."""

from __future__ import annotations

import pytest

from app.core.conversations import Conversations
from app.core.model_options import AnswerOptions

pytest.importorskip("playwright", exc_type=ImportError)

pytestmark = [pytest.mark.browser, pytest.mark.desktop("a browser and the web client")]

INSTRUCTIONS = "Answer in one word, and be kind."


def test_a_conversation_is_tuned_in_the_browser(screen, model, home):
    model("The sky is blue.")
    phone = screen()
    phone.tap("conversation-options-button")
    phone.until(lambda: phone.shows("field-system_prompt"))
    phone.write("field-system_prompt", INSTRUCTIONS)
    phone.until(lambda: "This conversation" in phone.text("origin-system_prompt"))
    assert phone.part("field-system_prompt").locator("textarea").last.input_value() == INSTRUCTIONS

    write_number(phone, "max_answer_tokens", "0")
    phone.until(lambda: phone.shows("wrong-max_answer_tokens"))
    assert "Between 1 and" in phone.text("wrong-max_answer_tokens")
    write_number(phone, "max_answer_tokens", "2")
    phone.until(lambda: not phone.shows("wrong-max_answer_tokens"))
    phone.tap("dialog-close")

    phone.write("composer", "Why?")
    phone.tap("send")
    phone.until(lambda: phone.shows("regenerate"))
    assert "Cut off" in phone.text()
    store = Conversations(home.conversations)
    [conversation] = store.list()
    store.close()
    assert conversation.options == AnswerOptions(system_prompt=INSTRUCTIONS, max_answer_tokens=2)


def write_number(phone, name, number):
    """Write a number in the place of the one before."""
    phone.tap(f"field-{name}")
    phone.page.keyboard.press("Control+A")
    phone.page.keyboard.type(number)
    phone.page.keyboard.press("Enter")
    phone.settle()
