"""`dai ask --ask-network` and `dai chat --ask-network` ask other devices."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack

import pytest

from app.core.conversations import Conversations
from app.core.network import vault
from app.core.provenance import PrivacyLevel
from tests.app.cli.conftest import conversations_in
from tests.network.small_world import ScriptedAnswerer

pytestmark = pytest.mark.desktop("a server")


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """No keyring, and no canaries by chance."""
    monkeypatch.setattr(vault, "system_keyring", lambda: None)
    monkeypatch.setattr("app.core.network.canarying.Canaries.share", lambda *_: 0.0)


@pytest.fixture
def stranger(dai):
    """A volunteer at a router that this device knows; both in a thread of their own."""
    from tests.network.http_router import whole_router
    from tests.network.router.devices import working

    answerer, ready, found = ScriptedAnswerer(("Yes, to [MAIL-1].",)), threading.Event(), []

    async def serve() -> None:
        ended = asyncio.Event()
        async with AsyncExitStack() as stack:
            router = await stack.enter_async_context(whole_router(name="Home"))
            await stack.enter_async_context(working(router.address, answerer))
            found.extend([router.address, asyncio.get_running_loop(), ended])
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    address, loop, ended = found
    assert dai("network", "add", address).status == 0
    yield answerer
    loop.call_soon_threadsafe(ended.set)
    thread.join()


QUESTION = "Shall I write to anna@mail.example?"


def test_nothing_goes_to_strangers_unless_somebody_agrees(dai, stranger, home):
    result = dai("ask", QUESTION, "--ask-network", "public")
    assert result.status != 0
    assert "--yes" in result.err
    assert stranger.questions == []
    assert conversations_in(home) == []


def test_a_stranger_answers_and_the_answer_tells_so(dai, stranger):
    result = dai("ask", QUESTION, "--ask-network", "public", "--yes", "--hide-numbers")
    assert (result.status, result.out) == (0, "Yes, to anna@mail.example.\n")
    assert "Answered by" in result.err
    assert "1 text hidden" in result.err
    assert stranger.questions[0].turns[-1].text == "Shall I write to [MAIL-1]?"


def test_json_tells_where_the_answer_comes_from(dai, stranger):
    answer = dai("ask", QUESTION, "--ask-network", "public", "--yes", "--json").json
    origin = answer["provenance"]
    assert (origin["level"], origin["router"], origin["fallback"]) == ("public", "Home", "")
    assert [reply["state"] for reply in origin["replies"]] == ["whole"]
    assert origin["departed"]["turns"] == 1
    assert stranger.questions[0].turns[-1].text == QUESTION


def test_without_a_router_it_says_what_to_do(dai, model):
    model("Yes.")
    result = dai("ask", QUESTION, "--ask-network", "my-devices")
    assert result.status != 0
    assert "router" in result.err


def test_without_anybody_there_this_device_answers(dai, model, stranger):
    model("I know it myself.")
    result = dai("ask", QUESTION, "--ask-network", "my-devices")
    assert (result.status, result.out) == (0, "I know it myself.\n")
    assert "Answered on this device" in result.err


def test_a_wished_model_and_one_answer_of_all_are_options(dai, stranger):
    listed = dai("network", "models", "--level", "public", "--json").json
    assert listed == [{"model": "qwen3-1.7b", "devices": 1}]
    asking = ("ask", QUESTION, "--ask-network", "public", "--yes", "--fuse", "--network-model")
    answer = dai(*asking, "Qwen3 1.7B", "--json").json
    assert answer["provenance"]["replies"][0]["state"] == "whole"
    assert stranger.questions[0].model == "qwen3-1.7b"
    refused = dai(*asking, "llama-70b")
    assert refused.status != 0
    assert "llama-70b" in refused.err
    assert len(stranger.questions) == 1


@pytest.mark.parametrize("command", [("ask", QUESTION), ("chat",)], ids=["ask", "chat"])
def test_wishes_of_other_devices_need_other_devices(dai, command):
    result = dai(*command, "--fuse")
    assert result.status != 0
    assert "--ask-network" in result.err


def test_in_a_chat_each_question_to_strangers_is_shown_and_agreed_to(dai, stranger, home):
    typed = f"{QUESTION}\nn\n{QUESTION}\ny\n"
    result = dai("chat", "--ask-network", "public", "--hide-numbers", stdin=typed, typed=True)
    assert result.status == 0
    assert result.err.count("Shall I write to [MAIL-1]?") == 2
    assert result.err.count("Nothing was sent.") == 1
    assert result.err.count("Answered by") == 1
    assert "Yes, to anna@mail.example.\n" in result.out
    assert [question.turns[-1].text for question in stranger.questions] == ["Shall I write to [MAIL-1]?"]
    [messages] = conversations_in(home)
    assert [message.text for message in messages] == [QUESTION, "Yes, to anna@mail.example."]


def test_a_piped_chat_sends_strangers_nothing_unless_told_to(dai, stranger, home):
    result = dai("chat", "--ask-network", "public", stdin=f"{QUESTION}\n")
    assert "--yes" in result.err
    assert (stranger.questions, conversations_in(home)) == ([], [])
    result = dai("chat", "--ask-network", "public", "--yes", stdin=f"{QUESTION}\n")
    assert "Answered by" in result.err
    assert len(stranger.questions) == 1


def test_a_chat_that_goes_on_asks_whom_the_flag_names_from_then_on(dai, model, stranger, home):
    model("I know it myself.")
    assert dai("chat", stdin="First?\n").out == "I know it myself.\n\n"
    asking = ("chat", "--continue", "--ask-network", "public", "--yes", "--network-model", "qwen3-1.7b")
    assert "Answered by" in dai(*asking, stdin="Second?\n").err
    assert stranger.questions[0].model == "qwen3-1.7b"
    assert "--yes" in dai("chat", "--continue", stdin="Third?\n").err
    assert len(stranger.questions) == 1


def test_a_chat_of_the_app_that_asks_others_shows_what_the_app_would(dai, model, stranger, home):
    model("I know it myself.")
    dai("chat", stdin="First?\n")
    store = Conversations(home.conversations)
    [conversation] = store.list()
    store.set_level(conversation.id, PrivacyLevel.MY_DEVICES)
    store.close()
    assert "Add --yes" in dai("chat", "--continue", stdin="Second?\n").err
    shown = dai("chat", "--continue", stdin="Second?\ny\n", typed=True)
    assert "Other devices will read this. Send it?" in shown.err
    assert shown.out.endswith("I know it myself.\n\n> \n")
