"""Where a model on another computer is found: one text that names the server and the model.

`http://192.168.1.20:11434/v1#qwen3:4b` is the model `qwen3:4b` of the server at that address. What stands
behind `#` names the model and, as in every address, is not part of what a server is asked for.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from engines.errors import RemoteAddressInvalid

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ENDPOINTS = ("/chat/completions", "/completions", "/models", "/responses")
_API = re.compile(r"/v\d+\w*(/|$)")
_SHOWN_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A server. Make one from what a person types with `read_address`."""

    url: str
    """The base of its API, without a slash at the end."""

    @property
    def host(self) -> str:
        """The computer's name, with the port unless it is the usual one: what people are shown."""
        parts = urlsplit(self.url)
        return parts.netloc

    @property
    def local(self) -> bool:
        """Whether it is this device, so that nothing leaves it."""
        name = urlsplit(self.url).hostname or ""
        if name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False

    @property
    def nearby(self) -> bool:
        """Whether it is this device or one of the same private network, to which no proxy leads."""
        name = urlsplit(self.url).hostname or ""
        if self.local or ("." not in name.removesuffix(".local") and ":" not in name):
            return True
        try:
            return ipaddress.ip_address(name).is_private
        except ValueError:
            return False

    @property
    def encrypted(self) -> bool:
        """Whether nobody on the way can read along."""
        return self.url.startswith("https:")

    def model(self, name: str) -> str:
        """The address of one of its models."""
        return f"{self.url}#{quote(name, safe='/:@')}"


def read_address(text: str) -> ServerAddress:
    """Understand the address of a server as people write it, with or without `http://` and `/v1`.

    Raises:
        RemoteAddressInvalid: it is none, or carries a password or a question.
    """
    text = text.strip()
    parts = _split(text if _SCHEME.match(text) else f"http://{text}", text)
    path = parts.path.rstrip("/")
    for endpoint in _ENDPOINTS:
        path = path.removesuffix(endpoint)
    if not _API.search(path):
        path = f"{path}/v1"
    return ServerAddress(f"{parts.scheme.lower()}://{_netloc(parts)}{path}")


def read_model_address(text: str) -> tuple[ServerAddress, str]:
    """The server and the model that the address of a model names.

    Raises:
        RemoteAddressInvalid: it is none.
    """
    server, _, model = text.partition("#")
    if not model:
        raise RemoteAddressInvalid(server[:_SHOWN_CHARACTERS], "no model behind #")
    return read_address(server), unquote(model)


def is_model_address(text: str) -> bool:
    """Whether this may be the address of a model on a server."""
    return text.startswith(("http://", "https://")) and "#" in text


def _split(text: str, typed: str) -> SplitResult:
    shown = typed.rpartition("@")[2][:_SHOWN_CHARACTERS]  # never show a password
    if re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise RemoteAddressInvalid(shown, "a space or a control character")
    try:
        parts = urlsplit(text)
        name, port = parts.hostname, parts.port
    except ValueError as error:
        raise RemoteAddressInvalid(shown, type(error).__name__) from None
    if parts.scheme.lower() not in ("http", "https") or not name or port == 0:
        raise RemoteAddressInvalid(shown, "neither http nor https, or no host")
    if "@" in parts.netloc or parts.query:
        raise RemoteAddressInvalid(shown, "a password or a question in it")
    return parts


def _netloc(parts: SplitResult) -> str:
    name = (parts.hostname or "").lower()
    if ":" in name:
        name = f"[{name}]"
    usual = {"http": 80, "https": 443}[parts.scheme.lower()]
    return name if parts.port in (None, usual) else f"{name}:{parts.port}"
