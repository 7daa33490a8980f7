"""Models of servers beside those of this device: added, chosen, opened, removed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from app.core.errors import ModelMissing, NoModelInstalled, ServerExists
from app.core.models import Models
from app.core.server_keys import SessionKeys, StoredKeys, key_variable
from app.core.servers import TRIAL_QUESTION, Servers
from app.core.settings import SettingsStore
from engines.errors import RemoteAddressInvalid, RemoteAnswerBroken, RemoteUnreachable
from engines.library import ModelLibrary, starter
from tests.engines.asking import ask
from tests.engines.remote.scripted_server import Client, Received, ScriptedServer, scripted_server
from tests.engines.tiny_gguf import make_tiny_gguf


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path) -> SettingsStore:
    return SettingsStore(tmp_path / "settings.json")


@pytest.fixture
async def models(
    tmp_path: Path, settings: SettingsStore, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Models]:
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    (tmp_path / "models").mkdir()
    opened = Models(ModelLibrary(tmp_path / "models"), settings)
    yield opened
    await opened.unload()


def test_a_server_model_tells_where_questions_go(models: Models) -> None:
    far = models.add_server("Big one", "ai.example.org", "qwen3:4b")
    near = models.add_server("", "https://localhost:1234/v1/", "tiny")

    assert (far.id, far.host, far.local, far.encrypted) == ("server:Big one", "ai.example.org", False, False)
    assert (near.name, near.host, near.local, near.encrypted) == ("tiny", "localhost:1234", True, True)
    assert models.servers.added() == [far, near]


def test_servers_are_kept_and_keys_are_not_in_the_settings(models: Models, tmp_path: Path) -> None:
    added = models.add_server("Big one", "ai.example.org", "qwen3:4b", "a-secret-key")

    kept = SettingsStore(tmp_path / "settings.json")

    assert Servers(kept).added() == [added]
    assert kept.change(language="fa").servers == kept.current.servers
    assert "a-secret-key" not in (tmp_path / "settings.json").read_text()


def test_what_cannot_be_a_server_is_not_added(models: Models, settings: SettingsStore) -> None:
    models.add_server("One", "ai.example.org", "qwen3")

    with pytest.raises(ServerExists) as caught:
        models.add_server(" one ", "other.example.org", "llama")
    with pytest.raises(RemoteAddressInvalid):
        models.add_server("Two", "ftp://ai.example.org", "qwen3")
    with pytest.raises(msgspec.ValidationError):
        models.add_server("Three", "ai.example.org", "")

    assert caught.value.name == "one"
    assert len(settings.current.servers) == 1


async def test_a_server_is_never_chosen_by_itself(models: Models, server: ScriptedServer) -> None:
    models.add_server("Near", server.url, "tiny")

    assert models.chosen() is None
    with pytest.raises(NoModelInstalled):
        await models.engine()
    assert server.received == []


async def test_a_chosen_server_answers_and_hears_nothing_before_it_is_asked(
    models: Models, server: ScriptedServer, tmp_path: Path
) -> None:
    async def script(client: Client, request: Received) -> None:
        await client.head()
        await client.words("I am ", "there.")
        await client.end()

    server.script = script
    make_tiny_gguf(tmp_path / "models" / "a.gguf", reply="I am here.")
    added = models.add_server("Near", server.url, "tiny", "a-key")

    await models.load(added.id)
    heard = [request.path for request in server.received]
    engine = await models.engine()

    assert heard == ["/v1/models"]
    assert models.chosen() == models.loaded == added
    assert server.received[0].headers["authorization"] == "Bearer a-key"
    assert (await ask(engine)).text == "I am there."
    assert server.asked[0].body["model"] == engine.info.name == "tiny"
    await models.load("sideloaded:a")
    assert (await ask(await models.engine())).text == "I am here."


async def test_a_server_that_is_away_leaves_the_choice_as_it_was(models: Models) -> None:
    added = models.add_server("Away", "http://127.0.0.1:9", "tiny")

    with pytest.raises(RemoteUnreachable):
        await models.load(added.id)

    assert models.chosen() is None
    assert models.loaded is None


async def test_a_removed_server_is_not_asked_any_more(models: Models, server: ScriptedServer) -> None:
    added = models.add_server("Near", server.url, "tiny")
    await models.load(added.id)

    await models.remove_server(added.id)

    assert models.servers.added() == []
    assert models.chosen() is models.loaded is None
    with pytest.raises(ModelMissing):
        await models.load(added.id)
    with pytest.raises(ModelMissing):
        await models.remove_server(added.id)


def test_a_key_goes_with_the_last_model_of_its_server(settings: SettingsStore) -> None:
    keys = SessionKeys({})
    servers = Servers(settings, keys)
    first = servers.add("One", "ai.example.org", "qwen3", "a-key")
    second = servers.add("Two", "ai.example.org", "llama")

    servers.remove(first.id)
    assert keys.get(second.url) == "a-key"
    servers.remove(second.id)
    assert keys.get(second.url) is None
    assert "a-key" not in repr(keys)


def test_a_key_may_come_from_the_environment() -> None:
    url = "http://192.168.1.20:11434/v1"
    keys = SessionKeys({"DAI_SERVER_KEY_192_168_1_20_11434": "from outside"})

    assert key_variable(url) == "DAI_SERVER_KEY_192_168_1_20_11434"
    assert keys.get(url) == "from outside"
    keys.keep(url, "entered")
    assert keys.get(url) == "entered"


class Passwords:
    """The system's store of passwords, as the package `keyring` offers it."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, password: str) -> None:
        self.kept[service, name] = password

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


