"""`dai conversations` lists, shows, exports and deletes."""

import json

import pytest


@pytest.fixture
def talked(dai, model):
    """Two conversations, the second in Persian."""
    model("Indeed.")
    dai("ask", "First?")
    dai("ask", "چتر کجاست؟")
    return [one["id"] for one in dai("conversations", "--json").json]


def test_conversations_are_listed_the_latest_first_and_searched(dai, talked):
    assert [line.split(" · ")[1] for line in dai("conversations").out.splitlines()] == [
        "\u2068چتر کجاست؟\u2069",
        "First?",
    ]
    assert "First?" in dai("conversations", "list", "first").out
    missed = dai("conversations", "list", "elephant")
    assert (missed.out, missed.err) == ("", "No conversation contains “elephant”.\n")


def test_without_conversations_the_list_says_so(dai):
    assert dai("conversations").err == "There are no conversations yet.\n"


def test_a_conversation_is_shown_as_markdown_and_json(dai, talked):
    shown = dai("conversations", "show", talked[0]).out
    assert shown.startswith("# چتر کجاست؟\n")
    assert shown.endswith("\n\nIndeed.\n")
    assert dai("conversations", "show", talked[0], "--json").json["messages"][0]["text"] == "چتر کجاست؟"


def test_a_conversation_is_exported_and_no_file_is_overwritten(dai, talked, tmp_path):
    text, data = tmp_path / "talk.md", tmp_path / "talk.json"
    assert dai("conversations", "export", talked[1], text).status == 0
    assert "## You\n\nFirst?\n" in text.read_text(encoding="utf-8")
    assert dai("conversations", "export", talked[1], data).status == 0
    assert json.loads(data.read_text(encoding="utf-8"))["title"] == "First?"
    refused = dai("conversations", "export", talked[0], text)
    assert refused.status != 0
    assert "--force" in refused.err
    assert dai("conversations", "export", talked[0], text, "--force").status == 0


def test_a_deleted_conversation_is_gone_and_says_so_afterwards(dai, talked):
    assert dai("conversations", "delete", talked[1]).err == "The conversation “First?” is deleted.\n"
    assert len(dai("conversations", "--json").json) == 1
    gone = dai("conversations", "show", talked[1])
    assert (gone.status, gone.err) == (1, "This conversation has been deleted.\n")
