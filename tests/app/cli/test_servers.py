"""`dai models servers`, `add-server`, `remove-server`, and a question to a server."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from app.core.server_keys import SessionKeys
from app.core.settings import SettingsStore
from tests.engines.remote.scripted_server import Client, Received, ScriptedServer, scripted_server


async def says_hello(client: Client, request: Received) -> None:
    await client.head()
    await client.words("Hello from ", "the server.")
    await client.end()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server in a thread of its own: commands have the event loop of this one."""
    started, ready = threading.Event(), []

    async def serve() -> None:
        async with scripted_server(says_hello) as running:
            ended = asyncio.Event()
            ready.extend([running, asyncio.get_running_loop(), ended])
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    running, loop, ended = ready
    yield running
    loop.call_soon_threadsafe(ended.set)
    thread.join()


def test_a_server_is_added_chosen_asked_and_removed(dai, server):
    added = dai("models", "add-server", server.url, "--name", "Near")
    assert (added.status, added.out) == (0, "Near is added. Its server runs on this device.\n")
    assert [request.path for request in server.received] == ["/v1/models"]

    assert "  Near · tiny · on this device" in dai("models", "servers").out
    assert dai("models", "use", "near").status == 0
    assert "Hello from the server." in dai("ask", "Who?").out
    assert "* Near" in dai("models", "servers").out
    assert "* Near · tiny · on this device" in dai("models").out
    [entry] = dai("models", "--json").json["servers"]
    assert (entry["server"]["name"], entry["chosen"]) == ("Near", True)

    assert dai("models", "remove-server", "Near").status == 0
    assert dai("models", "servers", "--json").json == []


def test_a_server_elsewhere_says_that_questions_leave_the_device(dai):
    out = dai("models", "add-server", "http://ai.example.org", "--model", "qwen3").out
    assert "leave this device to ai.example.org" in out
    listed = dai("models", "servers").out
    assert "leaves this device to ai.example.org · not encrypted" in listed
    [entry] = dai("models", "servers", "--json").json
    assert entry["key_variable"] == "DAI_SERVER_KEY_AI_EXAMPLE_ORG"
    assert (entry["server"]["host"], entry["chosen"]) == ("ai.example.org", False)


def test_a_server_with_several_models_names_them(dai, server):
    server.models = [{"id": "small"}, {"id": "large"}]
    result = dai("models", "add-server", server.url)
    assert result.status == 1
    assert "small, large" in result.err


def test_a_key_comes_through_a_pipe_and_goes_to_its_server_only(dai, server, home, monkeypatch):
    monkeypatch.setattr("app.services.StoredKeys", SessionKeys)
    result = dai("models", "add-server", server.url, "--key", stdin="a-secret\n")
    assert result.status == 0
    assert "DAI_SERVER_KEY_127_0_0_1_" in result.err
    assert server.received[0].headers["authorization"] == "Bearer a-secret"
    assert "a-secret" not in home.settings.read_text() + result.out + result.err


@pytest.mark.parametrize("command", [["ask", "Who?"], ["chat"]])
def test_before_a_question_leaves_the_device_it_is_told_where_to(dai, home, command):
    dai("models", "add-server", "http://127.0.0.1:9", "--model", "tiny", "--name", "Near")
    dai("models", "add-server", "http://dai-server.invalid", "--model", "tiny", "--name", "Far")
    for name, told in (("Near", False), ("Far", True)):
        SettingsStore(home.settings).change(model_id=f"server:{name}")
        result = dai(*command, stdin="Who?\n")
        assert ("Far · leaves this device to dai-server.invalid\n" in result.err) is told


MISTAKES = [
    (["add-server", "ftp://x", "--model", "m"], "is not the address of a server"),
    (["add-server", "http://127.0.0.1:9"], "does not answer"),
    (["add-server", "http://x", "--model", "m" * 300], "has at most 100 characters"),
    (["remove-server", "nothing"], "No server's model has the name or id"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_mistakes_are_told_in_one_line(dai, arguments, message):
    result = dai("models", *arguments)
    assert result.status == 1
    assert message in result.err
    assert result.err.count("\n") == 1


def test_a_server_that_is_away_fails_the_question_with_its_name(dai, server):
    dai("models", "add-server", server.url, "--name", "Near")
    dai("models", "use", "Near")

    async def gone(client: Client, request: Received) -> None:
        await client.json({"error": {"message": "secret words of a prompt"}}, status=401)

    server.script = gone
    result = dai("ask", "Who?")
    assert result.status == 1
    assert "does not accept the key" in result.err
    assert "secret words" not in result.err
