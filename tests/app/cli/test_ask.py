"""`dai ask` answers one question."""

import signal
from pathlib import Path

import pytest

from app.core.messages import MessageState
from rag.knowledge import KnowledgeBase
from tests.app.cli.conftest import conversations_in
from tests.app.ui.word_embedder import WordEmbedder


@pytest.fixture
def garden(tmp_path: Path, dai) -> None:
    """A collection with one Persian and one English document."""
    persian = tmp_path / "گزارش باغ ۱۴۰۳ 🌳.md"
    persian.write_text("# درخت‌ها\nبلندترین درخت باغ سروی ۳۸ متری است.", encoding="utf-8")
    english = tmp_path / "kettle.txt"
    english.write_text("Descale the Brewmaster kettle every six weeks with citric acid.")
    assert dai("kb", "add", persian, english, "--kb", "Garden").status == 0


def test_the_answer_goes_to_standard_output_and_all_about_it_to_standard_error(dai, model):
    model("It is blue.")
    result = dai("ask", "What colour is the sky?")
    assert (result.status, result.out) == (0, "It is blue.\n")
    assert "scripted · " in result.err
    assert "tokens/s" in result.err


@pytest.mark.parametrize("arguments", [["-"], []])
def test_the_question_can_be_piped(dai, model, home, arguments):
    model("Yes.")
    assert dai("ask", *arguments, stdin="آیا آسمان آبی است؟\n").out == "Yes.\n"
    [[question, _]] = conversations_in(home)
    assert question.text == "آیا آسمان آبی است؟"


def test_bytes_that_are_no_text_do_not_stop_a_question(dai, model, home):
    model("Yes.")
    assert dai("ask", stdin=b"caf\xe9?").status == 0
    assert dai("ask", "caf\udce9?").status == 0
    assert [question.text for question, _ in conversations_in(home)] == ["caf??", "caf\ufffd?"]


def test_an_answer_commands_no_terminal(dai, model):
    model("Sky\x1b]0;owned\x07 is\x1b[2J blue")
    asked = dai("ask", "What colour has the sky?")
    assert asked.out == "Sky]0;owned is[2J blue\n"


def test_an_answer_cites_its_documents(dai, model, garden):
    model("سرو، ۳۸ متر [1].")
    result = dai("ask", "بلندترین درخت باغ چند متر است؟", "--kb", "garden")
    assert result.status == 0
    assert (
        result.out
        == "سرو، ۳۸ متر [1].\n\nSources\n  [1] \u2068گزارش باغ ۱۴۰۳ 🌳.md\u2069 · \u2068درخت‌ها\u2069\n"
    )
    assert "Searched 2 passages, 1 relevant" in result.err


def test_json_is_the_whole_answer_and_nothing_else(dai, model, garden):
    model("With citric acid [1].")
    result = dai("ask", "How is the Brewmaster kettle descaled?", "--kb", "Garden", "--json")
    assert (result.status, result.err) == (0, "")
    assert result.json["text"] == "With citric acid [1]."
    assert result.json["state"] == "complete"
    assert [citation["document_title"] for citation in result.json["citations"]] == ["kettle.txt"]


def test_what_the_documents_do_not_tell_is_not_answered(dai, model, tmp_path):
    model("I make things up.")
    note = tmp_path / "note.txt"
    note.write_text("Nothing but a remark about umbrellas.")
    dai("kb", "add", note)
    result = dai("ask", "Who discovered polonium?", "--kb", "Documents")
    assert result.out.startswith("I searched 1 passage of your documents and found nothing")
    assert result.err == "Searched 1 passage, 0 relevant\n"


def test_a_named_model_answers_from_then_on(dai, model):
    model("First.", "first")
    model("Second.", "second")
    assert dai("ask", "Which one?", "--model", "FIRST.gguf").out == "First.\n"
    assert dai("ask", "Which one?").out == "First.\n"


def test_thoughts_do_not_mix_with_the_answer(dai, model):
    model("<think>Let me see.</think>It is blue.")
    result = dai("ask", "What colour is the sky?")
    assert result.out == "It is blue.\n"
    assert result.err.startswith("Let me see.")


def test_a_forgotten_question_leaves_no_conversation(dai, model, home):
    model("Yes.")
    assert dai("ask", "Is it?", "--forget").out == "Yes.\n"
    assert conversations_in(home) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ask", ""], "Write a question first."),
        (["ask"], "Write a question first."),
        (["ask", "Who?", "--kb", "Nowhere"], "There is no collection named “Nowhere”. See: dai kb list"),
        (
            ["ask", "Who?", "--model", "none"],
            "No installed model has the name or id “none”. See: dai models",
        ),
        (
            ["ask", "Who?"],
            "There is no model on this device that can chat. Add one with: dai models add FILE",
        ),
        (
            ["ask", "Who?", "--json"],
            "There is no model on this device that can chat. Add one with: dai models add FILE",
        ),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_line(dai, arguments, message):
    result = dai(*arguments)
    assert (result.status, result.out, result.err) == (1, "", message + "\n")


def test_errors_are_persian_where_the_user_is(dai, persian):
    assert dai("ask", "  ").err == "اول پرسشی بنویسید.\n"
    assert "«\u2068Nowhere\u2069»" in dai("ask", "کی؟", "--kb", "Nowhere").err


@pytest.mark.desktop("child processes")
def test_ctrl_c_ends_with_130_and_keeps_what_was_written(program, model, home):
    model("and on ", loop=True, context=100_000)
    with program("ask", "Go on") as running:
        begun = running.stdout.read(1)
        running.send_signal(signal.SIGINT)
        rest, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert b"Traceback" not in err
    [[_, answer]] = conversations_in(home)
    assert answer.state is MessageState.STOPPED
    assert answer.text == (begun + rest).decode().removesuffix("\n")


@pytest.mark.desktop("child processes")
def test_a_reader_that_has_gone_ends_the_answer_silently(program, model, home):
    model("and on ", loop=True, context=100_000)
    with program("ask", "Go on") as running:
        assert running.stdout.read(1) == b"a"
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(30) != 0
    [[_, answer]] = conversations_in(home)
    assert answer.state is MessageState.STOPPED
    assert answer.text.startswith("and on")


def test_a_file_goes_along_with_a_question(dai, model, tmp_path):
    model("It hangs there.", context=4096)
    note = tmp_path / "note.txt"
    note.write_text("The key hangs behind the blue door.")
    result = dai("ask", "Where is the key?", "--file", note, "--json")
    assert result.status == 0
    assert "note.txt · read whole" in result.err
    assert result.json["text"] == "It hangs there."


def test_a_file_that_cannot_be_read_asks_nothing(dai, model, tmp_path):
    model("It hangs there.")
    result = dai("ask", "Where is the key?", "--file", tmp_path / "gone.txt")
    assert result.status == 1
    assert "gone.txt" in result.err
    assert result.out == ""


def test_a_file_that_was_searched_is_deleted_with_its_conversation(dai, home, model, tmp_path):
    model("In the harbour.", context=1024)
    book = tmp_path / "book.txt"
    book.write_text("\n\n".join(f"Chapter {it}. Another quiet day at sea." for it in range(300)))
    result = dai("ask", "Where are the ships?", "--file", book, "--context", "1024")
    assert "book.txt · searched" in result.err
    knowledge = KnowledgeBase(home.knowledge, WordEmbedder)
    try:
        assert len(knowledge.hidden_collections()) == 1
        dai("conversations", "delete", "1")
        assert knowledge.hidden_collections() == []
    finally:
        knowledge.close()
