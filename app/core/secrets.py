"""The access token of the model hub: where it is kept, and to whom it may be sent.

It is never in the settings, in a log or in an error. A token belongs to one hub: what was given for one is
not sent to a mirror that is chosen later, and never over a connection that others can read.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from engines.store.connection import DEFAULT_ENDPOINT

log = logging.getLogger(__name__)

_SERVICE = "dai-chat hub token"
_TRUSTED_PRIORITY = 1
"""Of a keyring's back ends: less have those that keep secrets in plain files, or nothing at all."""
_LONGEST = 512


class Keyring(Protocol):
    """The part of the package `keyring` that is used here."""

    def get_password(self, service: str, name: str, /) -> str | None:
        """What is kept under this name."""

    def set_password(self, service: str, name: str, password: str, /) -> None:
        """Keep something."""

    def delete_password(self, service: str, name: str, /) -> None:
        """Forget it."""


class TokenSource(StrEnum):
    """Where a token comes from."""

    ENVIRONMENT = "environment"
    """The variable HF_TOKEN."""
    KEYRING = "keyring"
    """The system's store of passwords."""
    SESSION = "session"
    """Entered since the app was started, and forgotten with it."""
    HUB_LOGIN = "hub_login"
    """`hf auth login` of the hub's own tool."""


class Secrets:
    """Keeps the token of each hub. Thread-safe; may ask the system's keyring, so call it in a thread."""

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        open_keyring: Callable[[], Keyring | None] | None = None,
    ) -> None:
        self._environment = os.environ if environment is None else environment
        self._open_keyring = system_keyring if open_keyring is None else open_keyring
        self._session: dict[str, str] = {}
        self._lock = threading.Lock()

    def hub_token(self, endpoint: str = DEFAULT_ENDPOINT) -> str | None:
        """The token to send to the hub at this address, if there is one and nobody can read it on its way."""
        found = self._find(endpoint)
        return found[0] if found and may_be_sent(endpoint) else None

    def source(self, endpoint: str = DEFAULT_ENDPOINT) -> TokenSource | None:
        """Where the token for this hub comes from; None where there is none."""
        found = self._find(endpoint)
        return found[1] if found else None

    def keep(self, token: str, endpoint: str = DEFAULT_ENDPOINT) -> TokenSource:
        """Take a token; returns whether it will be known after a restart (KEYRING) or not (SESSION).

        Raises:
            ValueError: this cannot be a token.
        """
        token = token.strip()
        if (
            not (token and token.isascii() and token.isprintable() and " " not in token)
            or len(token) > _LONGEST
        ):
            raise ValueError("no token")  # without the token itself
        host = _host(endpoint)
        with self._lock:
            kept = self._ask_keyring(
                lambda keyring: keyring.set_password(_SERVICE, host, token), default=False
            )
            self._session[host] = token
        return TokenSource.SESSION if kept is False else TokenSource.KEYRING

    def forget(self, endpoint: str = DEFAULT_ENDPOINT) -> None:
        """Forget the token that was taken; those of the environment and the hub's own tool stay."""
        host = _host(endpoint)
        with self._lock:
            self._session.pop(host, None)
            if self._ask_keyring(lambda keyring: keyring.get_password(_SERVICE, host), default=None):
                self._ask_keyring(lambda keyring: keyring.delete_password(_SERVICE, host), default=None)

    def lasting(self) -> bool:
        """Whether what is kept will be known after a restart: there is a keyring that can be trusted."""
        return bool(self._ask_keyring(lambda keyring: True, default=False))

    def __repr__(self) -> str:
        return "Secrets()"

    def _find(self, endpoint: str) -> tuple[str, TokenSource] | None:
        host = _host(endpoint)
        meant = _host(self._environment.get("HF_ENDPOINT") or DEFAULT_ENDPOINT)
        if host == meant and (token := self._environment.get("HF_TOKEN", "").strip()):
            return token, TokenSource.ENVIRONMENT
        with self._lock:
            kept = self._ask_keyring(lambda keyring: keyring.get_password(_SERVICE, host), default=None)
            if kept:
                return kept, TokenSource.KEYRING
            if given := self._session.get(host):
                return given, TokenSource.SESSION
        login = _hub_login(self._environment) if host == _host(DEFAULT_ENDPOINT) else None
        return (login, TokenSource.HUB_LOGIN) if login else None

    def _ask_keyring(self, question: Callable[[Keyring], Any], *, default: Any) -> Any:
        """Keyrings fail in many ways: locked, refused, no desktop session. None is worth an error."""
        try:
            keyring = self._open_keyring()
            return default if keyring is None else question(keyring)
        except Exception as error:  # noqa: BLE001 - each back end has exceptions of its own
            log.info("the system's keyring does not work: %s", type(error).__name__)
            return default


def system_keyring() -> Keyring | None:
    """The system's store of passwords, where the package `keyring` is installed and has a trustworthy one."""
    try:
        import keyring
    except ImportError:  # phones, or without the extra `desktop`
        return None
    found = keyring.get_keyring()
    return found if found.priority >= _TRUSTED_PRIORITY else None


def _hub_login(environment: Mapping[str, str]) -> str | None:
    """What `hf auth login` has kept.

    Source: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
    """
    path = Path(environment.get("HF_TOKEN_PATH") or hub_home(environment) / "token").expanduser()
    try:
        if path.stat().st_size > _LONGEST:
            return None
        return path.read_text(encoding="ascii").strip() or None
    except (OSError, ValueError, RuntimeError):
        return None


def hub_home(environment: Mapping[str, str]) -> Path:
    """The folder of the hub's own tools."""
    if home := environment.get("HF_HOME"):
        return Path(home).expanduser()
    return Path(environment.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "huggingface"


def _host(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    return (parts.netloc.rpartition("@")[2] or endpoint).lower()


def may_be_sent(endpoint: str) -> bool:
    """Whether a token may go there: encrypted, or on this very device."""
    parts = urlsplit(endpoint)
    return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")
