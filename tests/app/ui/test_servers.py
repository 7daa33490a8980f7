"""The form for a model of a server, as a person uses it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import flet as ft
import pytest

from app.core import server_keys
from tests.app.ui.conftest import services
from tests.engines.remote import test_hostile_servers
from tests.engines.remote.scripted_server import Client, Received, ScriptedServer, scripted_server

own_certificate = test_hostile_servers.own_certificate  # the same fixture


async def says_hello(client: Client, request: Received) -> None:
    await client.head()
    await client.words("Hello")
    await client.end()


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server(says_hello) as running:
        yield running


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_keys, "system_keyring", lambda: None)


@pytest.fixture
async def form(open_app) -> AsyncIterator:
    """The app with an empty form open."""
    async with open_app() as app:
        await app.go(2)
        await app.choose("add-model", "Connect to a server")
        await app.until(lambda: app.shows("server-address"))
        yield app


def checkbox(app, model: str) -> ft.Checkbox:
    return app.all(ft.Checkbox, app.mark(f"offered-{model}"))[0]


async def test_a_servers_model_is_looked_up_tried_added_and_used(form, server):
    await form.enter("server-address", server.url)
    assert "nothing leaves it" in form.text("server-where")
    assert server.received == [], "an address alone asks nobody"
    await form.tap("look-models")
    await form.until(lambda: form.shows("offered-tiny"))
    assert [request.path for request in server.received] == ["/v1/models"]
    assert checkbox(form, "tiny").value, "the only one is chosen"
    await form.tap("try-server")
    await form.until(lambda: form.shows("server-works"))
    await form.tap("save-server")
    await form.until(lambda: form.shows("use-server"))
    assert "tiny is in the list" in form.text("notice")
    await form.tap("use-server")
    await form.until(lambda: "Answers your questions" in form.text("server:tiny"))


async def test_a_program_fills_in_where_it_listens(form):
    await form.tap("preset-ollama")
    assert "http://127.0.0.1:11434" in form.text("server-address")
    await form.tap("preset-other")
    assert "11434" not in form.text("server-address")


async def test_several_models_of_a_server_are_added_and_are_not_offered_again(form, server):
    server.models = [{"id": "small"}, {"id": "large"}, {"id": "huge"}]
    await form.enter("server-address", server.url)
    await form.tap("look-models")
    await form.until(lambda: form.shows("offered-small"))
    assert form.all(ft.FilledButton, form.mark("save-server"))[0].disabled
    for model in ("small", "large"):
        await form.enter(f"offered-{model}", value=True)
    await form.tap("save-server")
    await form.until(lambda: form.shows("server:small") and form.shows("server:large"))
    assert not form.shows("server:huge")
    await form.choose("add-model", "Connect to a server")
    await form.enter("server-address", server.url)
    await form.tap("look-models")
    await form.until(lambda: form.shows("offered-small"))
    assert checkbox(form, "small").disabled
    assert "in the list already" in form.text()
    assert not checkbox(form, "huge").disabled


async def test_many_models_are_searched(form, server):
    server.models = [{"id": f"model-{number}"} for number in range(40)]
    await form.enter("server-address", server.url)
    await form.tap("look-models")
    await form.until(lambda: form.shows("search-offered"))
    await form.enter("search-offered", "-37")
    await form.until(lambda: not form.shows("offered-model-1"))
    assert form.shows("offered-model-37")
    await form.enter("search-offered", "nothing like it")
    await form.until(lambda: "No model of this name" in form.text())


async def test_an_address_elsewhere_tells_that_questions_leave_and_whether_others_can_read_them(form):
    await form.enter("server-address", "https://ai.example.org")
    assert "will go to ai.example.org" in form.text("server-where")
    assert "without encryption" not in form.text("server-where")
    await form.enter("server-address", "http://192.168.1.20:11434")
    assert "without encryption" in form.text("server-where")
    await form.enter("server-address", "ftp://192.168.1.20")
    assert "not the address of a server" in form.text("server-where")
    assert form.all(ft.FilledTonalButton, form.mark("look-models"))[0].disabled


async def test_a_server_that_is_away_says_so_and_the_model_can_be_typed(form):
    await form.enter("server-address", "http://127.0.0.1:9")
    await form.tap("look-models")
    await form.until(lambda: form.shows("server-problem"))
    assert "does not answer" in form.text("server-problem")
    await form.enter("server-model", "qwen3")
    assert not form.shows("server-problem")
    await form.tap("save-server")
    await form.until(lambda: form.shows("server:qwen3"))


async def test_a_server_that_wants_a_key_says_so_and_gets_it(form, server):
    async def guarded(client: Client, request: Received) -> None:
        if request.headers.get("authorization") == "Bearer right-key":
            await client.json({"data": [{"id": "tiny"}]})
        else:
            await client.json({"error": {"message": "no"}}, status=401)

    server.listing = guarded
    await form.enter("server-address", server.url)
    await form.tap("look-models")
    await form.until(lambda: form.shows("server-problem"))
    assert "wants a key" in form.text("server-problem")
    assert "forgotten when the app is closed" in form.text()
    await form.enter("server-key", "wrong-key")
    await form.tap("look-models")
    await form.until(lambda: form.shows("server-problem"))
    assert "does not accept the key" in form.text("server-problem")
    await form.enter("server-key", "right-key")
    await form.tap("look-models")
    await form.until(lambda: form.shows("offered-tiny"))
    await form.tap("save-server")
    await form.until(lambda: form.shows("server:tiny"))
    assert (await services()).models.servers.knows_key(server.url)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 404, "value": {"error": {"message": "model not found"}}}, "does not have the model"),
        ({"status": 200, "value": {"hello": "world"}}, "broke off"),
        ({"status": 400, "value": {"error": {"message": "what?"}}}, "OpenAI protocol"),
    ],
)
async def test_a_trial_that_fails_says_why(form, server, answer, said):
    async def refuses(client: Client, request: Received) -> None:
        await client.json(answer["value"], status=answer["status"])

    server.script = refuses
    await form.enter("server-address", server.url)
    await form.enter("server-model", "other")
    await form.tap("try-server")
    await form.until(lambda: form.shows("server-problem"))
    assert said in form.text("server-problem")


async def test_a_page_that_is_no_such_server_says_so(form, server):
    async def page(client: Client, request: Received) -> None:
        await client.head(200, "text/html")
        await client.send("<html>Welcome</html>")

    server.listing = page
    await form.enter("server-address", server.url)
    await form.tap("look-models")
    await form.until(lambda: form.shows("server-problem"))
    assert "OpenAI protocol" in form.text("server-problem")


async def test_waiting_for_a_silent_server_can_be_ended(form, server):
    released = asyncio.Event()

    async def silent(client: Client, request: Received) -> None:
        await released.wait()

    server.listing = silent
    await form.enter("server-address", server.url)
    looking = asyncio.create_task(form.tap("look-models"))
    await form.until(lambda: form.shows("stop-server"))
    await form.tap("stop-server")
    await looking
    assert not form.shows("stop-server")
    assert not form.shows("server-problem")
    assert not form.all(ft.FilledTonalButton, form.mark("look-models"))[0].disabled
    released.set()


async def test_a_servers_model_is_changed_and_its_key_forgotten(open_app, server):
    async with open_app() as app:
        opened = await services()
        added = opened.models.add_server("Study", "http://127.0.0.1:9", "qwen3", "a-key")
        await app.go(2)
        await app.until(lambda: app.shows(added.id))
        await app.tap("edit-server")
        await app.until(lambda: app.shows("forget-key"))
        assert "A key is kept" in app.text("server-key")
        assert "a-key" not in app.text()
        await app.tap("forget-key")
        await app.until(lambda: not app.shows("forget-key"))
        assert not opened.models.servers.knows_key(added.url)
        await app.enter("server-address", server.url)
        await app.enter("server-name", "Kitchen")
        await app.tap("look-models")
        await app.until(lambda: app.shows("offered-tiny"))
        await app.enter("offered-tiny", value=True)
        await app.tap("save-server")
        await app.until(lambda: app.shows("server:Kitchen"))
        [changed] = opened.models.servers.added()
        assert (changed.name, changed.url, changed.model) == ("Kitchen", server.url, "tiny")


async def test_a_name_that_is_taken_is_refused_in_the_form(form, server):
    (await services()).models.add_server("Study", server.url, "other")
    await form.enter("server-address", server.url)
    await form.enter("server-name", "study")
    await form.enter("server-model", "tiny")
    await form.tap("save-server")
    await form.until(lambda: form.shows("server-problem"))
    assert "study" in form.text("server-problem")


async def test_leaving_the_form_keeps_nothing(form, server):
    await form.enter("server-address", server.url)
    await form.enter("server-key", "typed-key")
    await form.tap("back")
    await form.until(lambda: form.shows("add-model"))
    await form.choose("add-model", "Connect to a server")
    await form.until(lambda: form.shows("server-address"))
    assert "typed-key" not in form.text()
    assert server.url not in form.text()


async def test_a_certificate_that_nobody_signed_is_told(form, own_certificate):
    async with scripted_server(says_hello, tls=own_certificate) as server:
        await form.enter("server-address", server.url)
        await form.tap("look-models")
        await form.until(lambda: form.shows("server-problem"))
        assert "The certificate of" in form.text("server-problem")
        assert server.received == []
