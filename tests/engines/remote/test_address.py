from __future__ import annotations

import pytest

from engines.errors import RemoteAddressInvalid
from engines.remote.address import is_model_address, read_address, read_model_address


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("localhost:11434", "http://localhost:11434/v1"),
        (" 192.168.1.20:1234/ ", "http://192.168.1.20:1234/v1"),
        ("http://nas.local:8080/v1/", "http://nas.local:8080/v1"),
        ("https://API.OpenAI.com/v1/chat/completions", "https://api.openai.com/v1"),
        ("https://openrouter.ai/api/v1/models", "https://openrouter.ai/api/v1"),
        ("https://gateway.example/llm", "https://gateway.example/llm/v1"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "https://generativelanguage.googleapis.com/v1beta/openai"),
        ("http://example.com:80", "http://example.com/v1"),
        ("https://example.com:443/v1", "https://example.com/v1"),
        ("http://[::1]:8080", "http://[::1]:8080/v1"),
    ],
)  # fmt: skip
def test_addresses_are_understood_as_people_write_them(typed: str, url: str) -> None:
    assert read_address(typed).url == url


@pytest.mark.parametrize(
    "typed",
    ["", "ftp://example.com", "http://", "http://exa mple.com", "http://example.com:99999", "file:///etc/passwd",
     "http://example.com/?key=1", "http://example.com\\@evil.com", "http://a\nb", "http://[::1", "http://x:0"],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(RemoteAddressInvalid):
        read_address(typed)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(RemoteAddressInvalid) as caught:
        read_address("https://user:secret@example.com/v1")

    assert "secret" not in f"{caught.value!r} {caught.value.host} {caught.value.details}"


@pytest.mark.parametrize(
    ("typed", "host", "local", "encrypted"),
    [
        ("localhost:11434", "localhost:11434", True, False),
        ("127.0.0.1:8080", "127.0.0.1:8080", True, False),
        ("http://[::1]:8080", "[::1]:8080", True, False),
        ("https://api.openai.com/v1", "api.openai.com", False, True),
        ("192.168.1.20:1234", "192.168.1.20:1234", False, False),
        ("http://127.0.0.1.evil.com", "127.0.0.1.evil.com", False, False),
        ("http://localhost.evil.com", "localhost.evil.com", False, False),
    ],
)
def test_an_address_tells_where_it_leads(typed: str, host: str, local: bool, encrypted: bool) -> None:
    address = read_address(typed)

    assert (address.host, address.local, address.encrypted) == (host, local, encrypted)


@pytest.mark.parametrize("model", ["qwen3:4b", "meta/llama-3.1", "a b#c?d", "مدل"])
def test_the_address_of_a_model_names_server_and_model(model: str) -> None:
    server = read_address("nas.local:8080")

    address = server.model(model)

    assert is_model_address(address)
    assert read_model_address(address) == (server, model)


def test_an_address_without_a_model_is_refused() -> None:
    with pytest.raises(RemoteAddressInvalid):
        read_model_address("http://nas.local:8080/v1")


@pytest.mark.parametrize(
    ("typed", "nearby"),
    [
        ("localhost:11434", True),
        ("http://192.168.1.20", True),
        ("http://10.0.0.5:8000", True),
        ("http://[fd00::1]:8080", True),
        ("http://nas:8080", True),
        ("http://nas.local:8080", True),
        ("https://api.openai.com", False),
        ("http://8.8.8.8", False),
        ("https://[2606:4700::1111]", False),
    ],
)
def test_no_proxy_leads_to_a_server_nearby(typed: str, nearby: bool) -> None:
    assert read_address(typed).nearby is nearby
