"""Questions that point back are searched with what they point to, and others are left alone."""

from __future__ import annotations

import pytest

from app.core.follow_ups import goes_on, searched_for
from tests.app.core.conftest import Desk, collect

BOILER = "When must the boiler be vented?"


@pytest.mark.parametrize(
    "question",
    [
        "And how long does its guarantee last?",
        "Who sells parts for it?",
        "And tomatoes?",
        "What about May?",
        "Why?",
        "فسخ آن چقدر مهلت می‌خواهد؟",
        "و بیمه کی تمام می‌شود؟",
        "آن‌ها کجا هستند؟",
    ],
)
def test_a_question_that_points_back_is_recognised(question: str) -> None:
    assert goes_on(question)


@pytest.mark.parametrize(
    "question",
    [
        "Who is the family doctor?",
        "Where is the washing machine?",
        "How high is the monthly rent of the andante hotel?",
        "اجاره‌بهای ماهانه چقدر است؟",
        "آموزگار کلاس کیست؟",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    assert not goes_on(question)
    assert searched_for(question, [BOILER]) == question


def test_a_follow_up_is_searched_with_the_words_of_the_question_before() -> None:
    assert searched_for("Who sells parts for it?", [BOILER]) == "Who sells parts for it? boiler vented"


def test_a_chain_of_follow_ups_leads_back_to_what_it_is_about() -> None:
    found = searched_for("And who repairs it?", [BOILER, "How long is it guaranteed?"])
    assert found == "And who repairs it? long guaranteed boiler vented"


def test_what_was_asked_before_the_last_topic_does_not_count() -> None:
    found = searched_for("What does it cost?", ["Who is the family doctor?", BOILER])
    assert "doctor" not in found


def test_the_first_question_has_nothing_before_it() -> None:
    assert searched_for("What does it cost?", []) == "What does it cost?"


async def test_what_was_searched_for_is_told_and_kept_and_the_question_stays(desk: Desk) -> None:
    desk.install("Vent it in October [1].")
    collection, _ = desk.add_document("The boiler in the cellar must be vented every October.")
    conversation = desk.new([collection])
    first = await collect(desk.answering.ask(conversation, "When must the boiler be vented?"))
    assert first.answer.searched_for is None
    second = await collect(desk.answering.ask(conversation, "And where is it?"))
    assert second.answer.searched_for == "And where is it? boiler vented"
    assert second.events[1].searched_for == second.answer.searched_for
    messages = desk.conversations.messages(conversation)
    assert [it.text for it in messages if it.role == "user"][-1] == "And where is it?"
    assert messages[-1].searched_for == second.answer.searched_for
