"""`dai chat` talks, a line at a time."""

import os
import select
import signal

import pytest

from app.core.conversations import Conversations
from app.core.messages import MessageState
from tests.app.cli.conftest import conversations_in


def test_every_piped_line_is_a_question_of_one_conversation(dai, model, home):
    model("Indeed.")
    result = dai("chat", stdin="First?\n\nدوم؟\n")
    assert (result.status, result.out) == (0, "Indeed.\n\nIndeed.\n\n")
    [messages] = conversations_in(home)
    assert [message.text for message in messages] == ["First?", "Indeed.", "دوم؟", "Indeed."]


def test_quit_ends_and_help_helps(dai, model, home):
    model("Indeed.")
    result = dai("chat", stdin="/help\nFirst?\n/quit\nNever asked\n")
    assert result.status == 0
    assert result.err.startswith("Ask something. Ctrl-C stops an answer, /quit or Ctrl-D ends.\n")
    [messages] = conversations_in(home)
    assert [message.text for message in messages] == ["First?", "Indeed."]


@pytest.mark.parametrize("stdin", ["", "\n", "/exit\n"])
def test_a_session_without_a_question_leaves_no_conversation(dai, home, stdin):
    assert dai("chat", stdin=stdin).status == 0
    assert conversations_in(home) == []


def test_the_latest_conversation_goes_on_and_can_ask_other_documents(dai, model, home, tmp_path):
    model("Indeed.")
    note = tmp_path / "note.txt"
    note.write_text("Umbrellas are kept behind the door.")
    dai("kb", "add", note, "--kb", "Notes")
    dai("chat", stdin="First?\n")
    assert dai("chat", "--continue", stdin="Second?\n").out == "Indeed.\n\n"
    result = dai("chat", "--continue", "--kb", "notes", stdin="Where are the umbrellas kept?\n")
    assert "Searched 1 passage, 1 relevant" in result.err
    [messages] = conversations_in(home)
    assert [message.text for message in messages if message.role == "user"] == [
        "First?",
        "Second?",
        "Where are the umbrellas kept?",
    ]


def test_an_answer_that_fails_does_not_end_the_session(dai, home):
    result = dai("chat", stdin="First?\nSecond?\n")
    assert result.status == 0
    assert result.err.count("There is no model on this device that can chat.") == 2
    [messages] = conversations_in(home)
    assert [message.state for message in messages if message.role == "assistant"] == [MessageState.FAILED] * 2


def test_bytes_that_are_no_text_do_not_end_the_session(dai, model):
    model("Indeed.")
    assert dai("chat", stdin=b"caf\xe9?\nSecond?\n").out == "Indeed.\n\nIndeed.\n\n"


def test_an_unknown_collection_is_refused_before_anything_is_asked(dai, home):
    result = dai("chat", "--kb", "Nowhere", stdin="First?\n")
    assert (result.status, result.out) == (1, "")
    assert Conversations(home.conversations).list() == []


def read_until(terminal: int, end: bytes) -> None:
    """Read what a terminal shows, up to `end`."""
    shown = b""
    while not shown.endswith(end):
        assert select.select([terminal], [], [], 30)[0], shown
        shown += os.read(terminal, 1024)


@pytest.mark.desktop("child processes")
def test_ctrl_c_at_the_prompt_ends_at_once(program, model, home):
    pty = pytest.importorskip("pty", reason="only POSIX systems have pseudo-terminals")
    model("Indeed.")
    keyboard, terminal = pty.openpty()
    with program("chat", stdin=terminal, stdout=terminal, stderr=terminal) as running:
        os.close(terminal)
        read_until(keyboard, b"> ")
        os.write(keyboard, b"First?\n")
        read_until(keyboard, b"\n\r\n> ")
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 130
    os.close(keyboard)
    [messages] = conversations_in(home)
    assert [message.text for message in messages] == ["First?", "Indeed."]