def test_a_key_is_known_after_a_restart_where_the_system_keeps_it() -> None:
    passwords = Passwords()
    url = "https://ai.example.org/v1"

    assert StoredKeys({}, lambda: passwords).keep(url, "a-key")
    restarted = StoredKeys({}, lambda: passwords)
    assert restarted.get(url) == "a-key"
    assert restarted.get("https://other.example.org/v1") is None
    restarted.forget(url)
    restarted.forget(url)
    assert passwords.kept == {}


def test_a_keyring_that_is_locked_costs_no_more_than_the_restart() -> None:
    def locked() -> Passwords:
        raise RuntimeError("a-key is locked away")

    keys = StoredKeys({}, locked)

    assert not keys.keep("http://ai.example.org/v1", "a-key")
    assert keys.get("http://ai.example.org/v1") == "a-key"
    keys.forget("http://ai.example.org/v1")
    assert keys.get("http://ai.example.org/v1") is None


def test_an_address_that_was_broken_by_hand_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(
        '{"servers": [{"name": "a", "url": "http://[", "model": "m"},'
        ' {"name": "b", "url": "http://ok", "model": "m"}]}'
    )

    assert [model.name for model in Servers(SettingsStore(tmp_path / "settings.json")).added()] == ["b"]


async def test_a_server_far_away_is_asked_through_the_proxy_and_one_nearby_never(
    models: Models, settings: SettingsStore, server: ScriptedServer
) -> None:
    settings.change(proxy=server.url.removesuffix("/v1"))  # hears of every request as a proxy does

    offered = await models.servers.offered("http://ai.example.org/v1")
    with pytest.raises(RemoteUnreachable):
        await models.servers.offered("http://127.0.0.1:9")

    assert [model.id for model in offered] == ["tiny"]
    assert [request.path for request in server.received] == ["http://ai.example.org/v1/models"]


async def test_a_trial_sends_its_own_question_and_tells_how_long_the_first_word_took(
    models: Models, server: ScriptedServer
) -> None:
    async def script(client: Client, request: Received) -> None:
        await client.head()
        await client.words("Hello")
        await client.gone.wait()  # whoever tries it out does not wait for the end

    server.script = script

    seconds = await models.servers.try_out(server.url, "tiny", "a-key")

    [asked] = server.asked
    assert seconds > 0
    assert asked.body["messages"] == [{"role": "user", "content": TRIAL_QUESTION}]
    assert asked.headers["authorization"] == "Bearer a-key"
    assert models.servers.added() == []


async def test_a_trial_of_a_model_that_says_nothing_fails(models: Models, server: ScriptedServer) -> None:
    async def script(client: Client, request: Received) -> None:
        await client.head()
        await client.end()

    server.script = script

    with pytest.raises(RemoteAnswerBroken):
        await models.servers.try_out(server.url, "tiny")


async def test_several_models_of_a_server_are_added_at_once_or_none(models: Models) -> None:
    await models.add_servers("http://one:1", [("", "qwen3"), ("", "llama")])

    with pytest.raises(ServerExists):
        await models.add_servers("http://two:2", [("fresh", "gemma"), ("llama", "phi")])
    [again] = await models.add_servers("http://two:2", [("", "qwen3")])
    models.add_server("", "http://three:3", "/models/tiny.Q4_0.gguf")

    names = [model.name for model in models.servers.added()]
    assert names == ["qwen3", "llama", "qwen3 (two:2)", "tiny.Q4_0"]
    assert again.host == "two:2"


async def test_a_changed_server_stays_chosen_under_its_new_name_and_is_opened_anew(
    models: Models, server: ScriptedServer, settings: SettingsStore
) -> None:
    added = models.add_server("Near", "http://127.0.0.1:9", "tiny")
    settings.change(model_id=added.id)

    changed = await models.change_server(added.id, "Here", server.url, "tiny")
    await models.engine()

    assert models.chosen() == models.loaded == changed
    moved = await models.change_server(changed.id, "", server.url, "other")
    assert (moved.name, models.loaded) == ("Here", None)
    with pytest.raises(ModelMissing):
        await models.change_server(added.id, "Gone", server.url, "tiny")


def test_a_changed_name_must_be_free_and_may_be_its_own(models: Models) -> None:
    models.add_server("One", "ai.example.org", "qwen3")
    two = models.add_server("Two", "ai.example.org", "llama")

    with pytest.raises(ServerExists):
        models.servers.change(two.id, "one", "ai.example.org", "llama")

    assert models.servers.change(two.id, "two", "ai.example.org", "phi").model == "phi"


def test_a_key_stays_with_its_own_address(settings: SettingsStore) -> None:
    keys = SessionKeys({})
    servers = Servers(settings, keys)
    added = servers.add("One", "https://ai.example.org", "qwen3", "a-key")

    servers.change(added.id, "One", "https://other.example.org", "qwen3")

    assert not servers.knows_key("https://other.example.org/v1")
    assert not servers.knows_key(added.url)


def test_it_is_known_beforehand_whether_a_key_outlives_the_app() -> None:
    assert StoredKeys({}, Passwords).lasting()
    assert not StoredKeys({}, lambda: None).lasting()
    assert not SessionKeys({}).lasting()


async def test_options_follow_a_server_to_its_new_name_and_go_with_it(models: Models) -> None:
    added = models.add_server("Near", "http://127.0.0.1:9", "tiny")
    models.tuning.change(added.id, {"temperature": 0.25})

    changed = await models.change_server(added.id, "Here", added.url, "tiny")

    assert models.tuning.store.get(changed.id).temperature == 0.25
    assert models.tuning.store.get(added.id).temperature is None
    await models.remove_server(changed.id)
    assert models.tuning.store.all() == {}
