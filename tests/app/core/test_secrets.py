"""The hub's token is kept safely, sent to its own hub only, and never shown."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from app.core.secrets import Secrets, TokenSource

HUB = "https://huggingface.co"
MIRROR = "https://mirror.example/hf"
TOKEN = "hf_abcdefghij"


class Store:
    """A keyring that keeps what it is given, as long as it is unlocked."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, name: str) -> str | None:
        self._check()
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, password: str) -> None:
        self._check()
        self.kept[service, name] = password

    def delete_password(self, service: str, name: str) -> None:
        self._check()
        del self.kept[service, name]

    def _check(self) -> None:
        if self.locked:
            raise RuntimeError("the user has not unlocked it, token " + TOKEN)


@pytest.fixture
def keyring() -> Store:
    return Store()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"HF_HOME": str(tmp_path)}


def without_keyring(environment: dict[str, str]) -> Secrets:
    return Secrets(environment, lambda: None)


def test_without_a_token_there_is_none(environment):
    secrets = without_keyring(environment)
    assert secrets.hub_token() is None
    assert secrets.source() is None


def test_a_token_survives_in_the_keyring(environment, keyring):
    assert Secrets(environment, lambda: keyring).keep(f" {TOKEN}\n") is TokenSource.KEYRING
    again = Secrets(environment, lambda: keyring)
    assert (again.hub_token(), again.source()) == (TOKEN, TokenSource.KEYRING)
    again.forget()
    assert again.hub_token() is None
    assert keyring.kept == {}


def test_without_a_keyring_a_token_lasts_as_long_as_the_app_runs(environment):
    secrets = without_keyring(environment)
    assert secrets.keep(TOKEN) is TokenSource.SESSION
    assert (secrets.hub_token(), secrets.source()) == (TOKEN, TokenSource.SESSION)
    assert without_keyring(environment).hub_token() is None
    secrets.forget()
    assert secrets.hub_token() is None


def test_a_keyring_that_fails_is_as_good_as_none_and_nothing_of_it_is_logged(environment, keyring, caplog):
    caplog.set_level(logging.DEBUG)
    keyring.locked = True
    secrets = Secrets(environment, lambda: keyring)
    assert secrets.keep(TOKEN) is TokenSource.SESSION
    assert secrets.hub_token() == TOKEN
    secrets.forget()
    assert secrets.hub_token() is None
    assert "RuntimeError" in caplog.text
    assert TOKEN not in caplog.text


def test_the_environment_goes_first(environment, keyring):
    secrets = Secrets(environment | {"HF_TOKEN": "hf_of_the_environment"}, lambda: keyring)
    secrets.keep(TOKEN)
    assert (secrets.hub_token(), secrets.source()) == ("hf_of_the_environment", TokenSource.ENVIRONMENT)


def test_the_login_of_the_hubs_own_tool_is_used(environment, tmp_path):
    (tmp_path / "token").write_text("hf_of_the_tool\n")
    secrets = without_keyring(environment)
    assert (secrets.hub_token(), secrets.source()) == ("hf_of_the_tool", TokenSource.HUB_LOGIN)
    secrets.keep(TOKEN)
    assert secrets.hub_token() == TOKEN
    moved = tmp_path / "elsewhere"
    moved.write_bytes(b"\xff\xfe")
    assert without_keyring(environment | {"HF_TOKEN_PATH": str(moved)}).hub_token() is None


def test_a_mirror_does_not_get_the_hubs_tokens(environment, keyring, tmp_path):
    (tmp_path / "token").write_text("hf_of_the_tool")
    secrets = Secrets(environment | {"HF_TOKEN": "hf_of_the_environment"}, lambda: keyring)
    secrets.keep(TOKEN)
    assert secrets.hub_token(MIRROR) is None
    secrets.keep("mirrors_own", MIRROR)
    assert secrets.hub_token(MIRROR) == "mirrors_own"
    assert secrets.hub_token(HUB) == "hf_of_the_environment"


def test_the_environments_token_belongs_to_the_environments_hub(environment):
    secrets = without_keyring(environment | {"HF_TOKEN": TOKEN, "HF_ENDPOINT": MIRROR})
    assert secrets.hub_token(MIRROR) == TOKEN
    assert secrets.hub_token(HUB) is None


@pytest.mark.parametrize(
    ("endpoint", "sent"),
    [("http://mirror.example", False), ("http://127.0.0.1:8080", True), ("https://mirror.example", True)],
)
def test_a_token_is_not_sent_where_others_can_read_it(environment, endpoint, sent):
    secrets = without_keyring(environment)
    secrets.keep(TOKEN, endpoint)
    assert (secrets.hub_token(endpoint) == TOKEN) is sent
    assert secrets.source(endpoint) is TokenSource.SESSION


@pytest.mark.parametrize("wrong", ["", "  ", "hf_a b", "hf_\x00", "توکن", "x" * 600, "hf_a\nb"])
def test_what_cannot_be_a_token_is_refused_without_repeating_it(environment, wrong):
    secrets = without_keyring(environment)
    with pytest.raises(ValueError, match=r"^no token$"):
        secrets.keep(wrong)
    assert secrets.source() is None


def test_a_token_is_never_shown(environment):
    secrets = without_keyring(environment | {"HF_TOKEN": TOKEN})
    assert TOKEN not in repr(secrets)
