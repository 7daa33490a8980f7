"""A conversation as a file: whole, with its sources, readable without the app."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from app.core.messages import ChatMessage, Citation, Conversation, MessageState
from app.core.model_options import AnswerOptions
from app.core.strings import Strings
from app.core.transcript import Transcript, TranscriptForm

THEN = datetime(2026, 3, 20, 12, 30, tzinfo=UTC)
ENGLISH = Strings("en")


def message(role: str, text: str, **values: object) -> ChatMessage:
    given = {
        "id": 1,
        "conversation_id": 1,
        "role": role,
        "text": text,
        "thinking": "",
        "state": MessageState.COMPLETE,
        "created_at": THEN,
        "model": None,
        "usage": None,
        "citations": (),
        "searched": None,
        "relevant": None,
        "error": None,
    }
    return ChatMessage(**{**given, **values})  # type: ignore[arg-type]


def transcript(*messages: ChatMessage, title: str = "Umbrellas") -> Transcript:
    return Transcript(Conversation(1, title, THEN, THEN, (), "", AnswerOptions()), messages)


ASKED = message("user", "Where are they?")
ANSWERED = message(
    "assistant",
    "Behind the door [1].",
    model="Gemma",
    thinking="A house has doors.",
    citations=(Citation(1, 7, 3, "House.pdf", 4, None, "Umbrellas are kept\nbehind the door."),),
)


def test_markdown_holds_questions_answers_and_sources() -> None:
    assert transcript(ASKED, ANSWERED).written(TranscriptForm.MARKDOWN, ENGLISH) == (
        "# Umbrellas\n\n2026-03-20T12:30:00+00:00\n\n"
        "## You\n\nWhere are they?\n\n"
        "## Gemma\n\nBehind the door [1].\n\n"
        "> **[1] House.pdf, Page 4**\n>\n> Umbrellas are kept\n> behind the door.\n"
    )


def test_an_answer_that_is_not_whole_says_so() -> None:
    stopped = message("assistant", "Behind", state=MessageState.STOPPED)
    assert "## DAI\n\nBehind\n\n*Stopped.*\n" in transcript(stopped).written(TranscriptForm.MARKDOWN, ENGLISH)


def test_markdown_speaks_the_users_language() -> None:
    assert "## شما\n" in transcript(ASKED).written(TranscriptForm.MARKDOWN, Strings("fa"))


def test_json_holds_all_that_a_program_can_use() -> None:
    whole = json.loads(transcript(ASKED, ANSWERED).written(TranscriptForm.JSON, ENGLISH))
    assert whole["format"] == "dai-conversation-1"
    assert [one["role"] for one in whole["messages"]] == ["user", "assistant"]
    assert whole["messages"][1]["thinking"] == "A house has doors."
    assert whole["messages"][1]["sources"][0]["text"] == "Umbrellas are kept\nbehind the door."


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Umbrellas", "Umbrellas.md"),
        ("a/b: c?\u202egnp", "a b c gnp.md"),
        ("چتر کجاست؟", "چتر کجاست؟.md"),
        ("..", "DAI.md"),
        ("", "New conversation.md"),
        ("x" * 300, "x" * 60 + ".md"),
    ],
)
def test_a_title_becomes_a_name_that_every_file_system_takes(title: str, name: str) -> None:
    assert transcript(title=title).file_name(TranscriptForm.MARKDOWN, ENGLISH) == name
